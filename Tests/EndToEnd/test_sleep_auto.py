"""`sleepAfter: Auto`: what was learned of a model's silences is known to the controller that comes after a kill."""
import json
import time

import pytest

from harness import Sandbox, bearer, chat, eventually, request, service

# A silence whose beginning moves on by more counts as ended, though nobody saw the request that ended it.
JITTER = 2


@pytest.fixture(scope="module")
def place():
    sandbox = Sandbox()
    kubectl = sandbox.kubectl()
    settings = {"ledger": {"writeInterval": "5s"}}
    kubectl.run("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pilotlight", "namespace": "pilotlight-system"},
        "data": {"settings.json": json.dumps(settings)}}))
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service(
        "sleeper", burst={"sleepAfter": "Auto"}, economics={"waitingHourlyPrice": "30", "burst": {"hourlyPrice": "3"}})))
    yield sandbox, kubectl
    sandbox.stop()


def state(sandbox):
    """What the controller knows of the model; {}: nothing yet."""
    code, _, body = request(sandbox.describe()["controller"]["admin"], "GET", "/debug/state", headers=bearer(sandbox.token))
    services = json.loads(body)["services"] if code == 200 else []
    return next((s for s in services if s["name"] == "sleeper"), {})


def learn(sandbox, silences):
    """A request, which ends a silence, and the beginning of the next one, by when so many are known."""
    assert chat(sandbox.gateway(), "sleeper")[0] == 200
    eventually(lambda: (state(sandbox).get("idleWindow") or {}).get("gaps", -1) >= silences, f"{silences} silences", 30)
    eventually(lambda: state(sandbox)["load"].get("secondsSinceActivity", 0) > JITTER + 1, "a silence that lasts", 30)


def book(kubectl):
    books = kubectl.json("get", "configmaps", "-n", "pilotlight-system", "-l", "serving.pilotlight.dev/ledger=book")["items"]
    return json.loads(max(books, key=lambda b: b["metadata"]["name"])["data"]["book.json"]) if books else {}


def test_a_killed_controllers_successor_knows_the_silences(place):
    sandbox, kubectl = place
    eventually(lambda: kubectl.json("get", "infsvc", "sleeper").get("status"), "a status")
    for silences in range(4):
        learn(sandbox, silences)
    before = state(sandbox)["idleWindow"]
    known = time.time() * 1000
    stored = eventually(lambda: (b := book(kubectl)).get("to", 0) > known and b, "a book that is written after that", 60)
    assert stored["models"]["sleeper"]["note"].startswith("idle:")
    pid = sandbox.kill_controller()
    sandbox.controller_pid(other_than=pid)

    def after():
        try:
            return state(sandbox).get("idleWindow")
        except OSError:
            return None  # It does not listen yet.

    assert before["gaps"] >= 3 and 60 <= before["window"] <= 86_400
    # Nobody has asked since: it has seen no silence itself.
    assert eventually(after, "what the next controller knows", 60) == before
    # Whether the silence under way ended while nobody looked is not known; the next one is counted on from there.
    learn(sandbox, before["gaps"])
    learn(sandbox, before["gaps"] + 1)
