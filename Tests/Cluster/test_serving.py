"""Models that sleep, are held for, wake, burst and fail."""
import json
import threading
import uuid

import pytest

SLEEPY = {"burst": {"maxReplicas": 1, "sleepAfter": "1s"}}


def in_background(count, work):
    """Runs `work()` in `count` threads; returns the threads and the list that their results go to."""
    results = []

    def run():
        try:
            results.append(work())
        except Exception as problem:  # the test says what it expected instead
            results.append(problem)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def test_requests_wake_a_sleeping_model_and_it_sleeps_again(cluster):
    cluster.apply(cluster.service("wakes", **SLEEPY))
    cluster.until_state("wakes", "Asleep")
    assert cluster.condition("wakes", "Ready")["status"] == "True"
    assert not cluster.pods("wakes")
    threads, answers = in_background(8, lambda: cluster.chat("wakes"))
    for thread in threads:
        thread.join(cluster.timeout)
    assert [answer[0] for answer in answers] == [200] * 8, answers[0][2]
    assert {answer[1]["pilotlight-pool"] for answer in answers} == {"burst"}
    assert max(int(answer[1]["pilotlight-queued-ms"]) for answer in answers) > 100
    assert json.loads(answers[0][2])["choices"]
    cluster.until_state("wakes", "Asleep")
    cluster.eventually(lambda: not cluster.pods("wakes"), "no pod of wakes")
    status = cluster.status("wakes")
    assert status["coldStart"]["samples"] >= 1 and float(status["usage"]["burstReplicaHours"]) > 0
    # The Events that tell the story to whoever describes the object.
    events = cluster.json("get", "events", "--field-selector=involvedObject.name=wakes")["items"]
    assert {"ScaledUp", "ScaledDown"} <= {event["reason"] for event in events}, events


def test_an_openai_client_streams(cluster):
    import openai  # takes a second, which runs of other tests need not spend

    alias = "alias-" + uuid.uuid4().hex[:8]
    cluster.apply(cluster.service("streams", model={"aliases": [alias]}, dedicated={"replicas": 1}))
    cluster.until_state("streams", "Serving")
    with openai.OpenAI(base_url=cluster.gateway + "/v1", api_key="unused", max_retries=0) as client:
        assert alias in {model.id for model in client.models.list()}
        pieces = list(client.chat.completions.create(model=alias, messages=[{"role": "user", "content": "Hi"}], max_tokens=5, stream=True))
        assert sum(1 for piece in pieces if piece.choices and piece.choices[0].delta.content) >= 1
        with pytest.raises(openai.NotFoundError) as problem:
            client.chat.completions.create(model=alias + "-not", messages=[{"role": "user", "content": "Hi"}])
        assert problem.value.code == "model_not_found"
    cluster.delete("streams")


@pytest.mark.needs("model_stub")
def test_load_beyond_the_dedicated_pool_lights_the_burst_pool(cluster):
    cluster.apply(cluster.service(
        "peaks", arguments=["--ttft=300ms", "--max-concurrency=2"], dedicated={"replicas": 1},
        burst={"maxReplicas": 1, "sleepAfter": "1s"},
        scaling={"target": 1, "maxConcurrency": 2, "stableWindow": "6s", "panicWindow": "2s", "scaleDownDelay": "0s"}))
    cluster.until_state("peaks", "Serving")
    is_over = threading.Event()

    def keep_asking():
        answers = set()
        while not is_over.is_set():
            status, headers, _ = cluster.chat("peaks")
            answers.add((status, headers.get("pilotlight-pool")))
        return answers

    threads, answers = in_background(6, keep_asking)
    try:
        cluster.until_state("peaks", "Bursting")
        cluster.eventually(lambda: cluster.status("peaks")["burst"]["readyReplicas"] == 1, "a burst replica")
        cluster.eventually(lambda: cluster.status("peaks")["lastDecision"]["pool"] == "Burst", "the decision")
    finally:
        is_over.set()
        for thread in threads:
            thread.join(cluster.timeout)
    assert set().union(*answers) == {(200, "dedicated"), (200, "burst")}, answers
    cluster.until_state("peaks", "Serving")
    cluster.eventually(lambda: len(cluster.pods("peaks")) == 1, "the dedicated pod alone")
    cluster.delete("peaks")


def test_requests_that_ask_no_model_wake_none(cluster):
    cluster.apply(cluster.service("sound-asleep"))
    cluster.until_state("sound-asleep", "Asleep")
    model = cluster.model("sound-asleep")
    # Listed by its bare name, or by the full one where an older service has that.
    assert {model, "sound-asleep"} & {entry["id"] for entry in json.loads(cluster.request("GET", "/v1/models")[2])["data"]}
    assert cluster.request("POST", "/v1/chat/completions", "{not json")[0] == 400
    assert cluster.request("POST", "/v1/chat/completions", {"messages": []})[0] == 400
    status, _, body = cluster.request("GET", f"/{model}/health")
    assert (status, json.loads(body)["error"]["code"]) == (503, "model_asleep")
    # Had one of them woken it, this wait would end with its pod.
    done = cluster.run("wait", "-n", cluster.namespace, "--for=condition=BurstReady=false", "infsvc/sound-asleep", "--timeout=2s")
    assert done.returncode and cluster.state("sound-asleep") == "Asleep" and not cluster.pods("sound-asleep")
    cluster.delete("sound-asleep")


@pytest.mark.needs("model_stub")
def test_a_callers_patience_bounds_its_wait(cluster):
    cluster.apply(cluster.service("slow", arguments=["--load-time=60s"]))
    cluster.until_state("slow", "Asleep")
    status, headers, body = cluster.chat("slow", headers={"Prefer": "wait=1"})
    assert status == 503 and int(headers["retry-after"]) >= 1, body
    assert json.loads(body)["error"]["code"] == "model_waking" and 1000 <= int(headers["pilotlight-queued-ms"]) < 10_000
    cluster.until_state("slow", "Waking")
    cluster.delete("slow")


@pytest.mark.needs("model_stub")
def test_a_model_that_crashes_is_told_and_not_waited_for(cluster):
    cluster.apply(cluster.service("crashes", arguments=["--crash-at-start", "--exit-code=7"]))
    cluster.until_state("crashes", "Asleep")
    status, headers, body = cluster.chat("crashes")
    assert status == 503 and int(headers["retry-after"]) > 0, body
    ready = cluster.until_condition("crashes", "Ready", "False")
    assert ready["reason"] == "CrashLoopBackOff" and "7" in ready["message"] and "the next one is due" in ready["message"], ready
    # Until then nobody is held.
    status, headers, body = cluster.chat("crashes")
    assert json.loads(body)["error"]["code"] == "model_unavailable" and int(headers.get("pilotlight-queued-ms", 0)) < 1000
    cluster.delete("crashes")
