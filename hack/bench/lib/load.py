"""Load on a proxy: wrk for small requests and bodies, an epoll loop for streams and held requests. Every answer is checked."""
import os
import re
import select
import socket
import subprocess
import sys
import time

from proxies import LOAD_CORE, Server, cpu_nanoseconds, start

REQUEST_BODY = (
    b'{"model":"m","messages":[{"role":"user","content":"Hello, how are you today? Tell me a joke."}],"max_tokens":64}')
HEAD = (
    b"Host: gateway.example.com\r\nUser-Agent: OpenAI/Python 1.40.0\r\nAccept: application/json\r\n"
    b"Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\nContent-Type: application/json\r\n")


def post(path):
    return b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (path, HEAD, len(REQUEST_BODY), REQUEST_BODY)


class Model(Server):
    """The process of `streams.py`."""

    def __init__(self, *arguments):
        super().__init__()
        self.output = open(self.path("output"), "w", encoding="ascii")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "streams.py")
        self.process = start([sys.executable, script, *map(str, arguments)], LOAD_CORE, stdout=self.output)
        self.port = int(self.lines(1)[0])

    def lines(self, count):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with open(self.path("output"), encoding="ascii") as file:
                lines = file.read().splitlines()
            if len(lines) >= count:
                return lines
            time.sleep(0.02)
        raise SystemExit("the model's end of streams did not start")


def wrk(proxy, path, seconds, connections, script=None):
    """One run: (CPU in µs per request, requests per second, p50 and p99 in ms)."""
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if script:
        command += ["-s", proxy.write("load.lua", script)]
    before = cpu_nanoseconds(proxy.pid)
    done = subprocess.run([*command, f"http://127.0.0.1:{proxy.port}{path}"], capture_output=True, text=True, check=True)
    spent = cpu_nanoseconds(proxy.pid) - before
    errors = re.search(r"Non-2xx.*: *(\d+)|Socket errors:.*", done.stdout)
    if errors:
        raise SystemExit(f"{proxy.name} {path}: {errors.group(0)}")
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    return (
        spent / 1000 / requests, float(re.search(r"Requests/sec: *([\d.]+)", done.stdout).group(1)),
        latency(done.stdout, "50%"), latency(done.stdout, "99%"))


def latency(text, percentile):
    value, unit = re.search(rf"^ +{percentile} +([\d.]+)(us|ms|s)", text, re.M).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Callers:
    """Many connections that each send one request and then only listen."""

    def __init__(self, proxy, count, request):
        self.epoll = select.epoll()
        self.connections = {}
        self.received = {}
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", proxy.port))
            connection.sendall(request)
            connection.setblocking(False)
            self.connections[connection.fileno()] = connection
            self.received[connection.fileno()] = b""
            self.epoll.register(connection.fileno(), select.EPOLLIN)

    def listen(self, seconds, is_done=lambda callers: False):
        """Reads what comes; returns (first, last) moments at which something did."""
        first = last = None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not is_done(self):
            for descriptor, _ in self.epoll.poll(min(0.5, max(0, deadline - time.monotonic()))):
                try:
                    piece = self.connections[descriptor].recv(65536)
                except BlockingIOError:
                    continue
                last = time.perf_counter()
                first = first or last
                if not piece:
                    raise SystemExit("a proxy closed a connection that it should keep")
                self.received[descriptor] += piece
        return first, last

    def count(self, text):
        """How many have received a text."""
        return sum(1 for octets in self.received.values() if text in octets)

    def total(self, text):
        """How often a text has come, over all; forgets what has been counted."""
        found = 0
        for descriptor, octets in self.received.items():
            found += octets.count(text)
            self.received[descriptor] = octets[-len(text) + 1:] if octets else b""
        return found

    def close(self):
        self.epoll.close()
        for connection in self.connections.values():
            connection.close()
