"""What a model server answers, and what the client must see of it."""
import dataclasses

from wire.case import HOST, chunked, get, message, post
from wire.recorder import Reply

OK = "HTTP/1.1 200 OK\r\n"
# An answer that would be taken for the next one's if what precedes it were read otherwise.
HIDDEN = OK + "Content-Length: 6\r\n\r\nhidden"
HELLO = "5\r\nhello\r\n0\r\n\r\n"
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is answered to a request, and what the client sees."""

    section: str
    name: str
    reply: Reply
    status: int
    body: str | None = None
    request: str = get()
    # Field lines by name in lower case: exactly one with this value; and names of fields that must not be there.
    has: dict = dataclasses.field(default_factory=dict)
    lacks: tuple = ()
    trailers: tuple = ()
    # Statuses of interim answers, 100 left out; None: any.
    interim: tuple | None = ()
    # "open": the next request on the connection gets its own answer; "closed": the answer is whole and the connection ends;
    # "cut": the client sees that the answer is not whole; "either": whole, open or not.
    then: str = "open"
    # Bytes after the answer that switched protocols.
    tail: str = ""
    ends_sending: bool = False

    @property
    def is_head(self):
        return self.request.startswith("HEAD")


def passed(section, name, answer, status, body=None, *, closes=False, at_head=False, after=0, **what):
    """The client sees this status and body."""
    then = "closed" if closes else "open"
    return Answer(section, name, Reply(answer.encode("latin-1"), then, at_head, after), status, body, **what)


def bad(section, name, answer, status=502, **what):
    """An answer of more than one reading, or of none: the client gets 502 instead, and nothing of it."""
    return passed(section, name, answer, status, then="either", **what)


def cut(section, name, answer, body, *, resets=False, **what):
    """An answer that breaks off: the client sees what came, and that it is not whole."""
    reply = Reply(answer.encode("latin-1"), "reset" if resets else "closed")
    return Answer(section, name, reply, 200, body, then="cut", **what)


def answer(*fields, body="", status="200 OK", version="1.1"):
    return message(f"HTTP/{version} {status}", *fields, body=body)


def sized(body, *fields, **options):
    return answer(f"Content-Length: {len(body)}", *fields, body=body, **options)


CHUNKED = "Transfer-Encoding: chunked"
HEAD = message("HEAD /h HTTP/1.1", HOST, "")
OLD = message("GET /g HTTP/1.0", HOST, "")

WHOLE = [
    passed("9112 6.2", "a length", sized("hello"), 200, "hello", has={"content-length": "5"}, lacks=("transfer-encoding",)),
    passed("9112 6.2", "a length of 0", sized(""), 200, "", has={"content-length": "0"}),
    passed("9112 7.1", "chunks", answer(CHUNKED, body=HELLO), 200, "hello", has={"transfer-encoding": "chunked"}, lacks=("content-length",)),
    passed("9112 7.1", "chunks for HTTP/1.0 end with the connection", answer(CHUNKED, body=HELLO), 200, "hello", request=OLD, then="closed", lacks=("transfer-encoding",)),
    passed("9112 6.3", "until the connection ends", answer(body="hello"), 200, "hello", closes=True, has={"transfer-encoding": "chunked"}),
    passed("9112 6.3", "until the connection ends, for HTTP/1.0", answer(body="hello"), 200, "hello", closes=True, request=OLD, then="closed"),
    passed("9112 6.3", "until the connection ends, in HTTP/1.0", answer(body="hello", version="1.0"), 200, "hello", closes=True),
    passed("9112 9.3", "a length in HTTP/1.0", sized("hello", version="1.0"), 200, "hello", closes=True, has={"content-length": "5"}),
    passed("9112 9.6", "close is the model server's own", sized("hello", "Connection: close"), 200, "hello", closes=True, lacks=("connection",)),
    passed("9112 6.2", "a length in HTTP/1.0 to HTTP/1.0 with keep-alive", sized("hello"), 200, "hello", request=message("GET /g HTTP/1.0", HOST, "Connection: keep-alive", ""), has={"connection": "keep-alive"}),
    passed("9112 4", "no reason", answer("Content-Length: 0", status="200 "), 200, ""),
    passed("9112 4", "no blank after the status", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, ""),
    passed("9112 4", "a reason past ASCII", answer("Content-Length: 0", status="200 \xc3\xa7a va"), 200, ""),
    passed("9110 15", "a status that has no name", sized("x", status="299 Odd"), 299, "x"),
    passed("9110 15.6", "an error of the model server", sized("no", status="500 Oops"), 500, "no"),
    passed("9112 7.1.1", "extensions are dropped", answer(CHUNKED, body='5;a="b"\r\nhello\r\n0;c\r\n\r\n'), 200, "hello"),
    passed("9110 6.5", "a trailer field", answer(CHUNKED, "Trailer: X-Sum", body="1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), 200, "a", trailers=(("x-sum", "1"),)),
    passed("9110 6.5.1", "framing in a trailer is dropped", answer(CHUNKED, body="1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nX: y\r\n\r\n"), 200, "a", trailers=(("x", "y"),)),
    passed("9110 6.5.1", "cookies and content type in a trailer are dropped", answer(CHUNKED, body="1\r\na\r\n0\r\nSet-Cookie: a\r\nContent-Type: b/c\r\n\r\n"), 200, "a"),
    passed("9112 7.1.2", "a trailer field for HTTP/1.0 is dropped", answer(CHUNKED, body="1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), 200, "a", request=OLD, then="closed"),
    passed("9112 6.3", "a long body", sized("x" * 1_000_000), 200, "x" * 1_000_000),
    passed("6585 5", "a field of 60,000 octets", sized("", "X: " + "y" * 60_000), 200, "", has={"x": "y" * 60_000}),
]

BODILESS = [
    passed("9110 9.3.2", "HEAD with a length", answer("Content-Length: 5"), 200, "", request=HEAD, has={"content-length": "5"}),
    passed("9110 9.3.2", "HEAD with chunked", answer(CHUNKED), 200, "", request=HEAD, lacks=("content-length",)),
    passed("9110 9.3.2", "HEAD without either", answer(), 200, "", request=HEAD),
    passed("9110 9.3.2", "HEAD with a body all the same", sized(HIDDEN), 200, "", request=HEAD),
    passed("9110 15.3.5", "204", answer(status="204 No Content"), 204, "", lacks=("content-length", "transfer-encoding")),
    passed("9110 8.6", "204 with a length", answer("Content-Length: 0", status="204 No Content"), 204, "", lacks=("content-length",)),
    passed("9112 6.3", "204 with a body all the same", sized(HIDDEN, status="204 No Content"), 204, ""),
    passed("9112 6.3", "204 with chunks all the same", answer(CHUNKED, status="204 No Content", body=HELLO), 204, "", lacks=("transfer-encoding",)),
    passed("9110 15.4.5", "304", answer('ETag: "a"', status="304 Not Modified"), 304, "", has={"etag": '"a"'}),
    passed("9110 15.4.5", "304 with a length", answer("Content-Length: 5", status="304 Not Modified"), 304, "", has={"content-length": "5"}),
    passed("9112 6.3", "304 with a body all the same", sized(HIDDEN, status="304 Not Modified"), 304, ""),
    passed("9112 9.2", "an answer more than was asked for", sized("hello") + HIDDEN, 200, "hello"),
    passed("9112 9.2", "bytes after the length", sized("hello") + "x", 200, "hello"),
    passed("9112 9.2", "bytes after the last chunk", answer(CHUNKED, body=HELLO) + HIDDEN, 200, "hello"),
]

INTERIM = [
    passed("9110 15.2", "100 before the answer", "HTTP/1.1 100 Continue\r\n\r\n" + sized("hello"), 200, "hello"),
    passed("8297 2", "103 before the answer", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + sized("hello"), 200, "hello", interim=(103,)),
    passed("9110 15.2", "several interim answers", "HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\n\r\n" + sized("hello"), 200, "hello", interim=(102, 103, 103)),
    passed("9110 15.2", "none of them goes to HTTP/1.0", "HTTP/1.1 103 Early Hints\r\n\r\n" + sized("hello"), 200, "hello", request=OLD, then="closed"),
    passed("9112 6.3", "a length in an interim answer", "HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\n" + sized("hello"), 200, "hello", interim=(103,)),
    passed("9110 15.2", "interim answers by the thousand do no harm", "HTTP/1.1 100 \r\n\r\n" * 20_000 + sized("hello"), 200, "hello"),
    bad("9112 6.3", "an interim answer and the end", "HTTP/1.1 103 E\r\n\r\n", 503, closes=True, interim=None),
    bad("9110 7.8", "101 unasked", answer("Connection: Upgrade", "Upgrade: websocket", status="101 Switching Protocols") + "hello"),
    bad("9110 7.8", "101 to h2c, of which it was told nothing", answer("Connection: Upgrade", "Upgrade: h2c", status="101 Switching Protocols"), request=get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ")),
    bad("9110 7.8", "101 without Connection: Upgrade", answer(status="101 Switching Protocols"), request=get(*WEBSOCKET)),
    passed("6455 4.2.2", "101 to WebSocket, and what follows", answer("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", status="101 Switching Protocols") + "\x81\x05hello", 101, "", closes=True, request=get(*WEBSOCKET), then="closed", tail="\x81\x05hello", has={"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}),
    passed("6455 4.2.2", "WebSocket refused", sized("no", "Sec-WebSocket-Version: 8", status="426 Upgrade Required"), 426, "no", request=get(*WEBSOCKET), has={"sec-websocket-version": "8"}),
    passed("6455 4.2.2", "WebSocket ignored", sized("hello"), 200, "hello", request=get(*WEBSOCKET)),
]

HOP_BY_HOP = [
    passed("9110 7.6.1", "a field that Connection names", sized("", "Connection: X-Secret, keep-alive", "X-Secret: 1", "X-Kept: 2"), 200, "", has={"x-kept": "2"}, lacks=("connection", "x-secret")),
    passed("9110 7.6.1", "hop-by-hop fields", sized("", "Keep-Alive: timeout=5", "Proxy-Connection: x", "Upgrade: h2c", "Connection: Upgrade", "Trailer: x", "TE: x"), 200, "", lacks=("keep-alive", "proxy-connection", "upgrade", "connection", "trailer", "te")),
    passed("9110 7.6.1", "Connection cannot take the length away", sized("hello", "Connection: Content-Length"), 200, "hello", has={"content-length": "5"}),
    passed("9110 7.6.3", "Via", sized(""), 200, "", has={"via": "1.1 pilotlight"}),
    passed("9110 5.1", "nobody else says pilotlight-...", sized("", "pilotlight-pool: burst", "Pilotlight-Odd: x"), 200, "", has={"pilotlight-pool": "dedicated"}, lacks=("pilotlight-odd",)),
    passed("9110 5.1", "nor pilotlight_...", sized("", "pilotlight_pool: burst", "Transfer_Encoding: x", "X_Kept: y"), 200, "", has={"x_kept": "y"}, lacks=("pilotlight_pool", "transfer_encoding")),
    passed("9110 5.3", "Set-Cookie stays in lines of its own", sized("", "Set-Cookie: a=b"), 200, "", has={"set-cookie": "a=b"}),
    passed("9110 5.5", "octets past ASCII in a value", sized("", "X: caf\xc3\xa9 \xff"), 200, "", has={"x": "caf\xc3\xa9 \xff"}),
]

AMBIGUOUS = [
    bad("9112 6.3", "both framings", answer("Content-Length: 5", CHUNKED, body=HELLO)),
    bad("9112 6.3", "both framings, the other way round", answer(CHUNKED, "Content-Length: 5", body=HELLO)),
    bad("9112 6.3", "the length twice, the same", answer("Content-Length: 5", "Content-Length: 5", body="hello")),
    bad("9112 6.3", "the length twice, different", answer("Content-Length: 5", "Content-Length: 6", body="hello!")),
    bad("9112 6.3", "a list of lengths", answer("Content-Length: 5, 5", body="hello")),
    bad("9110 8.6", "a length with a plus", answer("Content-Length: +5", body="hello")),
    bad("9110 8.6", "a negative length", answer("Content-Length: -1", body="hello")),
    bad("9110 8.6", "a length that is empty", answer("Content-Length:", body="hello")),
    bad("9110 8.6", "a length past 2^64", answer("Content-Length: 18446744073709551621", body="hello")),
    bad("9110 8.6", "both framings, to HEAD", answer("Content-Length: 5", CHUNKED), request=HEAD),
    bad("9112 6.1", "gzip, chunked", answer("Transfer-Encoding: gzip, chunked", body=HELLO)),
    bad("9112 6.1", "identity", answer("Transfer-Encoding: identity", "Content-Length: 5", body="hello")),
    bad("9112 6.1", "chunked twice", answer(CHUNKED, CHUNKED, body=HELLO)),
    bad("9112 6.1", "chunked in HTTP/1.0", answer(CHUNKED, body=HELLO, version="1.0")),
    bad("9112 2.2", "LF for line ends", sized("hello").replace("\r\n", "\n")),
    bad("9112 2.2", "LF after a field", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n"),
    bad("9112 2.2", "CR in a value", sized("hello", "X: y\rz")),
    bad("9112 5.1", "a blank before the colon", sized("hello", "X : y")),
    bad("9112 5.2", "a folded value", sized("hello", "X: y", " z")),
    bad("9112 5", "no colon", sized("hello", "X")),
    bad("9110 5.5", "NUL in a value", sized("hello", "X: \x00")),
    bad("9112 4", "a status of two digits", sized("hello", status="20 OK")),
    bad("9112 4", "a status of four digits", sized("hello", status="2000 OK")),
    bad("9110 15", "a status past 599", sized("hello", status="600 OK")),
    bad("9110 15", "a status below 100", sized("hello", status="099 OK")),
    bad("9112 4", "a status that is no number", sized("hello", status="2x0 OK")),
    bad("9112 4", "two blanks before the status", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
    bad("9112 4", "a control character in the reason", sized("", status="200 O\x01K")),
    bad("9112 2.3", "HTTP/2.0", sized("hello", version="2.0")),
    bad("9112 2.2", "an empty line before it", "\r\n" + sized("hello")),
    bad("9112 2", "no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    bad("9112 8", "a head that breaks off", "HTTP/1.1 200 OK\r\nContent-Le", closes=True),
    bad("6585 5", "a head past 64 KiB", sized("hello", "X: " + "y" * 66_000)),
    bad("6585 5", "more than 128 fields", sized("hello", *(f"X-{n}: y" for n in range(130)))),
]

BROKEN = [
    cut("9112 8", "shorter than its length", answer("Content-Length: 10", body="hello"), "hello"),
    cut("9112 8", "shorter than its length, by a reset", answer("Content-Length: 10", body="hello"), None, resets=True),
    cut("9112 8", "chunks without the last", answer(CHUNKED, body="5\r\nhello\r\n"), "hello"),
    cut("9112 8", "the end within a chunk", answer(CHUNKED, body="a\r\nhello"), "hello"),
    cut("9112 8", "a last chunk without its last line", answer(CHUNKED, body="5\r\nhello\r\n0\r\n"), "hello"),
    cut("9112 7.1", "a bad size", answer(CHUNKED, body="5\r\nhello\r\nx\r\n"), None),
    cut("9112 7.1", "a size that ends in LF", answer(CHUNKED, body="5\nhello\r\n0\r\n\r\n"), None),
    cut("9112 7.1", "an overlong size", answer(CHUNKED, body="1" * 17 + "\r\nhello\r\n0\r\n\r\n"), None),
    cut("9112 7.1", "data without its line end", answer(CHUNKED, body="5\r\nhello0\r\n\r\n"), None),
    cut("9112 5.1", "a bad trailer", answer(CHUNKED, body="5\r\nhello\r\n0\r\nX : y\r\n\r\n"), None),
    cut("9112 2.2", "a trailer that ends in LF", answer(CHUNKED, body="5\r\nhello\r\n0\r\nX: y\n\r\n"), None),
    bad("9112 8", "the end before an answer", "", 503, closes=True),
]

LONG = post("Content-Length: 5000000", body="x" * 300_000)

EARLY = [
    passed("9112 9.6", "an answer before the body has ended", sized("too much", "Connection: close", status="413 Content Too Large"), 413, "too much", request=LONG, at_head=True, closes=True, then="closed"),
    passed("9112 9.6", "the same without close", sized("too much", status="413 Content Too Large"), 413, "too much", request=LONG, at_head=True, then="closed"),
    passed("9112 9.6", "the same in chunks", sized("no", status="400 No"), 400, "no", request=chunked("5\r\nhello\r\n"), at_head=True, then="either"),
    passed("9112 9.6", "a client that ends its sending half waits for its answer", sized("late"), 200, "late", after=0.2, then="closed", ends_sending=True),
    passed("9112 9.6", "the same for a stream of chunks", answer(CHUNKED, body=HELLO), 200, "hello", after=0.2, then="closed", ends_sending=True),
]

ANSWERS = WHOLE + BODILESS + INTERIM + HOP_BY_HOP + AMBIGUOUS + BROKEN + EARLY
