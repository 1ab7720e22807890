"""A sandbox's API server for measurements: started bare, filled and watched over its own API."""
import base64
import concurrent.futures
import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time

GROUP = "/apis/serving.pilotlight.dev/v1alpha1"


class APIServer:
    """`pilotlight sandbox` without controller and gateways, on a node that runs no pod."""

    def __init__(self, binary):
        self.folder = tempfile.mkdtemp(prefix="operator-bench.")
        self.log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [binary, "sandbox", "--state-dir", self.folder, "--http-port", "0", "--without-controller", "--without-gateway",
             "--gpus", "0", "--log-level", "warning"],
            stdout=self.log, stderr=subprocess.STDOUT)
        description = os.path.join(self.folder, "sandbox.json")
        while not os.path.exists(description):
            if self.process.poll() is not None:
                raise SystemExit(f"the sandbox did not start: see {self.log.name}")
            time.sleep(0.02)
        with open(description, encoding="utf-8") as file:
            self.kubeconfig = json.load(file)["kubeconfig"]
        with open(self.kubeconfig, encoding="utf-8") as file:
            config = json.load(file)
        cluster = config["clusters"][0]["cluster"]
        self.address = cluster["server"].removeprefix("https://")
        self.token = config["users"][0]["user"]["token"]
        self.tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self.local = threading.local()

    @property
    def pid(self):
        return self.process.pid

    def connect(self):
        host, port = self.address.split(":")
        return http.client.HTTPSConnection(host, int(port), context=self.tls, timeout=120)

    def headers(self, body_type):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": body_type, "Accept": "application/json"}

    def request(self, method, path, body=None, body_type="application/json"):
        """The decoded answer; one connection a thread. An answer that is no 2xx ends the measurement."""
        try:
            answer, content = self.exchange(method, path, body, body_type)
        except (http.client.RemoteDisconnected, ConnectionError):
            del self.local.connection  # the server has closed a connection that was idle for long
            answer, content = self.exchange(method, path, body, body_type)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content)

    def exchange(self, method, path, body, body_type):
        if not hasattr(self.local, "connection"):
            self.local.connection = self.connect()
        self.local.connection.request(
            method, path, body=None if body is None else json.dumps(body), headers=self.headers(body_type))
        answer = self.local.connection.getresponse()
        return answer, answer.read()

    def patch(self, path, change):
        return self.request("PATCH", path, change, "application/merge-patch+json")

    def for_each(self, items, work, say=lambda text: None, threads=4):
        """Works on all items, several at once, and tells after each tenth."""
        begun, step = time.monotonic(), max(1, len(items) // 10)
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for done, _ in enumerate(pool.map(work, items), 1):
                if done % step == 0:
                    say(f"  {done} of {len(items)} after {time.monotonic() - begun:.0f} s")

    def watch(self, path, version):
        """Watch events as they come, each with the moment of its arrival."""
        connection = self.connect()
        connection.request(
            "GET", f"{path}?watch=true&resourceVersion={version}&allowWatchBookmarks=false",
            headers=self.headers("application/json"))
        answer = connection.getresponse()
        while line := answer.readline():
            yield time.perf_counter(), json.loads(line)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
