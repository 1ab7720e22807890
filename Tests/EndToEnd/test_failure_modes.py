"""The table of failure modes in docs/operations.md, as far as no other test shows it: what callers get, what kubectl says."""
import contextlib
import json
import os
import re
import signal

import pytest

from harness import FAST, ROOT, Sandbox, chat, eventually, request, service
from streaming import Stream

PATIENT = {"Prefer": "wait=2"}


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def kubectl(cluster):
    kubectl = cluster.kubectl()
    for document in (service("awake", dedicated={"replicas": 1}, scaling=FAST), service("sleeper", scaling=FAST)):
        kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    until_state(kubectl, "awake", "Serving")
    until_state(kubectl, "sleeper", "Asleep")
    return kubectl


def state(kubectl, name):
    return kubectl.json("get", "infsvc", name).get("status", {}).get("display", {}).get("state")


def until_state(kubectl, name, wanted):
    eventually(lambda: state(kubectl, name) == wanted, f"{name} {wanted}")


def ready(kubectl, name):
    conditions = kubectl.json("get", "infsvc", name).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {})


@contextlib.contextmanager
def stopped(pid):
    """A process that neither works nor ends, as one whose node hangs or whose network is cut."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def told_to_wait(gateway, name):
    """A caller that asks for a sleeping model while nobody can wake it."""
    status, headers, body = chat(gateway, name, headers=PATIENT)
    assert (status, json.loads(body)["error"]["code"]) == (503, "model_waking"), body
    assert int(headers["retry-after"]) > 0 and int(headers["pilotlight-queued-ms"]) >= 2000


def test_the_api_server_is_away(cluster, kubectl):
    gateway, admin = cluster.gateway(), cluster.describe()["gateways"][0]["admin"]
    with stopped(cluster.process.pid):
        assert chat(gateway, "awake")[0] == 200
        told_to_wait(gateway, "sleeper")
        assert request(admin, "GET", "/readyz")[0] == 200
    eventually(lambda: chat(gateway, "sleeper", headers={"Prefer": "wait=30"})[0] == 200, "the sleeper's answer")


def test_the_controller_is_down(cluster, kubectl):
    gateway = cluster.gateway()
    until_state(kubectl, "awake", "Serving")
    kubectl.run("patch", "infsvc", "sleeper", "--type=merge", "-p", '{"spec":{"burst":{"sleepAfter":"1s"}}}')
    until_state(kubectl, "sleeper", "Asleep")
    with stopped(cluster.controller_pid()):
        assert chat(gateway, "awake")[0] == 200
        told_to_wait(gateway, "sleeper")
        assert state(kubectl, "sleeper") == "Asleep"
        # What outlives the callers: the next controller, or this one, wakes by it.
        lease = kubectl.json("get", "lease", "default.sleeper", "-n", "pilotlight-system")
        assert lease["spec"]["holderIdentity"] == "gateway-0"
    eventually(lambda: kubectl.json("get", "infsvc", "sleeper")["status"]["lastDecision"]["reason"] in ("Activated", "Idle")
               and state(kubectl, "sleeper") in ("Serving", "Draining"), "the wake that nobody waits for any more")


def test_no_node_has_a_gpu_to_spare(cluster, kubectl):
    document = service("greedy", scaling=FAST)
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 99}}
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    until_state(kubectl, "greedy", "Asleep")
    told_to_wait(cluster.gateway(), "greedy")
    verdict = eventually(lambda: (c := ready(kubectl, "greedy")).get("status") == "False" and c, "the verdict")
    assert verdict["reason"] == "Unschedulable" and "Insufficient nvidia.com/gpu" in verdict["message"]
    assert "Insufficient nvidia.com/gpu" in kubectl.out("describe", "infsvc", "greedy")
    kubectl.run("delete", "infsvc", "greedy")


def test_a_template_that_the_api_server_refuses(cluster, kubectl):
    document = service("typo", scaling=FAST)
    document["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    until_state(kubectl, "typo", "TemplateInvalid")
    status, headers, body = chat(cluster.gateway(), "typo")
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (503, "model_unavailable") and int(headers["retry-after"]) > 0
    assert "imagee" in error["message"] and int(headers.get("pilotlight-queued-ms", 0)) < 1000
    kubectl.run("delete", "infsvc", "typo")


def test_a_wake_that_takes_too_long(cluster, kubectl):
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service("heavy", load="90s", timeouts={"startup": "10s"}, scaling=FAST)))
    until_state(kubectl, "heavy", "Asleep")
    status, headers, body = chat(cluster.gateway(), "heavy")
    assert (status, json.loads(body)["error"]["code"]) == (503, "model_unavailable") and int(headers["retry-after"]) > 0
    verdict = eventually(lambda: (c := ready(kubectl, "heavy")).get("status") == "False" and c, "the verdict")
    assert verdict["reason"] == "StartupTimeout" and "timeouts.startup (10s)" in verdict["message"]
    events = kubectl.json("get", "events", "--field-selector=involvedObject.name=heavy")["items"]
    assert any(event["reason"] == "WakeFailed" and event["type"] == "Warning" for event in events)
    kubectl.run("delete", "infsvc", "heavy")


def test_a_service_that_is_deleted(cluster, kubectl):
    document = service("gone", dedicated={"replicas": 1}, scaling=FAST)
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--tbt=50ms", "--tokens=60"]
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    until_state(kubectl, "gone", "Serving")
    stream = Stream(cluster.gateway(), "gone", 60)
    eventually(lambda: stream.tokens > 2, "a stream", interval=0.02)
    kubectl.run("delete", "infsvc", "gone", "--wait=false")
    stream.join(60)
    assert stream.is_whole, stream
    eventually(lambda: chat(cluster.gateway(), "gone")[0] == 404, "404")
    assert json.loads(chat(cluster.gateway(), "gone")[2])["error"]["code"] == "model_not_found"


def test_every_test_that_the_document_names_is_there():
    text = (ROOT / "docs/operations.md").read_text()
    table = text[text.index("## Failure modes"):]
    table = table[:table.index("\n## ", 5)]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`([\w:]+)`", row.rsplit("|", 2)[1])
        assert named, row
        for name in named:
            file, _, test = name.partition("::")
            found = list((ROOT / "Tests").glob(f"*/{file}.py")) + list((ROOT / "Tests").glob(f"*/{file}.swift"))
            folder = (ROOT / "Tests" / file).is_dir() and not test
            assert folder or found and (not test or f"def {test}(" in found[0].read_text()), f"{name}: {row}"
