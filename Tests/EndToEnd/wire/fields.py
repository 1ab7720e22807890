"""Field lines: their form, Host, Connection and its kin, what a gateway adds, and bounds."""
from wire.case import HOST, answered, forwarded, get, message, refused, sized, the_get, the_post

# A field that would be taken for framing if the line before it were read otherwise.
SMUGGLED = "Transfer-Encoding: chunked"

# Names of fields that the gateway takes off or sets, as CGI and WSGI servers would read them, too.
LOOKALIKES = (
    "Transfer_Encoding", "Content_Length", "transfer_Encoding", "Keep_Alive", "Proxy_Connection", "Proxy_Authorization",
    "X_Forwarded_For", "X-Forwarded_For", "X_Forwarded-Host", "X_FORWARDED_PROTO", "Max_Forwards", "pilotlight_pool", "Pilotlight_x",
)

LINES = [
    refused("9112 5.1", "a blank before the colon", 400, get("X : y")),
    refused("9112 5.1", "a tab before the colon", 400, get("X\t: y")),
    refused("9112 5.1", "a blank before the colon of a coding", 400, sized("0\r\n\r\n", "Transfer-Encoding : chunked")),
    refused("9112 5.1", "a vertical tab before the colon of a coding", 400, sized("0\r\n\r\n", "Transfer-Encoding\x0b: chunked")),
    refused("9112 5.1", "a blank before the colon of a length", 400, get("Content-Length : 5") + "hello"),
    refused("9112 5.2", "a folded value", 400, get("X: y", " z")),
    refused("9112 5.2", "a value folded by a tab", 400, get("X: y", "\tz")),
    refused("9112 5.2", "a coding in a folded value", 400, sized("0\r\n\r\n", "X: y", " " + SMUGGLED)),
    refused("9112 5.2", "a coding folded itself", (400, 501), sized("0\r\n\r\n", "Transfer-Encoding:", " chunked")),
    refused("9112 5.2", "a line of a blank only", 400, get("X: y", " ", "Z: z")),
    refused("9112 2.2", "a blank before the first field", 400, message("GET /g HTTP/1.1", " " + HOST, HOST, "")),
    refused("9112 2.2", "a tab before the first field", 400, message("GET /g HTTP/1.1", "\tX: y", HOST, "")),
    refused("9112 5", "no colon", 400, get("X")),
    refused("9112 5", "no name", 400, get(": y")),
    refused("9112 5", "a colon only", 400, get(":")),
    refused("9110 5.1", "a blank in a name", 400, get("X Y: z")),
    refused("9110 5.1", "a slash in a name", 400, get("X/Y: z")),
    refused("9110 5.1", "a parenthesis in a name", 400, get("X(Y: z")),
    refused("9110 5.1", "a comma in a name", 400, get("X,Y: z")),
    refused("9110 5.1", "a quote in a name", 400, get('X"Y: z')),
    refused("9110 5.1", "an at sign in a name", 400, get("X@Y: z")),
    refused("9110 5.1", "an equals sign in a name", 400, get("X=Y: z")),
    refused("9110 5.1", "braces in a name", 400, get("{X}: z")),
    refused("9110 5.1", "a backslash in a name", 400, get("X\\Y: z")),
    refused("9110 5.1", "NUL in a name", 400, get("X\x00Y: z")),
    refused("9110 5.1", "DEL in a name", 400, get("X\x7f: z")),
    refused("9110 5.1", "an octet past ASCII in a name", 400, get("X\xe9: z")),
    refused("9110 5.1", "NUL in the name of a coding", 400, sized("0\r\n\r\n", "Transfer-Encoding\x00: chunked")),
    refused("9112 2.2", "bare CR in a value", 400, get("X: y\rz")),
    refused("9112 2.2", "bare CR before a coding", 400, sized("0\r\n\r\n", "X: y\r" + SMUGGLED)),
    refused("9112 2.2", "bare LF before a coding", 400, sized("0\r\n\r\n", "X: y\n" + SMUGGLED)),
    refused("9112 2.2", "bare CR in a name", 400, get("X\rY: z")),
    refused("9112 2.2", "CR CR LF after a field", 400, get("X: y\r")),
    refused("9112 2.2", "LF after a field", 400, f"GET /g HTTP/1.1\r\n{HOST}\nX: y\r\n\r\n"),
    refused("9112 2.2", "LF for the empty line", 400, f"GET /g HTTP/1.1\r\n{HOST}\r\n\n"),
    refused("9112 2.2", "LF everywhere", 400, f"GET /g HTTP/1.1\n{HOST}\n\n"),
    refused("9112 2.2", "LF CR for line ends", 400, f"GET /g HTTP/1.1\n\r{HOST}\n\r\n\r"),
    refused("9112 2.2", "an empty line by CR only", 400, f"GET /g HTTP/1.1\r\n{HOST}\r\n\rX: y\r\n\r\n"),
    refused("9110 5.5", "NUL in a value", 400, get("X: y\x00z")),
    refused("9110 5.5", "an escape character in a value", 400, get("X: \x1b[1m")),
    refused("9110 5.5", "a backspace in a value", 400, get("X: y\x08")),
    refused("9110 5.5", "DEL in a value", 400, get("X: y\x7f")),
    forwarded("9110 5.5", "a value that is empty", get("X:"), the_get(has={"x": ""})),
    forwarded("9110 5.5", "a tab in a value", get("X: y\tz"), the_get(has={"x": "y\tz"})),
    forwarded("9110 5.5", "blanks around a value", get("X: \t y z\t "), the_get(has={"x": "y z"})),
    forwarded("9110 5.5", "no blank before a value", get("X:y"), the_get(has={"x": "y"})),
    forwarded("9110 5.5", "octets past ASCII in a value", get("X: caf\xc3\xa9 \xff\x80"), the_get(has={"x": "caf\xc3\xa9 \xff\x80"})),
    forwarded("9110 5.1", "every character that a name may have", get("!#$%&'*+-.^_`|~09AZaz: y"), the_get(has={"!#$%&'*+-.^_`|~09azaz": "y"})),
    forwarded("9110 5.5", "colons in a value", get("X:: y:"), the_get(has={"x": ": y:"})),
    forwarded("9110 5.3", "the same field twice keeps both", get("X: 1", "x: 2"), the_get()),
]

