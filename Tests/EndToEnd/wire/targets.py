"""The start line: method, target in its four forms, version; and the model that a body names."""
from wire.case import CHUNKED, HOST, answered, forwarded, get, message, post, refused, rejected, sized, the_get, the_post

BY_PATH = "Host: gateway.test"

START_LINES = [
    refused("9112 3", "two blanks after the method", 400, f"GET  /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "two blanks before the version", 400, f"GET /g  HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "tabs for blanks", 400, f"GET\t/g\tHTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "a blank before the method", 400, f" GET /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "a blank after the version", 400, f"GET /g HTTP/1.1 \r\n{HOST}\r\n\r\n"),
    refused("9112 3.2", "a blank in the target", 400, f"GET /g h HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "no target", 400, f"GET HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "a target that is empty", 400, f"GET  HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 3", "a method only", 400, "GET\r\n\r\n"),
    refused("9112 3", "no method", 400, f"/g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.2", "LF after the start line", 400, f"GET /g HTTP/1.1\n{HOST}\r\n\r\n"),
    refused("9112 2.2", "CR in the start line", 400, f"GET /g\r HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.2", "CR CR LF after the start line", 400, f"GET /g HTTP/1.1\r\r\n{HOST}\r\n\r\n"),
    refused("9112 2.2", "LF before the start line", 400, "\n" + get()),
    refused("9112 2.2", "two empty lines before the start line", 400, "\r\n\r\n" + get()),
    forwarded("9112 2.2", "an empty line before the start line", "\r\n" + get(), the_get()),
    refused("9112 2", "a ClientHello of TLS", 400, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x0a" + "\r\n\r\n"),
    refused("9112 2", "a byte order mark", 400, "\xef\xbb\xbf" + get()),
    refused("9112 2", "an HTTP response", 400, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    refused("9110 9.1", "a parenthesis in the method", 400, f"G(T /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9110 9.1", "a colon in the method", 400, f"GET: /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9110 9.1", "NUL in the method", 400, f"G\x00T /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    refused("9110 9.1", "an octet past ASCII in the method", 400, f"G\xe9T /g HTTP/1.1\r\n{HOST}\r\n\r\n"),
    forwarded("9110 9.1", "a method of WebDAV", message("PROPFIND /g HTTP/1.1", HOST, ""), the_get(method="PROPFIND")),
    forwarded("9110 9.1", "methods are case-sensitive", message("get /g HTTP/1.1", HOST, ""), the_get(method="get")),
    forwarded("9110 9.1", "every character that a method may have", message("!#$%&'*+-.^_`|~09AZaz /g HTTP/1.1", HOST, ""), the_get(method="!#$%&'*+-.^_`|~09AZaz")),
    forwarded("9110 9.3.2", "HEAD", message("HEAD /h HTTP/1.1", HOST, ""), the_get(method="HEAD", target="/h")),
    forwarded("9110 9.3.5", "DELETE with a body", message("DELETE /p HTTP/1.1", HOST, "Content-Length: 5", body="hello"), the_post("hello", method="DELETE")),
]

VERSIONS = [
    refused("9112 3", "HTTP/0.9", 400, "GET /g\r\n\r\n"),
    refused("9112 2.3", "no digits", 400, f"GET /g HTTP\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "lower case", 400, f"GET /g http/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "another protocol", 400, f"GET /g HTTPS/1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "a minor version of two digits", 400, f"GET /g HTTP/1.10\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "a major version of two digits", 400, f"GET /g HTTP/01.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "no minor version", 400, f"GET /g HTTP/1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "a comma for the point", 400, f"GET /g HTTP/1,1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "a blank in the version", 400, f"GET /g HTTP/ 1.1\r\n{HOST}\r\n\r\n"),
    refused("9112 2.3", "something after the version", 400, f"GET /g HTTP/1.1x\r\n{HOST}\r\n\r\n"),
    refused("9110 15.6.6", "HTTP/2.0", 505, f"GET /g HTTP/2.0\r\n{HOST}\r\n\r\n"),
    refused("9110 15.6.6", "HTTP/0.9 by name", 505, f"GET /g HTTP/0.9\r\n{HOST}\r\n\r\n"),
    refused("9113 3.4", "the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    forwarded("9112 2.3", "a higher minor version is spoken to as 1.1", f"GET /g HTTP/1.2\r\n{HOST}\r\n\r\n", the_get()),
    forwarded("9112 9.3", "HTTP/1.0 goes on as 1.1", message("GET /g HTTP/1.0", HOST, ""), the_get(), then="closed"),
]

FORMS = [
    forwarded("9112 3.2.2", "an absolute target", get(target="http://owl.test/g?q=1"), the_get(target="/g?q=1", has={"host": "owl.test"})),
    forwarded("9112 3.2.2", "an absolute target outranks Host", get(target="http://owl.test/g", host="Host: evil.test"), the_get(has={"host": "owl.test"})),
    forwarded("3986 3.1", "a scheme in upper case", get(target="HTTP://owl.test/g"), the_get(has={"host": "owl.test"})),
    forwarded("9112 3.2.2", "a port in an absolute target", get(target="http://owl.test:8080/g"), the_get(has={"host": "owl.test:8080"})),
    forwarded("9110 4.2.3", "an absolute target without a path", get(target="http://owl.test"), the_get(target="/")),
    forwarded("9110 4.2.3", "an absolute target of a query only", get(target="http://owl.test?q"), the_get(target="/?q")),
    forwarded("9112 3.2.4", "an absolute target of OPTIONS without a path", message("OPTIONS http://owl.test HTTP/1.1", HOST, ""), the_get(method="OPTIONS", target="*")),
    forwarded("9112 3.2.4", "an absolute target of OPTIONS with a path", message("OPTIONS http://owl.test/ HTTP/1.1", HOST, ""), the_get(method="OPTIONS", target="/")),
    answered("9112 3.2.2", "Host does not count beside an absolute target", 404, get(target="http://evil.test/g")),
    rejected("9110 7.4", "https on a connection without TLS", (400, 421), get(target="https://owl.test/g")),
    rejected("9112 3.2.2", "a scheme that is not HTTP", 400, get(target="ftp://owl.test/g")),
    rejected("9110 4.2.4", "a user in an absolute target", 400, get(target="http://a@owl.test/g")),
    rejected("9110 4.2.4", "a user in an absolute target, by path", 400, get(target="http://a:b@gateway.test/default/owl/g")),
    rejected("9110 4.2.1", "an absolute target without a host", 400, get(target="http:///g")),
    refused("9112 3.2", "an absolute target with one slash", 400, get(target="http:/owl.test/g")),
    rejected("3986 3.2", "a quote in the host of an absolute target", 400, get(target='http://a";for=b/default/owl/g')),
    rejected("3986 3.2", "a backslash in the host of an absolute target", 400, get(target="http://owl.test\\.evil.test/default/owl/g")),
    rejected("3986 3.2.3", "a port that is no number in an absolute target", 400, get(target="http://owl.test:8a/g")),
    refused("9112 3.2", "a fragment in an absolute target", 400, get(target="http://owl.test/g#f")),
    refused("9112 3.2", "a fragment", 400, get(target="/g#f")),
    refused("9112 3.2", "a fragment after a query", 400, get(target="/g?q#f")),
    refused("9112 3.2", "a path that does not start with a slash", 400, get(target="g")),
    refused("9112 3.2", "a host for a target", 400, get(target="owl.test:80")),
    refused("9112 3.2", "a query for a target", 400, get(target="?q")),
    refused("9112 3.2.4", "an asterisk with GET", 400, get(target="*")),
    refused("9112 3.2.4", "more than an asterisk", 400, message("OPTIONS *x HTTP/1.1", HOST, "")),
    forwarded("9112 3.2.4", "an asterisk with OPTIONS", message("OPTIONS * HTTP/1.1", HOST, ""), the_get(method="OPTIONS", target="*")),
    rejected("9110 9.3.6", "CONNECT", (400, 405, 501), message("CONNECT owl.test:80 HTTP/1.1", HOST, "")),
    rejected("9110 9.3.6", "CONNECT with an absolute target", (400, 405, 501), message("CONNECT http://owl.test/g HTTP/1.1", HOST, "")),
    rejected("9110 9.3.6", "CONNECT with a path", (400, 405, 501), message("CONNECT /g HTTP/1.1", HOST, "")),
    rejected("9110 9.3.6", "CONNECT with an asterisk", (400, 405, 501), message("CONNECT * HTTP/1.1", HOST, "")),
    refused("9110 4.2", "NUL in the target", 400, get(target="/g\x00")),
    refused("9110 4.2", "DEL in the target", 400, get(target="/g\x7f")),
    refused("9110 4.2", "a tab in the target", 400, get(target="/g\th")),
    refused("9110 4.2", "an octet past ASCII in the target", 400, get(target="/caf\xc3\xa9")),
]

PATHS = [
    forwarded("3986 3.3", "a service by its path", get(target="/default/owl/g?q=/../x", host=BY_PATH), the_get(target="/g?q=/../x")),
    forwarded("3986 5.2.4", "dot segments before the service", get(target="/default/x/../owl/g", host=BY_PATH), the_get()),
    forwarded("3986 6.2.2.2", "encoded dot segments before the service", get(target="/default/x/%2e%2e/owl/g", host=BY_PATH), the_get()),
    forwarded("3986 6.2.2.2", "half encoded dot segments", get(target="/default/x/.%2E/owl/%2e/g", host=BY_PATH), the_get()),
    forwarded("3986 5.2.4", "a single dot", get(target="/default/./owl/./g", host=BY_PATH), the_get()),
    forwarded("3986 5.2.4", "dot segments within the service", get(target="/default/owl/a/../b/./c", host=BY_PATH), the_get(target="/b/c")),
    forwarded("3986 5.2.4", "dot segments at the end", get(target="/a/b/.."), the_get(target="/a/")),
    forwarded("3986 5.2.4", "more dot segments than there are levels", get(target="/../../g"), the_get()),
    forwarded("3986 5.2.4", "dots that are no dot segment", get(target="/.../.g/g./..g"), the_get(target="/.../.g/g./..g")),
    forwarded("3986 2.4", "dots encoded twice are no dot segment", get(target="/a/%252e%252e/g"), the_get(target="/a/%252e%252e/g")),
    forwarded("3986 3.3", "an encoded slash is no slash", get(target="/a/b%2fg"), the_get(target="/a/b%2Fg")),
    rejected("3986 7.3", "a dot segment before an encoded slash", 400, get(target="/a/..%2fg")),
    rejected("3986 7.3", "a dot segment behind an encoded slash", 400, get(target="/x%2f..%2f..%2fv1/chat")),
    rejected("3986 7.3", "an encoded dot segment behind an encoded backslash", 400, get(target="/x%5c%2e%2e%5cy")),
    answered("3986 5.2.4", "dot segments out of the service", 404, get(target="/default/owl/../x/g", host=BY_PATH)),
    answered("3986 5.2.4", "encoded dot segments out of the service", 404, get(target="/default/owl/%2e%2e/x/g", host=BY_PATH)),
    answered("3986 5.2.4", "dot segments to the gateway's own health", 200, get(target="/default/owl/../../healthz", host=BY_PATH)),
    answered("3986 3.3", "a semicolon makes no dot segment", 404, get(target="/default/x/..;/owl/g", host=BY_PATH)),
    forwarded("3986 3.3", "two slashes are one", get(target="//default/owl/g", host=BY_PATH), the_get()),
    forwarded("3986 3.3", "two slashes before the service", get(target="/default//owl/g", host=BY_PATH), the_get()),
    forwarded("3986 3.3", "slashes after the service", get(target="/default/owl//g///h//", host=BY_PATH), the_get(target="/g/h/")),
    forwarded("3986 3.3", "slashes where the host names the service", get(target="//g"), the_get()),
    forwarded("3986 3.3", "the service's root", get(target="/default/owl", host=BY_PATH), the_get(target="/")),
    rejected("3986 2", "a backslash in a path", 400, get(target="/default/x\\..\\owl/g", host=BY_PATH)),
    rejected("3986 7.3", "an encoded NUL in a path", 400, get(target="/g%00")),
    rejected("3986 2.1", "an escape of no hexadecimal digits", 400, get(target="/g%zz")),
    rejected("3986 2.1", "an escape cut short", 400, get(target="/g%2")),
    forwarded("3986 6.2.2.2", "escapes that need not be are decoded", get(target="/%67%2F%C3%a9?%67%c3"), the_get(target="/g%2F%C3%A9?%67%c3")),
    forwarded("3986 6.2.2.2", "escapes in the service's name", get(target="/%64efault/ow%6C/g", host=BY_PATH), the_get()),
    forwarded("9112 3.2", "characters that many clients send unencoded", get(target='/g?a={"b":["c|d^`"]}'), the_get(target='/g?a={"b":["c|d^`"]}')),
]

CHAT = "/v1/chat/completions"


def asks(body, *fields):
    return sized(body, *fields, target=CHAT, host=BY_PATH)


def the_chat(body, **what):
    return the_post(body, target=CHAT, **what)


MODELS = [
    forwarded("8259 4", "the model is found in the body, and renamed", asks('{"model":"lark","a":[1]}'), the_chat('{"model":"org/Lark","a":[1]}', has={"content-length": "28"})),
    forwarded("9112 7.1", "a chunked body is searched, and sent with its length", post(CHUNKED, target=CHAT, host=BY_PATH, body='8\r\n{"model"\r\n8\r\n:"lark"}\r\n0\r\n\r\n'), the_chat('{"model":"org/Lark"}', lacks=("transfer-encoding",))),
    answered("8259 4", "two models", 400, asks('{"model":"none","model":"lark"}')),
    answered("8259 4", "the same model twice", 400, asks('{"model":"lark","model":"lark"}')),
    answered("8259 4", "a second model in escapes", 400, asks('{"model":"lark","mod\\u0065l":"owl"}')),
    answered("8259 4", "a model in another case", 400, asks('{"Model":"lark"}')),
    answered("8259 4", "a second model in another case", 400, asks('{"model":"lark","MODEL":"owl"}')),
    answered("8259 4", "two models, where the head names the service", 400, sized('{"model":"lark","model":"x"}', "Content-Type: application/json", target="/default/lark/v1/x", host=BY_PATH)),
    forwarded("8259 7", "a model in escapes", asks('{"mod\\u0065l":"l\\u0061rk"}'), the_chat('{"mod\\u0065l":"org/Lark"}')),
    forwarded("9112 9.3.2", "two models' requests in one piece", asks('{"model":"lark"}') + asks('{"model":"owl"}'), the_chat('{"model":"org/Lark"}'), the_chat('{"model":"owl"}')),
    forwarded("9112 3.2", "no Host in HTTP/1.0, and the model in the body", message("POST /v1/x HTTP/1.0", "Content-Length: 16", body='{"model":"lark"}'), the_post(
        '{"model":"org/Lark"}', target="/v1/x", has={"host": "pilotlight.local"}), then="closed"),
    answered("9110 15.5.1", "a body that is no JSON", 400, asks("model=lark")),
    answered("8259 2", "something after the JSON", 400, asks('{"model":"lark"}{}')),
    answered("8259 8.1", "a model that is no Unicode", 400, asks('{"model":"\xff"}')),
    answered("9110 15.5.1", "a body without a model", 400, asks("{}")),
    answered("9110 15.5.5", "a model that nobody has", 404, asks('{"model":"no"}')),
    answered("9110 15.5.1", "no body", 400, post(target=CHAT, host=BY_PATH)),
    refused("9110 15.5.14", "a body longer than is searched", 413, post("Content-Length: 2000000", target=CHAT, host=BY_PATH)),
    refused("9112 6.3", "both framings before a model", 400, post("Content-Length: 16", CHUNKED, target=CHAT, host=BY_PATH, body='{"model":"lark"}')),
    refused("9112 7.1", "a bad chunk within a model", 400, post(CHUNKED, target=CHAT, host=BY_PATH, body='8\r\n{"model"\r\nx\r\n')),
]

CASES = START_LINES + VERSIONS + FORMS + PATHS + MODELS
