"""What a stranger can do to the gateway: send slowly, never read, open too much, send too much."""
import threading
import time

import pytest

from gateway import POOLED, Gateway, MemoryPeak, in_parallel, service
from harness import eventually
from http_sockets import Client, Truncated, Upstream


def trickle(client, data, stop):
    """Sends a byte each 100 ms until all are sent or the other side has closed."""
    for byte in data:
        if stop.wait(0.1):
            return
        try:
            client.send(bytes([byte]))
        except ConnectionError:
            return


def refusal(client):
    """The status of the answer, or None where the connection was closed without one."""
    try:
        head = client.head()
    except ConnectionError:
        head = None
    return head and int(head[0].split(" ")[1])


HEAD = b"GET /default/m/x HTTP/1.1\r\nHost: gateway.test\r\nX-Long: " + b"a" * 1000 + b"\r\n\r\n"


def test_slow_heads_are_cut_and_others_served():
    stop = threading.Event()
    with Upstream() as upstream, Gateway([service("m", upstream.address)], "--head-timeout=1s") as gateway:
        clients = [Client(gateway.address) for _ in range(50)]
        threads = [threading.Thread(target=trickle, args=(client, HEAD, stop), daemon=True) for client in clients]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        with Client(gateway.address) as neighbour:
            while any(thread.is_alive() for thread in threads) and time.monotonic() < began + 8:
                assert neighbour.ask("GET", "/default/m/x").status == 200
                time.sleep(0.05)
        stop.set()
        assert {refusal(client) for client in clients} <= {None, 408}
        assert time.monotonic() < began + 8, "slow heads were not cut"
        assert all(request.target == "/x" and "x-long" not in request.headers for request in upstream.requests)


def test_a_head_that_stops_half_way_is_cut():
    with Gateway([service("m")], "--head-timeout=500ms") as gateway, Client(gateway.address) as client:
        client.send(HEAD[:-2])
        assert client.is_closed(within=10)


def test_a_connection_without_a_request_is_closed_when_its_time_is_over():
    with Gateway([service("m")], "--idle-timeout=1s", "--head-timeout=1s") as gateway:
        with Client(gateway.address) as fresh, Client(gateway.address) as used:
            assert used.ask("GET", "/healthz").status == 200
            assert fresh.is_closed(within=10) and used.is_closed(within=10)


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/default/m/x"], ids=["model in body", "streamed"])
def test_a_body_that_stops_half_way_is_cut(target, framing):
    with Upstream(lambda request: (request.read(), request.respond())) as upstream:
        with Gateway([service("m", upstream.address)], "--body-timeout=1s") as gateway:
            with Client(gateway.address) as client, Client(gateway.address) as neighbour:
                if framing == "chunked":
                    client.request("POST", target, Transfer_Encoding="chunked", Content_Type="application/json")
                    client.send(b'5\r\n{"mod')
                else:
                    client.request("POST", target, Content_Length=100_000, Content_Type="application/json")
                    client.send(b'{"mod')
                assert neighbour.ask("POST", "/default/m/x", b"a body").status == 200
                assert refusal(client) in (408, None)
                assert client.is_closed(within=10)
            eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 10)
            eventually(lambda: upstream.connections <= 1, "the upstream's connection closed", 10)


def test_a_client_that_never_reads_stops_its_upstream_and_is_cut():
    sent = []

    def endless(request):
        request.start(content_type="text/event-stream")
        while True:
            request.chunk(b"data: " + b"x" * 8000 + b"\n\n")
            sent.append(time.monotonic())

    with Upstream(endless) as upstream, Gateway([service("m", upstream.address)], "--write-timeout=3s") as gateway:
        with MemoryPeak(gateway) as memory, Client(gateway.address, receive_buffer=4096) as client:
            client.request("GET", "/default/m/x")
            began = time.monotonic()
            # The kernel's buffers on both sides take a few megabytes; then nobody reads, and the upstream must not go on.
            eventually(lambda: sent and time.monotonic() > sent[-1] + 1, "the upstream stopped", 20)
            assert len(sent) * 8000 < 64 << 20
            assert eventually(lambda: upstream.requests[0].is_over.is_set(), "the upstream's connection closed", 30)
            assert client.is_closed(within=10)
            assert time.monotonic() > began + 2, "it was cut before its time"
        assert memory.peak < 512 << 10, f"{memory.peak >> 10} KB for one client that does not read"
        eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 10)


def test_two_hundred_clients_that_never_read_cost_little_memory():
    def much(request):
        request.start(content_length=1 << 30)
        while True:
            request.send(b"x" * 65536)

    with Upstream(much) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        gateway.ask("GET", "/healthz")
        with MemoryPeak(gateway) as memory:
            clients = [Client(gateway.address, receive_buffer=4096) for _ in range(200)]
            for client in clients:
                client.request("GET", "/default/m/x")
            eventually(lambda: len(upstream.requests) == 200, "all at the upstream", 30)
            time.sleep(1)
            for client in clients:
                client.close()
        eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 30)
        assert memory.peak < 200 * (128 << 10), f"{memory.peak // 200 >> 10} KB for each"


