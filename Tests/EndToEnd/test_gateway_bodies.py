"""Bodies that are long, and messages that come a byte at a time: the right bytes arrive, and little is kept of them."""
import hashlib
import json

import pytest

from gateway import Gateway, MemoryPeak, openai_service, service
from http_sockets import Client, Upstream, chunk, head_bytes

PIECE = bytes(range(256)) * 1024
PIECES = 400  # of 256 KiB: 100 MiB
SIZE = len(PIECE) * PIECES
DIGEST = hashlib.sha256(PIECE * PIECES).hexdigest()
BOUND = 2 << 20


def digest(pieces):
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()


def transfer(request):
    """Answers an upload with its digest, and `/length` and `/chunked` with a long body."""
    if request.method == "POST":
        return request.respond(200, digest(request.pieces).encode())
    if request.target == "/chunked":
        request.start()
        for _ in range(PIECES):
            request.chunk(PIECE)
        request.finish()
    else:
        request.start(content_length=SIZE)
        for _ in range(PIECES):
            request.send(PIECE)


@pytest.fixture(scope="module")
def gateway():
    with Upstream(transfer) as upstream, Gateway([service("m", upstream.address)]) as running:
        assert running.ask("POST", "/default/m/warm", b"up").status == 200
        yield running


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_download_of_100_mb(gateway, framing):
    with MemoryPeak(gateway) as memory, Client(gateway.address) as client:
        client.request("GET", f"/default/m/{framing}")
        first, fields = client.head()
        assert " 200 " in first
        assert ("content-length" in fields) == (framing == "length")
        assert digest(client.pieces(fields, is_request=False)) == DIGEST
    assert memory.peak < BOUND, f"{memory.peak >> 10} KB more while it lasted"


@pytest.mark.parametrize("expects", [False, True], ids=["at once", "after 100-continue"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_of_100_mb(gateway, framing, expects):
    fields = {"Host": "gateway.test"}
    fields |= {"Content-Length": SIZE} if framing == "length" else {"Transfer-Encoding": "chunked"}
    if expects:
        fields["Expect"] = "100-continue"
    with MemoryPeak(gateway) as memory, Client(gateway.address) as client:
        client.send(head_bytes("POST /default/m/upload HTTP/1.1", fields))
        if expects:
            assert client.head()[0].startswith("HTTP/1.1 100")
        for _ in range(PIECES):
            client.send(PIECE if framing == "length" else chunk(PIECE))
        if framing == "chunked":
            client.send(b"0\r\n\r\n")
        answer = client.response()
        assert (answer.status, answer.body) == (200, DIGEST.encode())
        assert client.ask("POST", "/default/m/upload", b"the next").status == 200
    assert memory.peak < BOUND, f"{memory.peak >> 10} KB more while it lasted"


def test_a_caller_that_expects_to_be_asked_is_not_asked_for_a_body_nobody_takes():
    with Gateway([service("m", queue={"maxRequests": 0})]) as gateway, Client(gateway.address) as client:
        client.request("POST", "/default/m/x", Content_Length=1000, Expect="100-continue")
        assert client.head()[0].split(" ")[1] == "429"


def test_an_answer_before_the_body_has_come_is_passed_on():
    def refuse(request):
        request.respond(400, b"no, thank you", connection="close")
        request.is_last = True

    with Upstream(refuse) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        # The upstream closes with bytes unread, which resets its connection: often while the gateway is writing to it.
        for _ in range(20):
            with Client(gateway.address) as client:
                client.request("POST", "/default/m/x", Content_Length=SIZE)
                client.send(PIECE)
                answer = client.response()
                assert (answer.status, answer.body) == (400, b"no, thank you")


def echo(request):
    """Answers with what came, a byte at a time."""
    text = json.dumps({"target": request.target, "body": request.read().decode()}).encode()
    if request.headers["x-framing"] == "chunked":
        head, body = head_bytes("HTTP/1.1 200 OK", {"Transfer-Encoding": "chunked"}), b""
        for start in range(0, len(text), 7):
            body += chunk(text[start : start + 7])
        body += b"0\r\nX-Trailer: yes\r\n\r\n"
    else:
        head, body = head_bytes("HTTP/1.1 200 OK", {"Content-Length": len(text)}), text
    request.wire.send_bytewise(head + body)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("route", ["path", "model in body"])
def test_messages_of_single_bytes_both_ways(framing, route):
    body = b'{"model": "outer", "text": "' + b"0123456789" * 10 + b'"}'
    inner = body.replace(b"outer", b"inner") if route == "model in body" else body
    target, upstream_target = ("/default/m/x", "/x") if route == "path" else ("/v1/completions", "/v1/completions")
    fields = {"Host": "gateway.test", "X-Framing": framing}
    if framing == "chunked":
        fields["Transfer-Encoding"] = "chunked"
        wire = b"".join(chunk(body[start : start + 9]) for start in range(0, len(body), 9)) + b"0\r\nX-Trailer: yes\r\n\r\n"
    else:
        fields["Content-Length"] = len(body)
        wire = body
    message = head_bytes(f"POST {target} HTTP/1.1", fields) + wire
    make = service if route == "path" else openai_service
    with Upstream(echo) as upstream, Gateway([make("m", upstream.address, model="inner", aliases=["outer"])]) as gateway:
        with Client(gateway.address) as client:
            for _ in range(2):
                client.send_bytewise(message)
                answer = client.response()
                assert answer.status == 200, answer
                assert json.loads(answer.body) == {"target": upstream_target, "body": inner.decode()}
            # Two in a row, the second before the first is answered.
            client.send_bytewise(message + message)
            for _ in range(2):
                assert json.loads(client.response().body)["body"] == inner.decode()
