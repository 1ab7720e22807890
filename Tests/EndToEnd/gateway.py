"""A running `pilotlight gateway --static`: its addresses, log, metrics and memory."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BINARY, eventually
from http_sockets import ask

# Idle connections that a gateway may keep to one replica.
POOLED = 256


def service(name, *addresses, **fields):
    """A service of plain HTTP, reached under /default/NAME; with no address it sleeps."""
    endpoints = [{"address": address, "pool": "dedicated", "maxConcurrency": 100_000} for address in addresses]
    return {"name": name, "protocol": "HTTP", "healthPath": "", "endpoints": endpoints, **fields}


def openai_service(name, *addresses, **fields):
    """A service that is found by `model`."""
    return service(name, *addresses, **{"protocol": "OpenAI", **fields})


class Gateway:
    """A gateway on ports of its own. Leaving its `with` block fails the test when the process has ended by itself."""

    def __init__(self, services, *flags, listen="127.0.0.1:0", admin="127.0.0.1:0"):
        self.folder = tempfile.mkdtemp(prefix="pilotlight-test.")
        self.file = os.path.join(self.folder, "services.json")
        self.write({"services": services})
        self.log = []
        self.is_stopping = False
        self.process = subprocess.Popen(
            [BINARY, "gateway", "--static", self.file, "--listen", listen, "--admin-listen", admin, "--log-format=json", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        threading.Thread(target=self.collect, daemon=True).start()
        eventually(lambda: self.lines("gateway starts") or self.process.poll() is not None, "the gateway's start", interval=0.01)
        assert self.process.poll() is None, f"the gateway did not start: {self.log}"
        start = self.lines("gateway starts")[0]
        self.address, self.admin = start["listen"], start["admin"]
        eventually(lambda: ask(self.admin, "GET", "/readyz").status == 200, "the gateway's readiness", interval=0.01)

    def collect(self):
        for line in self.process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"level": "none", "message": line.decode(errors="replace").rstrip()})

    def lines(self, message=None, level=None):
        """What it has logged so far."""
        return [line for line in self.log if message in (None, line.get("message")) and level in (None, line.get("level"))]

    def write(self, document):
        """Replaces the file at once, as a mounted ConfigMap is replaced. Text is written as it is."""
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            file.write(document if isinstance(document, str) else json.dumps(document))
        os.replace(self.file + ".new", self.file)

    def reload(self, document):
        self.write(document if isinstance(document, str) else {"services": document})
        self.process.send_signal(signal.SIGHUP)

    def ask(self, method, target, body=None, **headers):
        return ask(self.address, method, target, body, **headers)

    def metric(self, name, **labels):
        """The sum over the samples of `pilotlight_gateway_NAME` that have these labels; 0 where there are none."""
        total = 0.0
        for line in ask(self.admin, "GET", "/metrics").body.decode().splitlines():
            sample = re.fullmatch(rf"pilotlight_gateway_{name}(?:\{{(.*)\}})? (\S+)", line)
            if sample and labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', sample[1] or "")).items():
                total += float(sample[2])
        return total

    @property
    def memory(self):
        """Bytes of memory that are this process's alone (anonymous pages that are resident). None under a sanitizer, whose
        own accounts would be most of it."""
        if "PILOTLIGHT_SANITIZER" in os.environ:
            return 0
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return 1024 * int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1])

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def terminate(self, signal_number=signal.SIGTERM):
        """Asks it to end, and does not wait."""
        self.is_stopping = True
        self.process.send_signal(signal_number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert self.is_stopping or code is None, f"the gateway ended by itself with {code}: {self.log[-20:]}"
        reports = [line["message"] for line in self.log if "Sanitizer" in line["message"] or "Fatal error" in line["message"]]
        assert not reports, reports


class MemoryPeak:
    """How far a gateway's memory rises above what it is when the `with` block begins, looked at 50 times a second."""

    def __init__(self, gateway):
        self.gateway, self.base, self.peak = gateway, gateway.memory, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.is_over.wait(0.02):
            self.look()

    def look(self):
        self.peak = max(self.peak, self.gateway.memory - self.base)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        self.look()


def fixed_port():
    """A free port that no outgoing connection takes meanwhile, for a process that is restarted on it."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first, last = map(int, file.read().split())
    start = 10_000 + time.monotonic_ns() % 10_000
    for port in range(start, 65_000):
        if first <= port <= last:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free outside the range of outgoing connections")


def in_parallel(count, work):
    """Runs `work(index)` in `count` threads; their results in order. The first problem is raised."""
    results = [None] * count

    def run(index):
        try:
            results[index] = (work(index), None)
        except BaseException as error:
            results[index] = (None, error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for result in results:
        assert result is not None, "a thread did not end"
        if result[1]:
            raise result[1]
    return [value for value, _ in results]
