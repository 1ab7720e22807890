"""The ConfigMap `pilotlight`: settings of the installation, taken over while everything runs."""
import json

import pytest

from harness import Sandbox, bearer, chat, eventually, request, service


@pytest.fixture(scope="module")
def place():
    sandbox = Sandbox()
    yield sandbox, sandbox.kubectl()
    sandbox.stop()


def settings(kubectl, **document):
    kubectl.run("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pilotlight", "namespace": "pilotlight-system"},
        "data": {"settings.json": json.dumps(document)}}))


def debug_state(sandbox, kubectl):
    return request(sandbox.describe()["gateways"][0]["admin"], "GET", "/debug/state", headers=bearer(sandbox.token))[2].decode()


def test_settings_are_taken_over_and_wrong_ones_are_not(place):
    sandbox, kubectl = place
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service("priced")))
    eventually(lambda: b"priced" in request(sandbox.gateway(), "GET", "/v1/models")[2], "the model's name")
    settings(
        kubectl, domain="models.test", hold={"maxRequests": 7},
        economics={"currency": "EUR", "hourlyPrice": "4.00", "powerWatts": 500, "gridRegion": "eu-west-3"})
    eventually(lambda: "domain models.test" in debug_state(sandbox, kubectl), "the gateway's domain")
    assert "of 7 requests" in debug_state(sandbox, kubectl)
    answer = chat(sandbox.gateway(), "other-name", headers={"Host": "priced.default.models.test"})
    assert answer[0] == 200, answer
    status = eventually(
        lambda: (kubectl.json("get", "infsvc", "priced")["status"].get("usage", {}).get("currency") == "EUR"
                 and kubectl.json("get", "infsvc", "priced")["status"]), "a cost in euros", 60)
    assert "cost" in status["usage"] and "carbonKg" in status["usage"]

    settings(kubectl, domain="models.test", hold={"maxRequest": 3})
    events = eventually(
        lambda: [event for event in kubectl.json("get", "events", "-n", "pilotlight-system")["items"]
                 if event["reason"] == "InvalidSettings"], "an Event that names the mistake")
    assert "hold.maxRequest: unknown field" in events[0]["message"]
    assert "of 7 requests" in debug_state(sandbox, kubectl)
    admin = sandbox.describe()["controller"]["admin"]
    assert b"pilotlight_settings_valid 0" in request(admin, "GET", "/metrics")[2]

    kubectl.run("delete", "configmap", "pilotlight", "-n", "pilotlight-system")
    eventually(lambda: "domain pilotlight.local" in debug_state(sandbox, kubectl), "the domain of before")
    eventually(lambda: b"pilotlight_settings_valid 1" in request(admin, "GET", "/metrics")[2], "no complaint any more")
