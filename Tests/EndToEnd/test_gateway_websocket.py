"""WebSocket through the gateway: the handshake (RFC 6455, 4), and a tunnel that carries frames both ways."""
import base64
import hashlib
import os
import struct
import threading

import pytest

from gateway import Gateway, MemoryPeak, in_parallel, openai_service, service
from harness import eventually
from http_sockets import Client, Truncated, Upstream, head_bytes

TEXT, BINARY_DATA, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def frame(kind, data, masked):
    """One unfragmented frame (RFC 6455, 5.2); a client's are masked."""
    mask_bit = 0x80 if masked else 0
    if len(data) < 126:
        head = struct.pack("!BB", 0x80 | kind, mask_bit | len(data))
    elif len(data) < 1 << 16:
        head = struct.pack("!BBH", 0x80 | kind, mask_bit | 126, len(data))
    else:
        head = struct.pack("!BBQ", 0x80 | kind, mask_bit | 127, len(data))
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + masked_with(mask, data)


def masked_with(mask, data):
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(data), "big")


def read_frame(wire):
    """(kind, data) of the next frame."""

    def take(count):
        return b"".join(wire.exactly(count))

    first, second = take(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", take(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", take(8))
    mask = take(4) if second & 0x80 else None
    data = take(length)
    return first & 0x0F, masked_with(mask, data) if mask else data


def echo(request):
    """Upgrades, and sends each frame back until a close frame comes; on `bye` it closes by itself."""
    if request.target == "/refused":
        return request.respond(400, b"not today", x_why="because")
    assert request.headers["upgrade"].lower() == "websocket" and "upgrade" in request.headers["connection"].lower()
    request.is_last = True
    key = request.headers["sec-websocket-key"]
    fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept_key(key)}
    greeting = frame(TEXT, b"hello", masked=False) if request.target == "/hello" else b""
    request.send(head_bytes("HTTP/1.1 101 Switching Protocols", fields) + greeting)
    while True:
        kind, data = read_frame(request.wire)
        if data == b"bye":
            request.send(frame(CLOSE, struct.pack("!H", 1000), masked=False))
            return request.wire.close()
        request.send(frame({PING: PONG}.get(kind, kind), data, masked=False))
        if kind == CLOSE:
            return request.wire.close()


class WebSocket(Client):
    """A client of one WebSocket."""

    def upgrade(self, target):
        self.key = base64.b64encode(os.urandom(16)).decode()
        self.request(
            "GET", target, Connection="keep-alive, Upgrade", Upgrade="websocket", Sec_WebSocket_Version=13,
            Sec_WebSocket_Key=self.key,
        )

    def upgraded(self):
        first, fields = self.head()
        assert first.split(" ")[1] == "101", (first, fields)
        assert fields["upgrade"].lower() == "websocket" and fields["connection"].lower() == "upgrade"
        assert fields["sec-websocket-accept"] == accept_key(self.key)
        return fields

    def say(self, data, kind=TEXT):
        self.send(frame(kind, data, masked=True))

    def hear(self):
        return read_frame(self)


@pytest.fixture(scope="module")
def upstream():
    with Upstream(echo) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream):
    services = [service("m", upstream.address), openai_service("talk", upstream.address), service("sleeper")]
    with Gateway(services) as running:
        yield running


def in_flight(gateway):
    return gateway.metric("in_flight_requests")


@pytest.mark.parametrize("name", ["m", "talk"], ids=["http", "openai"])
def test_frames_go_both_ways(gateway, name):
    with WebSocket(gateway.address) as socket:
        socket.upgrade(f"/default/{name}/v1/realtime?model=x")
        socket.upgraded()
        for text in (b"one", b"", "zwei".encode() * 100):
            socket.say(text)
            assert socket.hear() == (TEXT, text)
        socket.say(b"are you there", PING)
        assert socket.hear() == (PONG, b"are you there")
        assert in_flight(gateway) == 1
        socket.say(struct.pack("!H", 1000), CLOSE)
        assert socket.hear() == (CLOSE, struct.pack("!H", 1000))
        assert socket.is_closed(within=10)
    eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


def test_what_comes_with_the_handshake_is_not_lost(gateway):
    with WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/hello")
        socket.upgraded()
        assert socket.hear() == (TEXT, b"hello")


def test_large_messages_go_both_ways_in_little_memory(gateway):
    data = os.urandom(1 << 20) * 16
    with MemoryPeak(gateway) as memory, WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/x")
        socket.upgraded()
        # The echo begins when all has come; a thread sends so that neither side waits for the other.
        sender = threading.Thread(target=lambda: [socket.say(data, BINARY_DATA) for _ in range(4)])
        sender.start()
        for _ in range(4):
            kind, came = socket.hear()
            assert kind == BINARY_DATA and came == data
        sender.join(10)
    assert memory.peak < 2 << 20, f"{memory.peak >> 10} KB more for 128 MB both ways"