HOSTS = [
    refused("9112 3.2", "no Host", 400, message("GET /g HTTP/1.1", "X: y", "")),
    refused("9112 3.2", "no Host beside an absolute target", 400, message("GET http://owl.test/g HTTP/1.1", "X: y", "")),
    refused("9112 3.2", "Host twice, the same", 400, get(HOST)),
    refused("9112 3.2", "Host twice, different", 400, get("Host: evil.test")),
    refused("9112 3.2", "Host twice in HTTP/1.0", 400, message("GET /g HTTP/1.0", HOST, "host: evil.test", "")),
    refused("9110 4.2.1", "Host that is empty", 400, get(host="Host:", target="/default/owl/g")),
    refused("9112 3.2", "a list in Host", 400, get(host="Host: owl.test, evil.test")),
    refused("9112 3.2", "a blank in Host", 400, get(host="Host: owl.test evil.test")),
    refused("9112 3.2", "a path in Host", 400, get(host="Host: owl.test/g")),
    refused("9112 3.2", "a scheme in Host", 400, get(host="Host: http://owl.test")),
    refused("9110 4.2.4", "a user in Host", 400, get(host="Host: a@owl.test")),
    refused("9112 3.2", "a question mark in Host", 400, get(host="Host: owl.test?x")),
    refused("9112 3.2", "a fragment in Host", 400, get(host="Host: owl.test#x")),
    refused("9112 3.2", "a quote in Host", 400, get(host='Host: owl.test"')),
    refused("9112 3.2", "a backslash in Host", 400, get(host="Host: owl.test\\x")),
    refused("9112 3.2", "an octet past ASCII in Host", 400, get(host="Host: \xc3\xa9.test")),
    refused("9110 5.5", "NUL in Host", 400, get(host="Host: owl.test\x00")),
    refused("3986 3.2.3", "a port that is no number", 400, get(host="Host: owl.test:http")),
    refused("3986 3.2.3", "two ports", 400, get(host="Host: owl.test:80:90")),
    refused("3986 3.2.2", "a bracket that is not closed", 400, get(host="Host: [::1", target="/default/owl/g")),
    refused("3986 2.1", "a broken escape in Host", 400, get(host="Host: owl%zz.test", target="/default/owl/g")),
    forwarded("9112 3.2", "a port in Host", get(host="Host: owl.test:8080"), the_get(has={"host": "owl.test:8080"})),
    forwarded("3986 3.2.3", "an empty port in Host", get(host="Host: owl.test:"), the_get()),
    forwarded("9110 4.2.3", "Host in any case", get(host="hOST: OWL.Test"), the_get(has={"host": "OWL.Test"})),
    forwarded("3986 3.2.2", "an IPv6 address in Host", get(host="Host: [::1]:80", target="/default/owl/g"), the_get(has={"host": "[::1]:80"})),
    forwarded("9112 3.2", "no Host in HTTP/1.0", message("GET /default/owl/g HTTP/1.0", ""), the_get(has={
        "host": "owl.default.pilotlight.local", "forwarded": "for=127.0.0.1;proto=http"}, lacks=("x-forwarded-host",)), then="closed"),
    answered("9110 15.5.5", "a Host that nobody has", 404, get(host="Host: nobody.test")),
]

