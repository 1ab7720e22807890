"""An upgrade passes through mixtures of two versions; callers must not notice any of them."""
import json
import os
import pathlib
import threading

import pytest

from fleet import Fleet
from harness import BINARY, FAST, chat, eventually, service
from load import TOKENS, Load
from streaming import Stream

NEW, OLD = str(BINARY), os.environ.get("PILOTLIGHT_OLD", "")

pytestmark = pytest.mark.skipif(not pathlib.Path(OLD).is_file(), reason="hack/upgrade-test builds the older version and names it")


def status(fleet, name):
    return fleet.kubectl.json("get", "infsvc", name).get("status", {})


def until_state(fleet, name, state):
    eventually(lambda: status(fleet, name).get("display", {}).get("state") == state, f"{name} {state}", interval=0.3)


def apply(fleet, *documents):
    fleet.kubectl.run(
        "apply", "--validate=false", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))


def paced(name, **spec):
    """A service whose streams last two seconds."""
    document = service(name, **spec)
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--load-time=300ms", "--tbt=50ms", f"--tokens={TOKENS}"]
    return document


@pytest.fixture
def fleet(request):
    with Fleet(**request.param) as running:
        apply(
            running,
            paced("steady", dedicated={"replicas": 1}, burst={"maxReplicas": 0}, scaling=FAST),
            paced("naps", burst={"sleepAfter": "1s"}, scaling=FAST),
            paced("peaks", dedicated={"replicas": 1}, burst={"maxReplicas": 1, "sleepAfter": "1s"},
                  scaling={**FAST, "target": 1, "maxConcurrency": 2}))
        until_state(running, "steady", "Serving")
        until_state(running, "peaks", "Serving")
        yield running


def sleeps_and_wakes(fleet):
    until_state(fleet, "naps", "Asleep")
    code, headers, body = chat(fleet.gateway, "naps")
    assert (code, headers.get("pilotlight-pool"), headers.get("pilotlight-cold-start")) == (200, "burst", "true"), (headers, body)


def bursts(fleet):
    is_over, answers = threading.Event(), []

    def ask():
        while not is_over.is_set():
            stream = Stream(fleet.gateway, "peaks", 8)
            stream.join()
            answers.append(stream)

    callers = [threading.Thread(target=ask, daemon=True) for _ in range(6)]
    for caller in callers:
        caller.start()
    try:
        until_state(fleet, "peaks", "Bursting")
    finally:
        is_over.set()
        for caller in callers:
            caller.join(60)
    assert all(stream.is_whole for stream in answers), answers
    # The burst replica drains, with every gateway's word on it.
    until_state(fleet, "peaks", "Serving")


def drains(fleet):
    scale = lambda replicas: fleet.kubectl.run("scale", "infsvc/peaks", f"--replicas={replicas}")
    scale(2)
    eventually(lambda: status(fleet, "peaks")["dedicated"]["readyReplicas"] == 2, "two replicas", interval=0.3)
    epoch = status(fleet, "peaks")["drain"]["epoch"]
    streams = [Stream(fleet.gateway, "peaks", TOKENS) for _ in range(4)]
    eventually(lambda: all(stream.tokens > 0 for stream in streams), "four streams", interval=0.02)
    scale(1)
    for stream in streams:
        stream.join(60)
    assert all(stream.is_whole for stream in streams), streams
    eventually(lambda: status(fleet, "peaks")["dedicated"]["replicas"] == 1, "one replica", interval=0.3)
    assert status(fleet, "peaks")["drain"]["epoch"] > epoch


def exercise(fleet):
    eventually(lambda: not fleet.unread(), "every gateway read")
    sleeps_and_wakes(fleet)
    bursts(fleet)
    drains(fleet)
    until_state(fleet, "naps", "Asleep")
    assert fleet.misunderstandings() == []


@pytest.mark.parametrize("fleet", [{"api": NEW, "controller": OLD, "gateways": NEW}], indirect=True, ids=["gateways-first"])
def test_the_controller_is_upgraded_after_the_gateways(fleet):
    with Load(fleet, "steady"):
        exercise(fleet)
        fleet.replace_controller(NEW)
        exercise(fleet)


@pytest.mark.parametrize("fleet", [{"api": NEW, "controller": NEW, "gateways": OLD}], indirect=True, ids=["controller-first"])
def test_the_gateways_are_upgraded_after_the_controller(fleet):
    with Load(fleet, "steady"):
        exercise(fleet)
        fleet.replace_gateways(NEW)
        exercise(fleet)


@pytest.mark.parametrize("fleet", [{"api": OLD, "controller": NEW, "gateways": NEW}], indirect=True, ids=["older-crd"])
def test_the_crd_is_older_than_both(fleet):
    with Load(fleet, "steady"):
        exercise(fleet)
