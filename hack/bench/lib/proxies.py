"""The proxies under test and the upstream they share, each as a process on one core."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROXY_CORE, LOAD_CORE = 0, 1
BODY = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello there friend"}, "finish_reason": "stop"}],
})
MEGABYTE = 1 << 20
# Descriptors a process may open: as many as the machine allows.
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def start(command, core, **options):
    """Starts a process pinned to a core, with all the descriptors it may have."""
    return subprocess.Popen(
        ["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL, preexec_fn=raise_descriptors, **options)


def wait_for_port(port, process, what):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{what} ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{what} did not listen on port {port} within 20 s")


def cpu_nanoseconds(pid):
    """User and system time of all threads, from the scheduler's own accounts."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def private_kilobytes(pid):
    """Memory that is the process's own: what would come back if it ended."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Private_Dirty:\s+(\d+)", file.read(), re.M).group(1))


class Server:
    """A process with a folder of its own; `pid` is the one that does the work."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gateway-bench.")
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nginx(Server):
    """nginx in the foreground, one worker; the worker is what is measured."""

    def launch(self, core, http):
        config = f"""worker_processes 1; daemon off; pid {self.path("pid")}; error_log {self.path("error.log")} crit;
worker_rlimit_nofile {DESCRIPTORS};
events {{ worker_connections {DESCRIPTORS - 100}; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; default_type application/json;
  client_max_body_size 0; client_body_temp_path {self.path("body")}; proxy_temp_path {self.path("proxy")};
  fastcgi_temp_path {self.path("f")}; uwsgi_temp_path {self.path("u")}; scgi_temp_path {self.path("s")};
{http}
}}
"""
        self.process = start(
            ["nginx", "-c", self.write("nginx.conf", config), "-e", self.path("error.log")], core,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process, "nginx")
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=True)
        self.worker = int(children.stdout.split()[0])
        return self

    @property
    def pid(self):
        return self.worker


def upstream():
    """What all proxies pass requests to: small answers, and files of 1 MB."""
    server = Nginx()
    server.port = free_port()
    os.chmod(server.folder, 0o755)
    with open(server.path("1mb"), "wb") as file:
        file.write(os.urandom(MEGABYTE))
    return server.launch(LOAD_CORE, f"""  server {{ listen 127.0.0.1:{server.port} backlog=4096;
    location / {{ return 200 '{BODY}'; }}
    location /big/ {{ alias {server.folder}/; }} }}""")


class NginxProxy(Nginx):
    name = "nginx"

    def __init__(self, upstream_port):
        super().__init__()
        self.port = free_port()
        self.launch(PROXY_CORE, f"""  upstream model {{ server 127.0.0.1:{upstream_port}; keepalive 256; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{self.port} backlog=4096;
    location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 600s; }} }}""")


class HAProxy(Server):
    name = "haproxy"

    def __init__(self, upstream_port):
        super().__init__()
        self.port = free_port()
        # Two descriptors a connection, and some for itself.
        config = f"""global
  nbthread 1
  maxconn {DESCRIPTORS // 2 - 100}
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-no-delay
  option forwardfor
  http-reuse always
frontend callers
  bind 127.0.0.1:{self.port}
  default_backend model
backend model
  http-request set-header X-Forwarded-Proto http
  server replica 127.0.0.1:{upstream_port}
"""
        self.process = start(
            ["haproxy", "-db", "-f", self.write("haproxy.cfg", config)], PROXY_CORE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process, "haproxy")


class Pilotlight(Server):
    """The gateway with one loop and its features on: timeouts, metrics, the access log at its default sampling."""
    name = "pilotlight"

    def __init__(self, upstream_port, max_concurrency=100_000, max_requests=100_000):
        super().__init__()
        self.service = {
            "namespace": "default", "name": "m", "protocol": "HTTP", "healthPath": "", "hostnames": ["127.0.0.1"],
            "queue": {"maxRequests": max_requests, "maxWait": "5m"}, "endpoints": []}
        self.endpoint = {"maxConcurrency": max_concurrency}
        self.show(upstream_port)
        self.log = open(self.path("log"), "w+", encoding="utf-8")
        self.process = start(
            [os.environ["PILOTLIGHT"], "gateway", "--static", self.path("services.json"), "--loops", "1",
             "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
            PROXY_CORE, stdout=subprocess.DEVNULL, stderr=self.log)
        self.port = self.wait_for_address()
        wait_for_port(self.port, self.process, "pilotlight")
        time.sleep(0.3)  # The first health check.

    def show(self, upstream_port):
        """Writes the services file; without a port the service has no endpoint, and sleeps."""
        self.service["endpoints"] = (
            [dict(self.endpoint, address=f"127.0.0.1:{upstream_port}")] if upstream_port else [])
        self.write("services.json", json.dumps({"domain": "models.test", "services": [self.service]}))

    def wait_for_address(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(self.path("log"), encoding="utf-8") as file:
                for line in file:
                    if '"gateway starts"' in line:
                        return int(json.loads(line)["listen"].rsplit(":", 1)[1])
            time.sleep(0.02)
        with open(self.path("log"), encoding="utf-8") as file:
            raise SystemExit(f"pilotlight did not start: {file.read()}")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        super().stop()


PROXIES = [Pilotlight, NginxProxy, HAProxy]
