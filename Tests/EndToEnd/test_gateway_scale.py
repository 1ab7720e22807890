"""Thousands of connections at once: what each costs in memory, and that every event of every stream arrives."""
import contextlib
import resource
import selectors
import socket
import threading
import time

import pytest

from gateway import POOLED, Gateway, service
from harness import eventually
from http_sockets import Upstream

SOFT_LIMIT, DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)
# Descriptors that neither an idle connection nor a stream takes.
SPARE = 400

REQUEST = b"GET /default/m/x HTTP/1.1\r\nHost: gateway.test\r\n\r\n"


@pytest.fixture(autouse=True)
def all_descriptors():
    """Lets this process, and the gateways it starts, open as many as they may."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT_LIMIT, DESCRIPTORS))


def as_many_as(wanted, each):
    """`wanted`, or what RLIMIT_NOFILE's hard limit leaves at `each` descriptors; the output says which it was."""
    possible = (DESCRIPTORS - SPARE) // each
    if possible < wanted:
        print(f"RLIMIT_NOFILE's hard limit is {DESCRIPTORS}: {possible} instead of {wanted}")
    if possible < 100:
        pytest.skip(f"RLIMIT_NOFILE's hard limit of {DESCRIPTORS} is too low")
    return min(wanted, possible)


def connect_all(address, count):
    host, port = address.rsplit(":", 1)
    return [socket.create_connection((host, int(port)), 20) for _ in range(count)]


def read_all(sockets, is_complete, timeout):
    """Reads every socket until `is_complete(bytes)`; how many were complete in time, and how many were closed."""
    got = {sock: bytearray() for sock in sockets}
    complete, closed = 0, 0
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        while complete + closed < len(sockets) and time.monotonic() < deadline:
            for key, _ in selector.select(0.5):
                data = key.fileobj.recv(65536)
                got[key.fileobj] += data
                if is_complete(bytes(got[key.fileobj])):
                    complete += 1
                elif not data:
                    closed += 1
                else:
                    continue
                selector.unregister(key.fileobj)
    return complete, closed


@contextlib.contextmanager
def open_connections(address, count):
    sockets = connect_all(address, count)
    try:
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def test_ten_thousand_idle_connections():
    count = as_many_as(10_000, each=1)
    flags = ("--max-connections=20000", "--max-connections-per-client=20000", "--head-timeout=60s", "--idle-timeout=60s")
    with Upstream() as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        for _ in range(20):
            assert gateway.ask("GET", "/default/m/x").status == 200
        descriptors, base = gateway.descriptors, gateway.memory
        with open_connections(gateway.address, count) as sockets:
            # One half has had an answer, the other has never sent a byte.
            used = sockets[: count // 2]
            for sock in used:
                sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
            assert read_all(used, lambda data: data.endswith(b"ok\n"), 30) == (len(used), 0)
            eventually(lambda: gateway.descriptors >= count, "all accepted", 30)
            growth = gateway.memory - base
            print(f"{count} idle connections: {growth / count:.0f} bytes each")
            assert gateway.ask("GET", "/default/m/x").status == 200
            sockets[-1].sendall(REQUEST)
            assert read_all([sockets[-1]], lambda data: data.endswith(b"ok\n"), 10) == (1, 0)
        # Some are left to the upstream, in the pool.
        eventually(lambda: gateway.descriptors < descriptors + 10, "all closed", 30)
        assert gateway.ask("GET", "/default/m/x").status == 200
        assert growth < 2048 * count, f"{growth / count:.0f} bytes for each idle connection"


class EventStreams:
    """An upstream whose every answer is a stream of events that go on as the test says; one thread for all of them."""

    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.streams = set()
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    @staticmethod
    def event(text):
        data = f"data: {text}\n\n".encode()
        return b"%x\r\n%s\r\n" % (len(data), data)

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while not self.is_over:
                for key, _ in selector.select(0.1):
                    if key.fileobj is self.listener:
                        sock, _ = self.listener.accept()
                        selector.register(sock, selectors.EVENT_READ)
                        continue
                    sock = key.fileobj
                    try:
                        data = sock.recv(65536)
                    except ConnectionError:
                        data = b""
                    if data:
                        sock.sendall(self.HEAD + self.event("first"))
                        self.streams.add(sock)
                    else:
                        selector.unregister(sock)
                        self.streams.discard(sock)
                        sock.close()

    def broadcast(self, data):
        for sock in list(self.streams):
            sock.sendall(data)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        self.listener.close()
        for sock in self.streams:
            sock.close()


def test_five_thousand_streams():
    # Both the gateway and this process, which is client and upstream, have two descriptors for each.
    count = as_many_as(5_000, each=2)
    flags = ("--max-connections=20000", "--max-connections-per-client=20000")
    with EventStreams() as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        with open_connections(gateway.address, 10) as sockets:
            for sock in sockets:
                sock.sendall(REQUEST)
            assert read_all(sockets, lambda data: b"first" in data, 10) == (10, 0)
        eventually(lambda: not upstream.streams, "the first streams cancelled", 10)
        descriptors, base = gateway.descriptors, gateway.memory
        with open_connections(gateway.address, count) as sockets:
            for sock in sockets:
                sock.sendall(REQUEST)
            assert read_all(sockets, lambda data: b"data: first\n\n" in data, 60) == (count, 0)
            assert gateway.metric("in_flight_requests", service="m") == count
            growth = gateway.memory - base
            print(f"{count} streams: {growth / count:.0f} bytes each")
            upstream.broadcast(EventStreams.event("second"))
            assert read_all(sockets, lambda data: b"data: second\n\n" in data, 30) == (count, 0)
            growth = max(growth, gateway.memory - base)
            upstream.broadcast(EventStreams.event("third") + b"0\r\n\r\n")
            assert read_all(sockets, lambda data: data.endswith(b"0\r\n\r\n"), 30) == (count, 0)
            eventually(lambda: gateway.metric("in_flight_requests", service="m") == 0, "nothing in flight", 10)
        eventually(lambda: gateway.descriptors <= descriptors + POOLED, "the descriptors given back", 30)
        assert growth < 9.2 * 1024 * count, f"{growth / count:.0f} bytes for each stream"
