"""What controller and gateway say and do, as processes, when their API server is not as it should be."""
import json
import os
import stat
import subprocess
import urllib.error
import urllib.request

import pytest

from conversations.cluster import Cluster, RecordingProxy
from harness import BINARY, Sandbox, eventually

ABSENT = "the InferenceService CRD is not installed: kubectl apply --server-side -f Manifests/crd; waiting"


@pytest.fixture(scope="module")
def sandbox():
    running = Sandbox("--without-controller", "--without-gateway")
    yield running
    running.stop()


class Child:
    """A controller or gateway on free ports, with its log."""

    def __init__(self, folder, kind, *arguments):
        self.path = os.path.join(folder, f"{kind}.log")
        self.log = open(self.path, "w", encoding="utf-8")
        listen = ["--listen", "127.0.0.1:0"] if kind == "gateway" else []
        self.process = subprocess.Popen(
            [BINARY, kind, "--admin-listen", "127.0.0.1:0", "--log-format", "json", *listen, *arguments], stderr=self.log)
        start = eventually(lambda: next((r for r in self.records() if r["message"] == f"{kind} starts"), None), f"the {kind}'s start")
        self.admin = start["admin"]

    def records(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def readiness(self):
        try:
            with urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def test_without_the_crd_both_say_so_and_begin_when_it_is_there(sandbox, tmp_path):
    proxy = RecordingProxy(Cluster(sandbox.kubeconfig))
    proxy.fault = lambda path: (404, "text/plain; charset=utf-8", b"404 page not found\n") if "/inferenceservices" in path else None
    children = [Child(tmp_path, kind, "--kubeconfig", proxy.kubeconfig()) for kind in ("controller", "gateway")]
    try:
        for child, text in zip(children, (f"not ready: {ABSENT}\n", f"the cluster's services are not known yet: {ABSENT}\n")):
            eventually(lambda: child.readiness() == (503, text), text)
        proxy.fault = None
        for child in children:
            eventually(lambda: child.readiness()[0] == 200, "readiness", timeout=15)
            said = [record["message"] for record in child.records()]
            assert said.count(ABSENT) == 1 and said.count("inferenceservices.serving.pilotlight.dev are served again") == 1
    finally:
        for child in children:
            child.stop()
        proxy.stop()


def test_a_gateway_stays_ready_when_its_api_server_has_gone(tmp_path):
    running = Sandbox("--without-controller", "--without-gateway")
    child = None
    try:
        child = Child(tmp_path, "gateway", "--kubeconfig", running.kubeconfig)
        eventually(lambda: child.readiness()[0] == 200, "readiness")
        # Not silent, as in test_failure_modes, but gone: every watch ends, and nobody answers another.
        running.stop()
        eventually(lambda: "watch broke" in {record["message"] for record in child.records()}, "its complaint")
        assert child.readiness() == (200, "ok\n")
    finally:
        if child:
            child.stop()
        if running.process.poll() is None:
            running.stop()


def test_a_token_from_an_exec_plugin(sandbox, tmp_path):
    with open(sandbox.kubeconfig, encoding="utf-8") as file:
        config = json.load(file)
    token = config["users"][0]["user"]["token"]
    plugin = tmp_path / "login"
    plugin.write_text(
        "#!/bin/sh\n"
        f'echo run >> "{tmp_path}/runs"\n'
        '[ -e "$NEXT_TO/token" ] || { echo "log in first" >&2; exit 1; }\n'
        'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",'
        '\\"status\\":{\\"token\\":\\"$(cat "$NEXT_TO/token")\\"}}"\n')
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    config["users"][0]["user"] = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never",
        "env": [{"name": "NEXT_TO", "value": str(tmp_path)}]}}
    path = tmp_path / "kubeconfig.json"
    path.write_text(json.dumps(config))
    child = Child(tmp_path, "controller", "--kubeconfig", str(path))
    try:
        eventually(lambda: "log in first" in child.readiness()[1], "the plugin's words")
        (tmp_path / "token").write_text(token)
        eventually(lambda: child.readiness()[0] == 200, "readiness", timeout=60)
        assert token not in (tmp_path / "controller.log").read_text()
        # All informers share what one run gives; the failed runs before it were few.
        assert len((tmp_path / "runs").read_text().splitlines()) < 8
    finally:
        child.stop()
