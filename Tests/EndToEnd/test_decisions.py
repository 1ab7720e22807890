"""Every decision can be read with its inputs and computed again."""
import json
import subprocess

import pytest

from harness import BINARY, FAST, bearer, chat, eventually, request, service


@pytest.fixture(scope="module")
def kubectl(sandbox):
    return sandbox.kubectl()


def apply(kubectl, document):
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))


def state(kubectl, name):
    return kubectl.out("get", "infsvc", name, "-o", "jsonpath={.status.display.state}")


def decisions(sandbox, query):
    return request(sandbox.describe()["controller"]["admin"], "GET", f"/debug/decisions{query}", headers=bearer(sandbox.token))


def replay(*arguments, stdin=None):
    return subprocess.run([BINARY, "replay", *arguments], input=stdin, capture_output=True, text=True, timeout=60)


def test_a_wake_and_a_sleep_are_recorded_and_come_out_the_same(sandbox, kubectl):
    apply(kubectl, service("explained", burst={"sleepAfter": "2s"}, scaling=FAST))
    eventually(lambda: state(kubectl, "explained") == "Asleep", "asleep", 60)
    assert chat(sandbox.gateway(), "explained")[0] == 200
    eventually(lambda: state(kubectl, "explained") == "Asleep", "asleep again", 60)
    code, headers, body = decisions(sandbox, "?service=default/explained")
    assert code == 200 and headers["content-type"] == "application/x-ndjson"
    records = [json.loads(line) for line in body.splitlines()]
    reasons = [record["decision"]["reason"] for record in records]
    assert "Activated" in reasons and "Idle" in reasons[reasons.index("Activated"):], reasons
    done = replay("--explain", "-", stdin=body.decode())
    assert done.returncode == 0 and f"{len(records)} agree, 0 disagree" in done.stdout, done.stdout + done.stderr
    assert "waking 1 burst replica" in done.stdout

    # One that was tampered with, and one of another version.
    wake = records[reasons.index("Activated")]
    wake["decision"]["burst"] = 7
    done = replay("-", stdin=json.dumps(wake))
    assert done.returncode == 1 and "disagrees: recorded dedicated 0, burst 7" in done.stdout, done.stdout
    wake["function"] -= 1
    done = replay("-", stdin=json.dumps(wake))
    assert done.returncode == 0 and "differs by version" in done.stdout, done.stdout
    done = replay("-", stdin="{}")
    assert done.returncode == 1 and "line 1" in done.stderr, done.stderr


def test_decisions_are_for_those_who_may_read_the_state(sandbox):
    address = sandbox.describe()["controller"]["admin"]
    assert request(address, "GET", "/debug/decisions?service=default/x")[0] == 401
    assert decisions(sandbox, "")[0] == 400
    assert decisions(sandbox, "?service=x")[0] == 400
    code, _, body = decisions(sandbox, "?service=default/nobody")
    assert (code, body) == (200, b"")


def test_tokens_per_second_and_an_objective_are_acted_on(sandbox, kubectl):
    apply(kubectl, service("tokens", burst={"maxReplicas": 3}, scaling=FAST | {"metric": "TokensPerSecond", "target": 100000}))
    apply(kubectl, service("prompt", burst={"maxReplicas": 3}, scaling=FAST | {"objective": {"timeToFirstToken": "2s", "percentile": 99}}))
    for name in ("tokens", "prompt"):
        assert chat(sandbox.gateway(), name)[0] == 200
    records = [json.loads(line) for line in decisions(sandbox, "?service=default/tokens")[2].splitlines()]
    assert records[-1]["policy"]["metric"] == "TokensPerSecond"
    records = [json.loads(line) for line in decisions(sandbox, "?service=default/prompt")[2].splitlines()]
    assert records[-1]["policy"]["objective"] == {"percentile": 99, "timeToFirstToken": 2}
