"""Two gateways share a model's slots by demand: whoever has the callers has the slots, and never more than there are."""
import json
import re
import threading
import time

import pytest

from harness import FAST, Sandbox, bearer, chat, eventually, request, service

LIMIT = 20


@pytest.fixture(scope="module")
def fleet():
    running = Sandbox("--gateways", "2")
    yield running
    running.stop()


def admin(fleet, index, path):
    status, _, body = request(fleet.describe()["gateways"][index]["admin"], "GET", path, headers=bearer(fleet.token))
    assert status == 200, body
    return body.decode()


def slots(fleet, index, name):
    """(mine, all) slots of a service at one gateway; None while it does not know the service."""
    found = re.search(rf"^default/{name} .* slots=(\d+)/(\d+) ", admin(fleet, index, "/debug/state"), re.MULTILINE)
    return found and tuple(int(number) for number in found.groups())


class Callers:
    """Callers of one gateway that ask again as soon as they are answered, and what they got."""

    def __init__(self, gateway, model, count):
        self.stopping, self.statuses = threading.Event(), []
        self.threads = [threading.Thread(target=self.ask, args=(gateway, model)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self, gateway, model):
        while not self.stopping.is_set():
            self.statuses.append(chat(gateway, model)[0])

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)


def running(stub):
    """Requests that the model works on now, by its own count."""
    text = request(stub, "GET", "/metrics")[2].decode()
    return int(float(re.search(r"^vllm:num_requests_running\S* (\S+)", text, re.MULTILINE).group(1)))


def most_running(stub, seconds):
    end, most = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        most = max(most, running(stub))
        time.sleep(0.02)
    return most


def test_the_callers_gateway_gets_the_slots(fleet):
    kubectl = fleet.kubectl()
    document = service(
        "shared", dedicated={"replicas": 1}, burst={"maxReplicas": 0},
        scaling={**FAST, "target": LIMIT, "maxConcurrency": LIMIT})
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--ttft=300ms", "--tbt=1ms"]
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    eventually(lambda: all(slots(fleet, index, "shared") == (LIMIT // 2, LIMIT) for index in (0, 1)), "even shares")
    pod = kubectl.json("get", "pods", "-l", "serving.pilotlight.dev/service=shared")["items"][0]
    stub = f"http://{pod['status']['podIP']}:8000"

    for index in (1, 0):
        callers = Callers(fleet.gateway(index), "shared", 2 * LIMIT)
        try:
            eventually(lambda: running(stub) >= 0.9 * LIMIT, "nine tenths of the slots in use", timeout=2, interval=0.02)
            assert slots(fleet, index, "shared")[0] >= 0.9 * LIMIT
            assert 0.9 * LIMIT <= most_running(stub, 2) <= LIMIT
        finally:
            callers.stop()
        assert callers.statuses and set(callers.statuses) == {200}

    # Callers at both: the slots are shared, and there are never more than the model takes.
    both = [Callers(fleet.gateway(index), "shared", 2 * LIMIT) for index in (0, 1)]
    try:
        eventually(lambda: all(slots(fleet, index, "shared")[0] >= 0.4 * LIMIT for index in (0, 1)), "shares by demand", timeout=5)
        assert 0.8 * LIMIT <= most_running(stub, 3) <= LIMIT
    finally:
        for callers in both:
            callers.stop()

    # The controller dies: the gateways share evenly after a while, still within the bound; the next one deals again.
    callers = Callers(fleet.gateway(1), "shared", 2 * LIMIT)
    try:
        eventually(lambda: slots(fleet, 1, "shared")[0] >= 0.9 * LIMIT, "the slots", timeout=5)
        pid = fleet.controller_pid()
        fleet.kill_controller()
        assert most_running(stub, 3) <= LIMIT
        eventually(lambda: fleet.describe()["controller"].get("pid") not in (None, pid), "a new controller")
        eventually(lambda: slots(fleet, 1, "shared")[0] >= 0.9 * LIMIT, "the slots again", timeout=20)
        assert most_running(stub, 1) <= LIMIT
    finally:
        callers.stop()
