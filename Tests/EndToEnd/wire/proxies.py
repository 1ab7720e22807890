"""The gateway, and the proxies it is compared with, before one recorder."""
import contextlib
import os
import shutil
import subprocess
import tempfile

from gateway import Gateway, openai_service, service
from harness import eventually
from wire.client import Client


@contextlib.contextmanager
def pilotlight(recorder, others=()):
    """The address of a gateway. `others`: further (name, recorder) pairs, each a service by the host NAME.test."""
    services = [
        service("owl", recorder.address, hostnames=["owl.test"], aliases=["owl"]),
        openai_service("lark", recorder.address, model="org/Lark"),
        *(service(name, other.address, hostnames=[f"{name}.test"]) for name, other in others),
    ]
    with Gateway(services, "--access-log-sampling=0", "--routing-body-limit=1048576") as gateway:
        yield gateway.address


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

# Configuration, and the options before its file.
PEERS = {"nginx": (NGINX, ["-c"]), "haproxy": (HAPROXY, ["-db", "-f"])}


def found(name):
    """The path of its binary; None: it is not installed."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextlib.contextmanager
def peer(name, recorder):
    """The address of nginx or HAProxy, with their own defaults but for the longest head."""
    configuration, options = PEERS[name]
    with tempfile.TemporaryDirectory(prefix="pilotlight-test.") as folder:
        file, address = os.path.join(folder, "configuration"), os.path.join(folder, "socket")
        with open(file, "w", encoding="utf-8") as output:
            output.write(configuration.format(folder=folder, upstream=recorder.address))
        with open(os.path.join(folder, "log"), "wb") as log:
            running = subprocess.Popen([found(name), *options, file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            eventually(lambda: running.poll() is not None or accepts(address), f"the start of {name}", interval=0.02)
            yield address
            assert running.poll() is None, f"{name} ended by itself:\n{open(log.name, encoding='utf-8').read()}"
        finally:
            running.kill()
            running.wait()


def accepts(address):
    try:
        with Client(address):
            return True
    except OSError:
        return False
