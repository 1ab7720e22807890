"""A canary with real kubectl, gateways and processes: its share, its promotion under load, its abort, and the way back."""
import collections
import json
import threading
import time

import pytest

from harness import FAST, Sandbox, chat, eventually, service
from streaming import Stream

TOKENS = 60


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox()
    yield running
    running.stop()


class Load(threading.Thread):
    """One request after the other until it is told to stop: where each was answered, and what was no success."""

    def __init__(self, gateway, model, pause=0.01):
        super().__init__(daemon=True)
        self.gateway, self.model, self.pause = gateway, model, pause
        self.pools, self.failures, self.stopped = [], [], threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(self.pause):
            status, headers, body = chat(self.gateway, self.model)
            self.pools.append(headers.get("pilotlight-pool"))
            if status != 200:
                self.failures.append((status, headers.get("pilotlight-pool"), body))

    def stop(self):
        self.stopped.set()
        self.join(60)
        return collections.Counter(self.pools)


def deploy(kubectl, name, *arguments, steps=None):
    rollout = {"rollout": {"strategy": "Canary", "steps": steps}} if steps else {}
    document = service(name, dedicated={"replicas": 1}, burst={"maxReplicas": 0}, scaling=FAST, timeouts={"drain": "20s"}, **rollout)
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--load-time=300ms", "--ttft=5ms", *(arguments or ["--tbt=1ms"])]
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))


def status(kubectl, name):
    return kubectl.json("get", "infsvc", name).get("status", {})


def progressing(kubectl, name):
    return next((c for c in status(kubectl, name).get("conditions", []) if c["type"] == "Progressing"), {})


def serving(kubectl, name):
    eventually(lambda: status(kubectl, name).get("dedicated", {}).get("readyReplicas") == 1, "a replica that serves")


def canary_takes(cluster, name, percent):
    """Returns once the gateway sends the canary its share."""
    eventually(lambda: "canary" in {chat(cluster.gateway(), name)[1].get("pilotlight-pool") for _ in range(-(-100 // percent))},
               "answers of the canary")


def events(kubectl, name):
    return [e["reason"] for e in kubectl.json("get", "events", "--field-selector", f"involvedObject.name={name}")["items"]]


def arguments_of(kubectl, deployment):
    return kubectl.json("get", "deployment", deployment)["spec"]["template"]["spec"]["containers"][0]["args"]


def test_its_share_is_exact_and_the_pools_take_over_without_a_failed_request(cluster):
    kubectl, name = cluster.kubectl(), "shares"
    deploy(kubectl, name, f"--tokens={TOKENS}", "--tbt=1ms", steps=[{"trafficPercent": 20}])
    serving(kubectl, name)
    deploy(kubectl, name, f"--tokens={TOKENS}", "--seed=7", "--tbt=40ms", steps=[{"trafficPercent": 20}])
    canary_takes(cluster, name, 20)
    pools = collections.Counter(chat(cluster.gateway(), name)[1]["pilotlight-pool"] for _ in range(100))
    assert pools == {"canary": 20, "dedicated": 80}
    assert "--seed=7" not in arguments_of(kubectl, f"{name}-dedicated")
    assert "20% 1/1" in kubectl.out("get", "infsvc", name, "-o", "wide")

    # Every pool has streams while it is replaced, and a new controller goes on where the old one was.
    loads = [Load(cluster.gateway(), name) for _ in range(2)]
    streams = [Stream(cluster.gateway(), name, TOKENS) for _ in range(10)]
    eventually(lambda: all(stream.tokens > 2 or stream.is_whole for stream in streams), "ten streams", interval=0.02)
    cluster.kill_controller()
    steps = [{"trafficPercent": 20, "pause": "1s"}, {"trafficPercent": 60, "pause": "2s"}]
    deploy(kubectl, name, f"--tokens={TOKENS}", "--seed=7", "--tbt=40ms", steps=steps)
    eventually(lambda: status(kubectl, name)["rollout"].get("trafficPercent") == 60, "the second step", interval=0.05)
    eventually(lambda: "--seed=7" in arguments_of(kubectl, f"{name}-dedicated"), "the pools' turn")
    eventually(lambda: kubectl.run("get", "deployment", f"{name}-canary", check=False).returncode, "the canary's end")
    eventually(lambda: progressing(kubectl, name).get("reason") == "RolledOut", "the end of the rollout")
    answered = [load.stop() for load in loads]
    assert [load.failures for load in loads] == [[], []]
    assert all(counts["canary"] and counts["dedicated"] for counts in answered), answered
    for stream in streams:
        stream.join(30)
    assert all(stream.is_whole for stream in streams), streams
    assert {"CanaryStarted", "CanaryStep", "CanaryPromoted"} <= set(events(kubectl, name))
    kubectl.run("delete", "infsvc", name, "--wait=false")


def test_one_that_fails_is_given_up_and_back_needs_no_roll(cluster):
    kubectl, name = cluster.kubectl(), "fails"
    deploy(kubectl, name, steps=[{"trafficPercent": 25, "pause": "10m"}])
    serving(kubectl, name)
    pod = kubectl.out("get", "pods", "-l", f"serving.pilotlight.dev/service={name}", "-o", "name").split()
    load = Load(cluster.gateway(), name, pause=0.02)
    deploy(kubectl, name, "--fail-rate=1", steps=[{"trafficPercent": 25, "pause": "10m"}])
    verdict = eventually(lambda: (c := progressing(kubectl, name)).get("reason") == "CanaryAborted" and c, "the abort")
    assert verdict["status"] == "False" and "the canary failed" in verdict["message"], verdict
    eventually(lambda: kubectl.json("get", "deployment", f"{name}-canary")["spec"]["replicas"] == 0, "a canary at zero")
    failed = len(load.failures)
    # Enough to judge, and what came within the seconds that hearing and telling takes.
    assert 10 <= failed <= 150 and {(s, p) for s, p, _ in load.failures} == {(500, "canary")}, (failed, load.failures[:3])
    time.sleep(1)
    counts = load.stop()
    assert len(load.failures) == failed and counts["dedicated"] > 3 * failed - 10, (counts, failed)
    assert "CanaryAborted" in events(kubectl, name)
    # A controller that comes later does not try it again.
    cluster.controller_pid(other_than=cluster.kill_controller())
    time.sleep(2)
    assert {chat(cluster.gateway(), name)[1]["pilotlight-pool"] for _ in range(8)} == {"dedicated"}

    deploy(kubectl, name, steps=[{"trafficPercent": 25, "pause": "10m"}])
    eventually(lambda: progressing(kubectl, name).get("reason") == "RolledOut", "the way back")
    eventually(lambda: kubectl.run("get", "deployment", f"{name}-canary", check=False).returncode, "the canary's end")
    assert kubectl.out("get", "pods", "-l", f"serving.pilotlight.dev/service={name}", "-o", "name").split() == pod
    kubectl.run("delete", "infsvc", name, "--wait=false")
