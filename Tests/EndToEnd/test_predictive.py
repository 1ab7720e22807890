"""`scaling.mode: Predictive`: where a wake is cheap, a model sleeps within the minute that `sleepAfter: Auto` alone keeps it for."""
import json
import time

import pytest

from harness import FAST, Sandbox, chat, eventually, service

# A wake of a second makes one caller wait for a second: 0.03 s of a replica.
CHEAP = {"waitingHourlyPrice": "0.1", "burst": {"hourlyPrice": "3"}}


@pytest.fixture(scope="module")
def place():
    sandbox = Sandbox()
    kubectl = sandbox.kubectl()
    for name, mode in (("eager", "Predictive"), ("patient", "Reactive")):
        kubectl.run("apply", "-f", "-", stdin=json.dumps(
            service(name, burst={"sleepAfter": "Auto"}, scaling={**FAST, "mode": mode}, economics=CHEAP)))
    yield sandbox, kubectl
    sandbox.stop()


def status(kubectl, name):
    return kubectl.json("get", "infsvc", name).get("status", {})


def is_asleep(kubectl, name):
    return status(kubectl, name).get("display", {}).get("state") == "Asleep"


def test_a_model_whose_wakes_are_cheap_sleeps_within_the_minute(place):
    sandbox, kubectl = place
    for name in ("eager", "patient"):
        eventually(lambda: is_asleep(kubectl, name), f"{name} asleep", 30)
    # The first silence has nothing to go by; what it would have cost to sleep sooner is known when it is over.
    for pause in (8, 8, 0):
        for name in ("eager", "patient"):
            assert chat(sandbox.gateway(), name)[0] == 200
        asked = time.monotonic()
        time.sleep(pause)
    eventually(lambda: is_asleep(kubectl, "eager"), "asleep", 40)
    assert time.monotonic() - asked < 50
    decision = status(kubectl, "eager")["lastDecision"]
    assert decision["reason"] == "Idle" and "Auto stays awake for" in decision["message"], decision
    assert not is_asleep(kubectl, "patient")
    # It is woken as ever.
    assert chat(sandbox.gateway(), "eager")[0] == 200
