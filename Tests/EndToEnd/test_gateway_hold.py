"""Requests that wait: what the rules make of them, what they are told, and what has begun before the answer."""
import json
import socket
import time

import pytest

from gateway import Gateway, MemoryPeak, openai_service, service
from harness import eventually
from http_sockets import Client, Upstream


def named(request):
    """Answers with the port that was asked."""
    request.respond(200, str(request.wire.socket.getsockname()[1]).encode())


@pytest.mark.parametrize("count", [0, 100, 114, 118, 120, 122])
def test_no_caller_escapes_the_rules_by_many_fields(count):
    with Upstream(named) as one, Upstream(named) as other:
        endpoints = [{"address": one.address, "pool": "dedicated"}, {"address": other.address, "pool": "burst"}]
        rules = [{"name": "all", "order": ["Burst"], "urgency": 6}]
        with Gateway([service("m", endpoints=endpoints, rules=rules)]) as gateway:
            fields = {f"X-{number}": "1" for number in range(count)}
            answer = gateway.ask("POST", "/default/m/x", b"{}", **fields)
            assert answer.status == 200 and answer.body == str(other.port).encode()
            assert answer.headers["pilotlight-pool"] == "burst"


def test_a_wait_that_was_in_vain_is_told():
    with Gateway([service("m")]) as gateway:
        answer = gateway.ask("POST", "/default/m/x", b"{}", Prefer="wait=1")
        assert answer.status == 503 and int(answer.headers["pilotlight-queued-ms"]) >= 1000


@pytest.mark.parametrize("fields", [{"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}, {"Upgrade": "x"}])
def test_an_offer_of_http_2_wakes_nobody(fields):
    with Gateway([openai_service("m")]) as gateway:
        assert gateway.ask("GET", "/default/m/health", **fields).status == 503
        assert gateway.metric("cold_starts_total") == 0


class Held:
    """A held request that has asked for comments, and has had one."""

    def __init__(self, gateway, upstream, method="POST", body=b"{}", **fields):
        self.client = Client(gateway.address)
        self.client.request(method, "/default/m/x", body, pilotlight_keep_alive=1, **fields)
        self.gateway, self.upstream = gateway, upstream

    def wake(self):
        self.gateway.reload([service("m", self.upstream.address)])


def test_a_long_answer_after_comments_is_whole():
    document = json.dumps({"data": [index / 7 for index in range(20_000)]}, indent=1).encode()
    with Upstream(lambda request: request.respond(200, document, content_type="application/json")) as upstream:
        with Gateway([service("m")]) as gateway:
            held = Held(gateway, upstream)
            first, _ = held.client.head()
            assert " 200 " in first
            pieces = held.client.chunks()
            assert next(pieces).startswith(b": ")
            held.wake()
            text = b"".join(pieces)
            data = [line[6:] for line in text.splitlines() if line.startswith(b"data: ")]
            assert b"\n".join(data) == document and len(document) > 200_000


def test_a_caller_that_waits_to_be_asked_is_asked_before_the_comments():
    with Upstream(lambda request: request.respond(200, request.read())) as upstream, Gateway([service("m")]) as gateway:
        held = Held(gateway, upstream, body=None, Expect="100-continue", Content_Length=5)
        assert held.client.head()[0].startswith("HTTP/1.1 100")
        assert " 200 " in held.client.head()[0]
        pieces = held.client.chunks()
        assert next(pieces).startswith(b": ")
        held.client.send(b"hello")
        held.wake()
        # Nothing but chunks from here on.
        assert b"".join(pieces).endswith(b"data: hello\n\n")
        assert held.client.ask("GET", "/default/m/x").status == 200


def test_a_tunnel_does_not_begin_with_comments():
    def answer(request):
        request.start(101, upgrade="websocket", connection="Upgrade")
        request.send(b"frames")
        request.close()

    with Upstream(answer) as upstream, Gateway([service("m")]) as gateway:
        held = Held(gateway, upstream, "GET", None, Connection="Upgrade", Upgrade="websocket")
        eventually(lambda: gateway.metric("held_requests") == 1, "held")
        time.sleep(1.5)
        held.wake()
        assert held.client.head()[0].startswith("HTTP/1.1 101")
        assert b"".join(held.client.until_end()) == b"frames"


class Deaf(Upstream):
    """Takes connections and reads nothing, so that little fits into the kernel's buffers."""

    def open(self, port=0):
        super().open(port)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def test_a_kept_body_is_kept_once():
    size, count = 7 << 20, 6
    body = json.dumps({"model": "m", "prompt": "x" * size}).encode()
    with Deaf(lambda request: request.is_over.wait(60)) as upstream, Gateway([openai_service("m", upstream.address)]) as gateway:
        with MemoryPeak(gateway) as memory:
            clients = [Client(gateway.address) for _ in range(count)]
            for client in clients:
                client.request("POST", "/v1/completions", body, Content_Type="application/json")
            eventually(lambda: gateway.metric("held_bytes") >= count * size, "all kept", 30)
            time.sleep(0.5)
        # One of them twice, while it is made ready.
        assert memory.peak < 1.4 * count * len(body), f"{memory.peak / count / len(body):.2f} times what was sent"
        for client in clients:
            client.close()


def test_an_answer_in_a_coding_is_no_part_of_a_stream_that_has_begun():
    codings = []

    def coded(request):
        codings.append(request.headers.get("accept-encoding"))
        request.respond(200, b"\x1f\x8bzipped", content_encoding="gzip")

    with Upstream(coded) as upstream, Gateway([service("m")]) as gateway:
        held = Held(gateway, upstream, Accept_Encoding="gzip")
        held.client.head()
        pieces = held.client.chunks()
        next(pieces)
        held.wake()
        text = b"".join(pieces)
        assert codings == [None] and b"event: error" in text and b"zipped" not in text


def test_every_answer_tells_its_time_once():
    with Upstream() as upstream, Gateway([service("m", upstream.address)]) as gateway:
        for target, status in {"/default/m/x": 200, "/healthz": 200, "/nothing": 404}.items():
            answer = gateway.ask("GET", target)
            assert answer.status == status and answer.headers["date"].endswith(" GMT") and answer.headers["date"].count("GMT") == 1