@pytest.mark.parametrize("target", ["/v1/models", "/nothing", "/healthz"])
def test_a_client_that_asks_and_never_reads_costs_little_and_delays_nobody(target):
    """Requests that the gateway answers itself, thousands at a time."""
    count = 20_000
    services = [service(f"model-{number}") for number in range(50)]
    with Gateway(services) as gateway:
        gateway.ask("GET", "/healthz")
        with MemoryPeak(gateway) as memory, Client(gateway.address, receive_buffer=4096) as client:
            sender = threading.Thread(target=client.send, args=(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * count,), daemon=True)
            sender.start()
            for _ in range(20):
                assert gateway.ask("GET", "/healthz").status == 200
                time.sleep(0.02)
            assert memory.peak < 1 << 20, f"{memory.peak >> 10} KB"
            # Whoever reads gets every answer.
            for _ in range(count):
                assert client.response().status in (200, 404)
            sender.join(10)


@pytest.mark.parametrize(
    "head", [b"X-Long: " + b"a" * 4096 + b"\r\n", b"X-Many: 1\r\n" * 40], ids=["too long", "too many fields"]
)
def test_a_head_over_its_bounds_is_refused(head):
    flags = ("--max-header-bytes=4096", "--max-headers=32")
    with Upstream() as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        with Client(gateway.address) as client:
            client.send(b"GET /default/m/x HTTP/1.1\r\nHost: gateway.test\r\n" + head + b"\r\n")
            assert refusal(client) == 431
            assert client.is_closed(within=10)
        assert gateway.ask("GET", "/default/m/x", X_Long="a" * 2000).status == 200
        assert len(upstream.requests) == 1


def test_a_body_over_its_bound_is_refused():
    with Upstream(lambda request: (request.read(), request.respond())) as upstream:
        with Gateway([service("m", upstream.address)], "--max-body-bytes=100000") as gateway:
            assert gateway.ask("POST", "/default/m/x", b"x" * 100_000).status == 200
            with Client(gateway.address) as client:
                client.request("POST", "/default/m/declared", Content_Length=100_001)
                assert refusal(client) == 413
            with Client(gateway.address) as client:
                client.request("POST", "/default/m/counted", Transfer_Encoding="chunked")
                try:
                    for _ in range(20):
                        client.send(b"2000\r\n" + b"x" * 8192 + b"\r\n")
                    client.send(b"0\r\n\r\n")
                except ConnectionError:
                    pass  # It may have been cut before it had sent all.
                assert refusal(client) in (413, None)
            declared = [request for request in upstream.requests if request.target == "/declared"]
            assert not declared
            for request in upstream.requests:
                assert request.is_over.wait(10)


def test_connections_over_the_bound_wait_or_are_refused():
    with Upstream() as upstream:
        services = [service("asleep"), service("m", upstream.address)]
        with Gateway(services, "--max-connections=10") as gateway:
            clients = [Client(gateway.address) for _ in range(10)]
            for client in clients:
                client.request("POST", "/default/asleep/x", b"")
            eventually(lambda: gateway.metric("held_requests") == 10, "ten held", 10)
            with Client(gateway.address, timeout=1) as further:
                try:
                    further.request("GET", "/default/m/x")
                    status = refusal(further)
                except TimeoutError:
                    status = None
                assert status in (None, 503) and not upstream.requests
            clients.pop().close()
            eventually(lambda: gateway.metric("held_requests") == 9, "nine held", 10)

            def serves():
                try:
                    return gateway.ask("GET", "/default/m/x").status == 200
                except (OSError, Truncated):
                    return False

            eventually(serves, "service once there is room again", 10)
            for client in clients:
                client.close()


def test_one_client_cannot_take_all_connections():
    with Upstream() as upstream:
        with Gateway([service("m", upstream.address)], "--max-connections-per-client=5") as gateway:
            clients = [Client(gateway.address, source="127.0.0.2") for _ in range(5)]
            assert all(client.ask("GET", "/default/m/x").status == 200 for client in clients)
            with Client(gateway.address, source="127.0.0.2") as further:
                try:
                    further.request("GET", "/default/m/x")
                except ConnectionError:
                    pass
                assert refusal(further) in (None, 429, 503)
            assert gateway.ask("GET", "/default/m/x").status == 200, "another client's address"
            clients.pop().close()

            def serves():
                try:
                    with Client(gateway.address, source="127.0.0.2") as client:
                        return client.ask("GET", "/default/m/x").status == 200
                except (OSError, Truncated):
                    return False

            eventually(serves, "service once that client has closed one", 10)


def test_a_burst_of_connections_that_are_reset_at_once_is_survived():
    with Upstream() as upstream, Gateway([service("m", upstream.address)]) as gateway:

        def come_and_go(_):
            for _ in range(100):
                client = Client(gateway.address)
                client.send(b"GET /default/m/x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
                client.reset()

        before = gateway.descriptors
        in_parallel(4, come_and_go)
        assert gateway.ask("GET", "/default/m/x").status == 200
        eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 10)
        eventually(lambda: gateway.descriptors <= before + POOLED, "the descriptors given back", 10)
