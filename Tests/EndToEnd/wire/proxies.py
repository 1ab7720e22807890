"""The gateway, and the proxies it is compared with, before one recorder."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

from harness import BINARY, eventually
from wire.client import Client


@contextlib.contextmanager
def process(command, log):
    """Runs `command` in the `with` block, which fails when it has ended by itself."""
    with open(log, "wb") as file:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield running
        code = running.poll()
        assert code is None, f"{command[0]} ended by itself with {code}:\n{open(log, encoding='utf-8').read()[-4000:]}"
    finally:
        running.kill()
        running.wait()


@contextlib.contextmanager
def pilotlight(recorder, others=()):
    """The address of a gateway. `others`: further (name, recorder) pairs, each a service by the host NAME.test."""

    def service(name, address, **fields):
        endpoint = {"address": address, "pool": "dedicated", "maxConcurrency": 10_000}
        return {"name": name, "protocol": "HTTP", "healthPath": "", "hostnames": [f"{name}.test"], "endpoints": [endpoint], **fields}

    services = [
        service("owl", recorder.address),
        service("lark", recorder.address, protocol="OpenAI", model="org/Lark"),
        *(service(name, other.address) for name, other in others),
    ]
    # `owl` is asked by its model, too.
    services[0]["aliases"] = ["owl"]
    with tempfile.TemporaryDirectory(prefix="pilotlight-test.") as folder:
        path, log = os.path.join(folder, "services.json"), os.path.join(folder, "log")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"domain": "models.test", "services": services}, file)
        command = [
            BINARY, "gateway", "--static", path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
            "--log-format", "json", "--access-log-sampling", "0", "--routing-body-limit", "1048576",
        ]
        with process(command, log) as running:
            yield eventually(lambda: address_in(log, running), "the gateway's start", interval=0.01)


def address_in(log, running):
    with open(log, encoding="utf-8") as file:
        text = file.read()
    assert running.poll() is None, f"the gateway did not start:\n{text}"
    for line in text.splitlines(keepends=True):
        if '"gateway starts"' in line and line.endswith("\n"):
            return json.loads(line)["listen"]
    return None


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 0; large_client_header_buffers 4 128k; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen unix:{folder}/socket;
    location / {{
      proxy_pass http://{upstream}; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Connection "";
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  tune.bufsize 131072
  tune.http.maxhdr 256
defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend clients
  bind unix@{folder}/socket
  default_backend models
backend models
  server model {upstream}
"""

PEERS = {"nginx": (NGINX, ["nginx", "-c"]), "haproxy": (HAPROXY, ["haproxy", "-db", "-f"])}


def is_installed(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


@contextlib.contextmanager
def peer(name, recorder):
    """The address of nginx or HAProxy, with their own defaults but for the longest head."""
    text, command = PEERS[name]
    binary = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin")
    with tempfile.TemporaryDirectory(prefix="pilotlight-test.") as folder:
        configuration, address = os.path.join(folder, "configuration"), os.path.join(folder, "socket")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(text.format(folder=folder, upstream=recorder.address))
        with process([binary, *command[1:], configuration], os.path.join(folder, "log")) as running:
            eventually(lambda: running.poll() is not None or answers(address), f"the start of {name}", interval=0.02)
            yield address


def answers(address):
    try:
        Client(address).socket.close()
        return True
    except OSError:
        return False