HOP_BY_HOP = [
    forwarded("9110 7.6.1", "a field that Connection names", get("Connection: X-Secret", "X-Secret: 1", "X-Kept: 2"), the_get(has={"x-kept": "2"}, lacks=("connection", "x-secret"))),
    forwarded("9110 7.6.1", "fields that Connection names in a list, in any case", get("Connection: keep-alive, ,X-SECRET ,\tx-other", "x-secret: 1", "X-Other: 2"), the_get(lacks=("connection", "x-secret", "x-other"))),
    forwarded("9110 7.6.1", "fields that a second Connection names", get("Connection: keep-alive", "X-Secret: 1", "Connection: x-secret"), the_get(lacks=("connection", "x-secret"))),
    forwarded("9110 7.6.1", "Connection cannot take Host away", get("Connection: Host"), the_get(has={"host": "owl.test"})),
    forwarded("9110 7.6.1", "Connection cannot take the length away", sized("hello", "Connection: Content-Length"), the_post("hello", has={"content-length": "5"})),
    forwarded("9110 7.6.1", "Connection cannot take the coding away", get("Connection: Transfer-Encoding", SMUGGLED) + "1\r\na\r\n0\r\n\r\n", the_get(body="a")),
    forwarded("9110 7.6.1", "Connection cannot take authentication away", get("Connection: Authorization", "Authorization: Bearer x"), the_get(has={"authorization": "Bearer x"})),
    forwarded("9110 7.6.1", "Connection cannot take the traces away", get("Connection: Via, Forwarded, X-Forwarded-For, X-Forwarded-Proto", "X-Forwarded-For: 9.9.9.9"), the_get(has={"via": "1.1 pilotlight", "x-forwarded-for": "9.9.9.9, 127.0.0.1", "x-forwarded-proto": "http"})),
    forwarded("9110 7.6.1", "32 options in Connection", get("Connection: " + "b, " * 31 + "X-Secret", "X-Secret: 1"), the_get(lacks=("connection", "x-secret"))),
    refused("6585 5", "33 options in Connection", 431, get("Connection: " + "b, " * 33)),
    forwarded("9110 7.6.1", "Keep-Alive and Proxy-Connection", get("Keep-Alive: timeout=5", "Proxy-Connection: keep-alive"), the_get(lacks=("keep-alive", "proxy-connection"))),
    forwarded("9110 10.1.4", "TE", get("TE: trailers, deflate", "Connection: TE"), the_get(lacks=("te", "connection"))),
    forwarded("9110 6.6.2", "Trailer", get("Trailer: X"), the_get(lacks=("trailer",))),
    forwarded("9110 11.7", "Proxy-Authorization", get("Proxy-Authorization: Basic eA=="), the_get(lacks=("proxy-authorization",))),
    forwarded("9110 7.8", "an upgrade to h2c", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"), the_get(lacks=("upgrade", "connection", "http2-settings"))),
    forwarded("9110 7.8", "Upgrade that Connection does not name", get("Upgrade: websocket"), the_get(lacks=("upgrade", "connection"))),
    forwarded("9110 7.8", "an upgrade beside a body", sized("hello", "Connection: Upgrade", "Upgrade: h2c"), the_post("hello", lacks=("upgrade", "connection"))),
    forwarded("9110 7.8", "an upgrade to WebSocket by POST", sized("hello", "Connection: Upgrade", "Upgrade: websocket"), the_post("hello", lacks=("upgrade", "connection"))),
    forwarded("6455 4.1", "an upgrade to WebSocket in HTTP/1.0", message("GET /g HTTP/1.0", HOST, "Connection: Upgrade", "Upgrade: websocket", ""), the_get(lacks=("upgrade", "connection")), then="closed"),
]

TRACES = [
    forwarded("7239 5", "the gateway says whom it forwards for", get(), the_get(has={
        "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": "owl.test",
        "forwarded": 'for=127.0.0.1;host="owl.test";proto=http', "via": "1.1 pilotlight"})),
    forwarded("7239 5", "it adds to what was said", get("X-Forwarded-For: 9.9.9.9", "Forwarded: for=9.9.9.9", "Via: 1.0 a"), the_get(has={
        "x-forwarded-for": "9.9.9.9, 127.0.0.1", "forwarded": 'for=9.9.9.9, for=127.0.0.1;host="owl.test";proto=http', "via": "1.0 a, 1.1 pilotlight"})),
    forwarded("9110 5.3", "of several lines it makes one", get("X-Forwarded-For: 8.8.8.8", "x-forwarded-for: 9.9.9.9"), the_get(has={"x-forwarded-for": "8.8.8.8, 9.9.9.9, 127.0.0.1"})),
    forwarded("7239 4", "the host of an absolute target", get(host="Host: evil.test", target="http://owl.test/g"), the_get(has={
        "host": "owl.test", "x-forwarded-host": "owl.test", "forwarded": 'for=127.0.0.1;host="owl.test";proto=http'})),
    forwarded("7239 4", "what an ingress before it has said holds", get("X-Forwarded-Proto: https", "X-Forwarded-Host: a.test"), the_get(has={"x-forwarded-proto": "https", "x-forwarded-host": "a.test"})),
    forwarded("7239 4", "a quoted string that does not end, said before", get('Forwarded: for="evil', "Forwarded: for=b"), the_get(has={
        "forwarded": 'for=b, for=127.0.0.1;host="owl.test";proto=http'})),
    forwarded("7239 4", "quoted strings that end, said before", get('Forwarded: for="[::1]";host="a,\\"b"'), the_get(has={
        "forwarded": 'for="[::1]";host="a,\\"b", for=127.0.0.1;host="owl.test";proto=http'})),
    forwarded("9110 7.6.3", "a comment that does not end, said before", get("Via: 1.1 a (x", "Via: 1.0 b (y)"), the_get(has={"via": "1.0 b (y), 1.1 pilotlight"})),
    forwarded("3875 4.1.18", "fields that servers take for the gateway's", get(*(f"{name}: x" for name in LOOKALIKES), "X_Kept: y"), the_get(
        has={"x_kept": "y", "x-forwarded-for": "127.0.0.1"}, lacks=tuple(name.lower() for name in LOOKALIKES))),
    forwarded("9110 5.1", "nobody else says pilotlight-...", get("pilotlight-pool: burst", "Pilotlight-Reason: x"), the_get(lacks=("pilotlight-pool", "pilotlight-reason"))),
    forwarded("Trace Context 3", "traceparent passes", get("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), the_get(has={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})),
]

BOUNDS = [
    forwarded("6585 5", "127 fields beside Host", get(*(f"X-{n}: y" for n in range(127))), the_get(has={"x-126": "y"})),
    refused("6585 5", "128 fields beside Host", 431, get(*(f"X-{n}: y" for n in range(128)))),
    forwarded("6585 5", "a value of 60,000 octets", get("X: " + "y" * 60_000), the_get(has={"x": "y" * 60_000})),
    refused("6585 5", "a value past 64 KiB", 431, get("X: " + "y" * 66_000)),
    refused("6585 5", "a name past 64 KiB", 431, get("X" * 66_000 + ": y")),
    refused("6585 5", "a head past 64 KiB of many fields", 431, get(*(f"X-{n}: {'y' * 1000}" for n in range(70)))),
    forwarded("9110 15.5.15", "a target of 16 KiB", get(target="/" + "g" * 16_383), the_get(target="/" + "g" * 16_383)),
    refused("9110 15.5.15", "a target past 16 KiB", 414, get(target="/" + "g" * 16_384)),
]


def options(*fields, target="/g"):
    return message(f"OPTIONS {target} HTTP/1.1", HOST, *fields, "")


HOPS = [
    answered("9110 7.6.2", "OPTIONS that has no hops left", 204, options("Max-Forwards: 0")),
    answered("9110 7.6.2", "OPTIONS of all that has no hops left", 204, options("Max-Forwards: 000", target="*")),
    forwarded("9110 7.6.2", "OPTIONS that has one hop left", options("Max-Forwards: 1"), the_get(method="OPTIONS", has={"max-forwards": "0"})),
    forwarded("9110 7.6.2", "OPTIONS that has more hops left than there are", options("max-forwards: " + "9" * 40), the_get(method="OPTIONS", has={"max-forwards": "999999"})),
    forwarded("9110 7.6.2", "OPTIONS of as many hops as it takes", options(), the_get(method="OPTIONS", lacks=("max-forwards",))),
    forwarded("9110 7.6.2", "Max-Forwards means nothing to GET", get("Max-Forwards: 0"), the_get(has={"max-forwards": "0"})),
    answered("9110 7.6.2", "hops that are no number", 400, options("Max-Forwards: -1")),
    answered("9110 7.6.2", "hops twice", 400, options("Max-Forwards: 1", "Max-Forwards: 0")),
    answered("9110 9.3.8", "TRACE", 405, message("TRACE /g HTTP/1.1", HOST, "")),
    answered("9110 9.3.8", "TRACE that has hops left", 405, message("TRACE /g HTTP/1.1", HOST, "Max-Forwards: 3", "")),
]

CASES = LINES + HOSTS + HOP_BY_HOP + TRACES + BOUNDS + HOPS
