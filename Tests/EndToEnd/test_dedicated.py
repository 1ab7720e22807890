"""Dedicated replicas by schedule, and on a node that has too few GPUs: one, for a model at a time."""
import datetime
import json

import pytest

from harness import Sandbox, chat, eventually, service

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox("--gpus", "1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def kubectl(cluster):
    return cluster.kubectl()


def with_gpus(document, count):
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": count}}
    return document


def apply(kubectl, document):
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))


def patch(kubectl, name, spec):
    kubectl.run("patch", "infsvc", name, "--type", "merge", "-p", json.dumps({"spec": spec}))


def status(kubectl, name):
    return kubectl.json("get", "infsvc", name).get("status", {})


def condition(kubectl, name, kind):
    return next((c for c in status(kubectl, name).get("conditions", []) if c["type"] == kind), {})


def pods(kubectl, name):
    return kubectl.json("get", "pods", "-l", f"serving.pilotlight.dev/service={name}")["items"]


def schedule(**fields):
    return {"name": "office", "start": "00:00", "end": "24:00", "timeZone": "Asia/Kathmandu", "replicas": 1, **fields}


def reason_within(kubectl, name, kind, reason):
    """The condition once it has that reason."""
    return eventually(
        lambda: (lambda c: c.get("reason") == reason and c)(condition(kubectl, name, kind)), f"{kind} {reason}", 30
    )


def test_a_schedule_holds_is_refused_with_an_unknown_zone_and_ends(cluster, kubectl):
    apply(kubectl, service("office", burst={"maxReplicas": 0}, dedicated={"replicas": 0, "schedules": [schedule()]}))
    eventually(lambda: status(kubectl, "office").get("dedicated", {}).get("readyReplicas") == 1, "a replica", 30)
    answer, headers, body = chat(cluster.gateway(), "office")
    assert answer == 200 and headers["pilotlight-pool"] == "dedicated", body
    decision = status(kubectl, "office")["lastDecision"]
    assert decision["reason"] == "Schedule" and decision["inputs"]["timeZone"] == "Asia/Kathmandu", decision
    assert decision["message"].startswith('Schedule "office" (00:00-24:00 Asia/Kathmandu) wants 1 dedicated'), decision
    before = pods(kubectl, "office")

    patch(kubectl, "office", {"dedicated": {"replicas": 3, "schedules": [schedule(timeZone="Asia/Kathmando")]}})
    ready = reason_within(kubectl, "office", "Ready", "UnknownTimeZone")
    assert ready["status"] == "False"
    assert ready["message"] == (
        'spec.dedicated.schedules[office].timeZone: "Asia/Kathmando" is not a time zone known here: '
        "do you mean Asia/Kathmandu or Asia/Katmandu?"
    )
    assert [p["metadata"]["uid"] for p in pods(kubectl, "office")] == [p["metadata"]["uid"] for p in before]
    assert chat(cluster.gateway(), "office")[0] == 200

    # Days that it is nowhere on Earth while this test runs.
    today = datetime.datetime.now(datetime.timezone.utc).weekday()
    other = [DAYS[(today + 3) % 7], DAYS[(today + 4) % 7]]
    patch(kubectl, "office", {"dedicated": {"replicas": 0, "schedules": [schedule(days=other)]}})
    reason_within(kubectl, "office", "Ready", "NoCapacity")
    eventually(lambda: not pods(kubectl, "office"), "no replica", 30)
    answer, headers, body = chat(cluster.gateway(), "office")
    assert answer == 503 and b"no schedule holds before" in body, body


def test_pods_without_a_gpu_are_told_with_the_schedulers_words(cluster, kubectl):
    apply(kubectl, with_gpus(service("greedy", burst={"maxReplicas": 0}, dedicated={"replicas": 2}), 2))
    ready = reason_within(kubectl, "greedy", "Ready", "Unschedulable")
    pool = reason_within(kubectl, "greedy", "DedicatedReady", "Unschedulable")
    waiting = eventually(lambda: (lambda found: len(found) == 2 and found)(pods(kubectl, "greedy")), "two pods", 30)
    eventually(lambda: status(kubectl, "greedy")["dedicated"]["unschedulableReplicas"] == 2, "both counted", 30)
    ready, pool = condition(kubectl, "greedy", "Ready"), condition(kubectl, "greedy", "DedicatedReady")
    scheduled = [c for p in waiting for c in p["status"]["conditions"] if c["type"] == "PodScheduled"]
    since = min(c["lastTransitionTime"] for c in scheduled)
    assert ready["status"] == "False" and pool["message"] == ready["message"]
    assert ready["message"].startswith("2 of 2 pods cannot be scheduled, greedy-dedicated-"), ready
    assert ready["message"].endswith(f"since {since}: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu."), ready
    assert "Unschedulable" in kubectl.out("get", "infsvc", "greedy")
    kubectl.run("delete", "infsvc", "greedy", "--wait=false")


def test_a_rollout_without_a_spare_gpu_says_what_would_let_it_go_on(cluster, kubectl):
    document = with_gpus(service("rolls", burst={"maxReplicas": 0}, dedicated={"replicas": 1}), 1)
    apply(kubectl, document)
    eventually(lambda: status(kubectl, "rolls").get("dedicated", {}).get("readyReplicas") == 1, "a replica", 30)
    document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "REVISION", "value": "2"}]
    apply(kubectl, document)
    progress = reason_within(kubectl, "rolls", "Progressing", "RolloutBlocked")
    assert "1 Insufficient nvidia.com/gpu." in progress["message"], progress
    assert progress["message"].endswith("set spec.rollout.maxSurge 0 and maxUnavailable 1"), progress
    assert condition(kubectl, "rolls", "Ready")["status"] == "True"
    assert chat(cluster.gateway(), "rolls")[0] == 200

    patch(kubectl, "rolls", {"rollout": {"maxSurge": 0, "maxUnavailable": 1}})
    reason_within(kubectl, "rolls", "Progressing", "RolledOut")
    eventually(lambda: status(kubectl, "rolls")["dedicated"]["readyReplicas"] == 1, "the new replica", 30)
    assert chat(cluster.gateway(), "rolls")[0] == 200
