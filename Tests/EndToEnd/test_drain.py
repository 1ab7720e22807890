"""No stream is cut when a pod goes: by hand, by a change of the template, by a lower scale, with the controller killed meanwhile."""
import http.client
import json
import os
import signal
import threading
import urllib.parse

import pytest

from harness import FAST, Sandbox, chat, eventually, service

TOKENS = 60


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox()
    yield running
    running.stop()


class Stream(threading.Thread):
    """A streamed answer of some three seconds."""

    def __init__(self, gateway, model):
        super().__init__(daemon=True)
        self.gateway, self.model = urllib.parse.urlparse(gateway), model
        self.events, self.problem = [], None
        self.start()

    def run(self):
        connection = http.client.HTTPConnection(self.gateway.hostname, self.gateway.port, timeout=60)
        try:
            body = {"model": self.model, "stream": True, "max_tokens": TOKENS, "messages": [{"role": "user", "content": "Hi"}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            for line in response:
                if line.startswith(b"data: "):
                    self.events.append(line[6:].strip())
        except (OSError, http.client.HTTPException) as problem:
            self.problem = problem
        finally:
            connection.close()

    @property
    def tokens(self):
        choices = [json.loads(event)["choices"] for event in self.events if event != b"[DONE]"]
        return sum(1 for choice in choices if choice and choice[0]["delta"].get("content"))

    @property
    def is_whole(self):
        return self.problem is None and self.events[-1:] == [b"[DONE]"] and self.tokens == TOKENS


def pods(kubectl, name):
    """UID and name of each pod that is not on its way out."""
    items = kubectl.json("get", "pods", "-l", f"serving.pilotlight.dev/service={name}")["items"]
    return {item["metadata"]["uid"]: item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"]}


def delete_pod(cluster, kubectl, name):
    kubectl.run("delete", "pod", next(iter(pods(kubectl, name).values())), "--wait=false")


def change_template(cluster, kubectl, name):
    change = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--seed=7"}]
    kubectl.run("patch", "infsvc", name, "--type=json", "-p", json.dumps(change))


def scale_down(cluster, kubectl, name):
    kubectl.run("scale", f"infsvc/{name}", "--replicas=1")


def scale_down_and_kill_the_controller(cluster, kubectl, name):
    scale_down(cluster, kubectl, name)
    eventually(lambda: kubectl.json("get", "infsvc", name)["status"].get("drain", {}).get("pods"), "the drain", interval=0.02)
    os.kill(cluster.describe()["controller"]["pid"], signal.SIGKILL)


@pytest.mark.parametrize("action", [delete_pod, change_template, scale_down, scale_down_and_kill_the_controller])
def test_no_stream_is_cut_when_a_pod_goes(cluster, action):
    kubectl, name = cluster.kubectl(), action.__name__.replace("_", "-")
    document = service(name, dedicated={"replicas": 2}, burst={"maxReplicas": 0}, scaling={**FAST, "maxConcurrency": 16})
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--tbt=50ms", f"--tokens={TOKENS}"]
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    eventually(lambda: kubectl.json("get", "infsvc", name).get("status", {}).get("dedicated", {}).get("readyReplicas") == 2, "two replicas")
    before = pods(kubectl, name)
    streams = [Stream(cluster.gateway(), name) for _ in range(8)]
    eventually(lambda: all(stream.tokens > 2 for stream in streams), "eight streams", interval=0.02)
    action(cluster, kubectl, name)
    # Whoever comes meanwhile is served, too.
    others = []
    while any(stream.is_alive() for stream in streams):
        others.append(chat(cluster.gateway(), name)[0])
    assert [stream.is_whole for stream in streams] == [True] * 8, [(s.problem, s.tokens) for s in streams]
    assert others and set(others) == {200}
    # What was asked for has happened, and not before the streams had ended by themselves.
    expected = {delete_pod: (1, 2), change_template: (0, 2)}.get(action, (1, 1))
    eventually(lambda: (len(before.keys() & pods(kubectl, name).keys()), len(pods(kubectl, name))) == expected, "the pods as asked for")
    kubectl.run("delete", "infsvc", name, "--wait=false")