def test_a_close_by_the_upstream_reaches_the_client(gateway):
    with WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/x")
        socket.upgraded()
        socket.say(b"bye")
        assert socket.hear()[0] == CLOSE
        assert socket.is_closed(within=10)
    eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_vanishes_closes_the_tunnel(gateway, upstream, how):
    before = len(upstream.requests)
    socket = WebSocket(gateway.address)
    socket.upgrade("/default/m/x")
    socket.upgraded()
    getattr(socket, how)()
    assert upstream.requests[before].is_over.wait(5), "the upstream's connection is still open"
    eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


def test_an_upstream_that_dies_closes_the_tunnel():
    with Upstream(echo) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        with WebSocket(gateway.address) as socket:
            socket.upgrade("/default/m/x")
            socket.upgraded()
            upstream.close()
            assert socket.is_closed(within=10)
        eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


def test_a_refused_handshake_is_an_ordinary_answer(gateway):
    with WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/refused")
        answer = socket.response()
        assert (answer.status, answer.body, answer.headers["x-why"]) == (400, b"not today", "because")
        assert "upgrade" not in answer.headers
        # It is still HTTP: the connection goes on, or was closed; it is no tunnel.
        if answer.headers.get("connection", "").lower() != "close":
            assert socket.ask("GET", "/healthz").status == 200
    eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


def test_an_upgrade_nobody_asked_for_is_a_bad_gateway():
    def answer(request):
        request.start(101, Upgrade="websocket", Connection="Upgrade")
        request.is_last = True

    with Upstream(answer) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        assert gateway.ask("GET", "/default/m/x").status == 502


def test_a_tunnels_connection_is_not_used_again(gateway, upstream):
    def talk(_):
        with WebSocket(gateway.address) as socket:
            socket.upgrade("/default/m/x")
            socket.upgraded()
            socket.say(b"hi")
            assert socket.hear() == (TEXT, b"hi")
            socket.say(b"bye")
            assert socket.hear()[0] == CLOSE

    before = len(upstream.requests)
    for _ in range(3):
        in_parallel(8, talk)
    connections = [request.connection for request in upstream.requests[before:]]
    assert len(connections) == len(set(connections)) == 24


def test_a_handshake_with_a_sleeping_model_is_held_and_then_tunnelled(upstream):
    with Gateway([service("m")]) as gateway, WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/x")
        eventually(lambda: gateway.metric("held_requests") == 1, "the handshake held", 10)
        gateway.reload([service("m", upstream.address)])
        fields = socket.upgraded()
        assert int(fields["pilotlight-queued-ms"]) > 0
        socket.say(b"awake?")
        assert socket.hear() == (TEXT, b"awake?")
        assert gateway.metric("held_requests") == 0 and in_flight(gateway) == 1


def test_a_tunnel_with_one_end_does_not_wait_for_ever_for_the_other(upstream):
    flags = ("--idle-timeout=1s", "--write-timeout=1s")
    with Gateway([service("m", upstream.address)], *flags) as gateway, WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/x")
        socket.upgraded()
        socket.say(b"bye")
        assert socket.hear()[0] == CLOSE
        # The upstream has closed; this client never does.
        eventually(lambda: in_flight(gateway) == 0, "nothing in flight", 10)


def test_a_client_that_leaves_before_its_model_wakes_is_no_longer_held(gateway):
    with WebSocket(gateway.address) as socket:
        socket.upgrade("/default/sleeper/x")
        eventually(lambda: gateway.metric("held_requests") == 1, "the handshake held", 10)
    eventually(lambda: gateway.metric("held_requests") == 0, "none held", 5)


def test_a_tunnel_outlives_idle_timeouts():
    flags = ("--idle-timeout=500ms", "--head-timeout=500ms", "--body-timeout=500ms", "--write-timeout=500ms")
    with Upstream(echo) as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        with WebSocket(gateway.address, timeout=2) as socket:
            socket.upgrade("/default/m/x")
            socket.upgraded()
            with pytest.raises(TimeoutError):
                socket.hear()
            socket.say(b"still there?")
            assert socket.hear() == (TEXT, b"still there?")


def test_a_tunnel_runs_on_while_the_gateway_drains(upstream):
    flags = ("--shutdown-delay=0s", "--shutdown-drain=60s")
    with Gateway([service("m", upstream.address)], *flags) as gateway, WebSocket(gateway.address) as socket:
        socket.upgrade("/default/m/x")
        socket.upgraded()
        gateway.terminate()

        def is_deaf():
            try:
                gateway.ask("GET", "/healthz")
            except (OSError, Truncated):
                return True

        eventually(is_deaf, "no more connections accepted", 10)
        socket.say(b"still there?")
        assert socket.hear() == (TEXT, b"still there?")
        assert gateway.process.poll() is None
        socket.say(b"bye")
        assert socket.hear()[0] == CLOSE
        socket.close()
        assert gateway.process.wait(20) == 0
