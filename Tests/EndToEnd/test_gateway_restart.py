"""What callers notice when gateways stop and start: nothing."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from gateway import Gateway, fixed_port, service
from harness import eventually
from http_sockets import Client, Truncated, Upstream, ask

EVENTS = 50  # at 100 ms: a stream takes five seconds


def model(request):
    """Streams for five seconds, or answers at once."""
    body = request.read()
    if request.target == "/stream":
        request.start(content_type="text/event-stream")
        for number in range(EVENTS):
            request.chunk(b"data: %d\n\n" % number)
            time.sleep(0.1)
        request.chunk(b"data: [DONE]\n\n")
        request.finish()
    else:
        request.respond(200, body)


class Load:
    """Callers without pause until it is stopped; `failures` says what any of them saw that was not right."""

    def __init__(self, address, streams, askers):
        self.address, self.failures = address, []
        self.streams, self.answers = 0, 0
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        works = [self.stream] * streams + [self.ask] * askers
        self.threads = [threading.Thread(target=self.run, args=(work, index), daemon=True) for index, work in enumerate(works)]

    def run(self, work, index):
        if work == self.stream:
            self.is_over.wait(index * 0.4)  # so that at any moment some are at their start and some at their end
        while not self.is_over.is_set():
            try:
                work()
            except (OSError, Truncated, AssertionError) as error:
                self.failures.append(f"{work.__name__}: {error!r}")

    def stream(self):
        with Client(self.address) as client:
            answer = client.ask("POST", "/default/m/stream", b"go on")
        assert answer.status == 200, answer
        assert answer.body.count(b"data: ") == EVENTS + 1 and answer.body.endswith(b"[DONE]\n\n"), f"cut: {answer!r}"
        with self.lock:
            self.streams += 1

    def ask(self):
        """Requests on one connection, for as long as the other side keeps it."""
        with Client(self.address) as client:
            while not self.is_over.is_set():
                answer = client.ask("POST", "/default/m/ask", b"a question")
                assert (answer.status, answer.body) == (200, b"a question"), answer
                with self.lock:
                    self.answers += 1
                time.sleep(0.005)
                if answer.headers.get("connection", "").lower() == "close":
                    break

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(30)


# Readiness is asked for on the admin port, where it turns at once when a gateway begins to stop. The gateway's
# --shutdown-delay must be at least `inter` times one more than `fall`.
HAPROXY = """
global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch
frontend callers
  bind fd@{descriptor}
  default_backend gateways
backend gateways
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 1s fall 2 rise 1
  server one {one.address} port {one_admin}
  server two {two.address} port {two_admin}
