"""`pilotlight simulate` on a trace small enough to be counted by hand: a change before it is applied, and overflow."""
import csv
import io
import json
import subprocess

import pytest

from harness import BINARY

# Four requests of two seconds each; the third has a long prompt, the fourth a long answer.
TRACE = """model,time,prompt_tokens,output_tokens,duration
owl,0,100,10,2
owl,30,100,10,2
owl,300,1000000,10,2
owl,1000,100,1000000,2
"""


def document(sleep_after, **changes):
    spec = {
        "template": {"spec": {"containers": [{"name": "m", "image": "m", "ports": [{"containerPort": 80}]}]}},
        "burst": {"maxReplicas": 1, "sleepAfter": sleep_after},
        "economics": {"currency": "EUR", "waitingHourlyPrice": "30", "burst": {"hourlyPrice": "3"}}, **changes}
    return {
        "apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
        "metadata": {"name": f"owl-{sleep_after}", "namespace": "default"}, "spec": spec}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "trace.csv").write_text(TRACE)
    for sleep_after in ("60s", "600s"):
        (tmp_path / f"{sleep_after}.json").write_text(json.dumps(document(sleep_after)))
    return tmp_path


def simulate(folder, *arguments, stdin=None):
    command = [str(BINARY), "simulate", "--trace", "trace.csv", "--load-time", "10", *arguments]
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True, timeout=60)


def policies(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["policies"]


def test_what_a_change_would_have_done(folder):
    before, after = policies(simulate(folder, "--service", "60s.json", "--against", "600s.json", "-o", "json"))
    assert before["policy"] == "against (owl-600s)" and after["policy"] == "service (owl-60s)"
    # Awake from 0 s to 902 s, and from 1000 s to the end of its load and its request.
    assert round(before["replica_hours"] * 3600, 6) == 902 + 12 and before["cold_starts"] == 2
    # From 0 s to 92 s, from 300 s to 372 s, and at the end.
    assert round(after["replica_hours"] * 3600, 6) == 92 + 72 + 12 and after["cold_starts"] == 3
    assert (before["waiting_share"], after["waiting_share"]) == (0.5, 0.75)
    # A replica-second costs 3/3600; one request that waits for ten seconds at 30 an hour costs 100 of them.
    assert before["cost"] == 914 + 2 * 100 and after["cost"] == 176 + 3 * 100
    assert abs(before["money"] - 914 * 3 / 3600) < 1e-9 and abs(after["money"] - 176 * 3 / 3600) < 1e-9


def test_the_table_of_a_change(folder):
    done = simulate(folder, "--service", "-", "--against", "600s.json", stdin=json.dumps(document("60s")))
    assert done.returncode == 0, done.stderr
    lines = {line[:24].strip(): line.split() for line in done.stdout.splitlines()}
    assert lines["cold starts"][-4:] == ["2", "3", "+1", "+50.0%"]
    assert lines["cost (replica-seconds)"][-4:] == ["1114", "476", "-638", "-57.3%"]
    assert lines["money"][-4:] == ["0.76", "0.15", "-0.62", "-80.7%"]
    assert "4 requests of 1 model in 16m40s" in done.stdout


def test_a_flag_goes_before_both_services(folder):
    before, after = policies(
        simulate(folder, "--service", "60s.json", "--against", "600s.json", "--sleep-after", "0s", "-o", "json"))
    for name in ("replica_hours", "cold_starts", "cost", "money"):
        assert before[name] == after[name], name
    assert before["cold_starts"] == 4


def test_the_same_service_twice_changes_nothing_and_a_run_repeats(folder):
    arguments = ("--service", "600s.json", "--against", "600s.json", "--seed", "7", "-o", "csv")
    first, second = simulate(folder, *arguments), simulate(folder, *arguments)
    assert first.returncode == 0 and first.stdout == second.stdout
    rows = list(csv.DictReader(io.StringIO(first.stdout)))
    assert len(rows) == 2
    for name in set(rows[0]) - {"policy"}:
        assert rows[0][name] == rows[1][name], name


def test_overflow_takes_what_would_wait_and_costs_by_request_and_token(folder):
    flags = ("--policies", "fixed:60s", "-o", "json")
    (plain,) = policies(simulate(folder, *flags))
    assert plain["overflow_share"] == 0 and plain["waiting_share"] == 0.75 and plain["overflow_money"] is None
    (over,) = policies(simulate(
        folder, *flags, "--overflow", "Waking", "--overflow-latency", "1s", "--overflow-prices", "0.5,2,3"))
    # The second request finds a replica: the first one woke it.
    assert over["overflow_share"] == 0.75 and over["waiting_share"] == 0 and over["cold_starts"] == 3
    assert abs(over["overflow_money"] - (3 * 0.5 + 1.0002 * 2 + 1.00002 * 3)) < 1e-9
    assert abs(over["first_token_p99_seconds"] - 1) < 0.01


def test_what_is_saturated_overflows_only_where_asked(folder):
    rows = "".join(f"owl,{second},100,10,50\n" for second in (0, 60, 61, 62))
    (folder / "trace.csv").write_text("model,time,prompt_tokens,output_tokens,duration\n" + rows)
    flags = ("--policies", "fixed:1h", "--max-concurrency", "1", "-o", "json")
    # The first one wakes the model and has left by 60 s; then there is one place for three.
    for when, share in (("Waking", 0.25), ("Saturated", 0.5), ("Waking,Saturated", 0.75)):
        (policy,) = policies(simulate(folder, *flags, "--overflow", when))
        assert policy["overflow_share"] == share, when


def test_a_service_brings_its_own_overflow_and_a_flag_goes_before_it(folder):
    overflow = [{
        "name": "cloud", "provider": "OpenAI", "url": "https://example.com/v1", "when": ["Waking"],
        "price": {"perRequest": "0.5", "perMillionInputTokens": "2", "perMillionOutputTokens": "3"}}]
    (folder / "over.json").write_text(json.dumps(document("60s", overflow=overflow)))
    done = simulate(folder, "--service", "over.json", "--against", "60s.json", "-o", "json")
    before, after = policies(done)
    assert before["overflow_share"] == 0 and after["overflow_share"] == 0.75, done.stdout
    assert abs(after["overflow_money"] - (3 * 0.5 + 1.0002 * 2 + 1.00002 * 3)) < 1e-9
    before, after = policies(simulate(
        folder, "--service", "over.json", "--against", "60s.json", "--overflow", "Waking", "--overflow-prices", "1,0,0",
        "-o", "json"))
    assert before["overflow_money"] == after["overflow_money"] == 3


@pytest.mark.parametrize("arguments, word", [
    (("--overflow", "Nope"), "--overflow: 'Nope' is not Waking, Saturated or Waking,Saturated"),
    (("--overflow", "Waking", "--overflow-prices", "1,2"), "is not three numbers"),
    (("--overflow", "Waking", "--overflow-prices", "1,2,-3"), "is not three numbers"),
    (("--against", "600s.json"), "--against"),
    (("--service", "trace.csv"), "trace.csv is not JSON"),
    (("--service", "absent.json"), "absent.json"),
])
def test_what_is_wrong_is_named(folder, arguments, word):
    done = simulate(folder, *arguments)
    assert done.returncode in (1, 2) and word in done.stderr and not done.stdout, done.stderr