"""


@contextlib.contextmanager
def haproxy(one, two, folder):
    """HAProxy in front of two gateways; its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        file = folder / "haproxy.cfg"
        ports = {"one_admin": one.admin.rpartition(":")[2], "two_admin": two.admin.rpartition(":")[2]}
        file.write_text(HAPROXY.format(descriptor=listener.fileno(), one=one, two=two, **ports))
        binary = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
        process = subprocess.Popen([binary, "-db", "-f", file], pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield "127.0.0.1:%d" % listener.getsockname()[1]
            assert process.poll() is None, "HAProxy ended by itself"
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.skipif(not shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"), reason="Debian's haproxy is not installed")
def test_a_rolling_restart_behind_haproxy_cuts_no_stream_and_fails_no_request(tmp_path):
    flags = ("--shutdown-delay=3s", "--shutdown-drain=60s")
    with Upstream(model) as upstream, contextlib.ExitStack() as stack:

        def start(listen, admin):
            return stack.enter_context(Gateway([service("m", upstream.address)], *flags, listen=listen, admin=admin))

        ports = [(f"127.0.0.1:{fixed_port()}", f"127.0.0.1:{fixed_port()}") for _ in range(2)]
        gateways = [start(*pair) for pair in ports]
        address = stack.enter_context(haproxy(*gateways, tmp_path))
        eventually(lambda: ask(address, "GET", "/healthz").status == 200, "HAProxy's start", 20)
        with Load(address, streams=12, askers=4) as load:
            for index, pair in enumerate(ports):
                running = gateways[index]
                eventually(lambda: running.metric("in_flight_requests") >= 3, f"streams through gateway {index + 1}", 20)
                running.terminate()
                assert running.process.wait(60) == 0, running.log[-10:]
                gateways[index] = start(*pair)
                eventually(lambda: gateways[index].metric("requests_total") > 0, f"requests through the new gateway {index + 1}", 20)
        print(f"{load.streams} streams and {load.answers} short requests")
        assert load.failures == []
        assert load.streams >= 20 and load.answers > 500
        assert gateways[1].metric("broken_answers_total") == 0


def test_a_stopping_gateway_is_not_ready_but_serves_for_its_delay():
    flags = ("--shutdown-delay=3s", "--shutdown-drain=60s")
    with Upstream(model) as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        with Client(gateway.address) as kept, Client(gateway.address) as streaming:
            assert kept.ask("POST", "/default/m/ask", b"one").headers.get("connection", "").lower() != "close"
            streaming.request("POST", "/default/m/stream", b"")
            assert " 200 " in streaming.head()[0]
            gateway.terminate()
            eventually(lambda: ask(gateway.admin, "GET", "/readyz").status == 503, "not ready", 2, interval=0.01)
            assert ask(gateway.admin, "GET", "/healthz").status == 200
            # New connections are still served, and told not to come back.
            fresh = gateway.ask("POST", "/default/m/ask", b"two")
            assert (fresh.status, fresh.body, fresh.headers["connection"].lower()) == (200, b"two", "close")
            last = kept.ask("POST", "/default/m/ask", b"three")
            assert (last.status, last.headers["connection"].lower()) == (200, "close")
            assert kept.is_closed(within=5)

            def refuses():
                try:
                    gateway.ask("GET", "/healthz")
                except (OSError, Truncated):
                    return True

            eventually(refuses, "no more connections accepted", 10)
            assert b"".join(streaming.chunks()).endswith(b"[DONE]\n\n"), "the stream was cut"
        assert gateway.process.wait(20) == 0


def test_held_requests_survive_a_stop_that_leaves_them_time():
    """A model that wakes while its gateway stops is still asked."""
    flags = ("--shutdown-delay=0s", "--shutdown-drain=60s")
    with Upstream(model) as upstream, Gateway([service("m")], *flags) as gateway:
        with Client(gateway.address) as client:
            client.request("POST", "/default/m/ask", b"held")
            eventually(lambda: gateway.metric("held_requests") == 1, "the request held", 10)
            gateway.terminate()
            gateway.reload([service("m", upstream.address)])
            answer = client.response()
            assert (answer.status, answer.body) == (200, b"held")
        assert gateway.process.wait(20) == 0


def test_a_stop_that_is_out_of_time_ends_all_the_same():
    flags = ("--shutdown-delay=0s", "--shutdown-drain=500ms")
    with Upstream(model) as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        with Client(gateway.address) as client:
            client.request("POST", "/default/m/stream", b"")
            assert " 200 " in client.head()[0]
            gateway.terminate()
            with pytest.raises((Truncated, ConnectionError)):
                for _ in client.chunks():
                    pass
        assert gateway.process.wait(10) == 0


@pytest.mark.parametrize("loops", [1, 4])
def test_connections_that_wait_to_be_accepted_are_served_before_the_listeners_close(loops):
    """Closing a listener resets what is queued on it, and of several on one port each has a queue."""
    flags = ("--shutdown-delay=0s", "--shutdown-drain=30s", f"--loops={loops}")
    with Upstream(model) as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        assert gateway.ask("POST", "/default/m/ask", b"warm").status == 200
        gateway.process.send_signal(signal.SIGSTOP)
        clients = [Client(gateway.address) for _ in range(64)]
        for client in clients:
            client.request("POST", "/default/m/ask", b"queued")
        gateway.terminate()
        gateway.process.send_signal(signal.SIGCONT)
        assert [client.response().body for client in clients] == [b"queued"] * 64
        assert gateway.process.wait(20) == 0
