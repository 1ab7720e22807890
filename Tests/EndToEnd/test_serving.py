"""Models that sleep, wake, burst and fail, as an application and its operator meet them."""
import json
import os
import signal
import subprocess
import threading
import time

import openai
import pytest

from harness import BINARY, FAST, ROOT, Sandbox, chat, eventually, request, service


@pytest.fixture(scope="module")
def kubectl(sandbox):
    return sandbox.kubectl()


def state(kubectl, name):
    return kubectl.out("get", "infsvc", name, "-o", "jsonpath={.status.display.state}")


def apply(kubectl, *documents):
    # kubectl 1.20 reads no stream of JSON documents, and a newer one validates a List by /openapi/v2.
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    stream = "\n---\n".join(json.dumps(document) for document in documents)
    kubectl.run("apply", "-f", "-", stdin=listed if kubectl.is_old else stream)


def condition(kubectl, name, kind):
    status = kubectl.json("get", "infsvc", name).get("status", {})
    return next((c for c in status.get("conditions", []) if c["type"] == kind), {})


def asleep(kubectl, name, timeout=60):
    eventually(lambda: state(kubectl, name) == "Asleep", f"{name} asleep", timeout)


def test_a_sleeping_model_wakes_answers_and_sleeps(sandbox, kubectl):
    apply(kubectl, service("wakes", burst={"sleepAfter": "2s"}, scaling=FAST))
    asleep(kubectl, "wakes")
    assert condition(kubectl, "wakes", "Ready")["status"] == "True"
    status, headers, body = chat(sandbox.gateway(), "wakes")
    assert status == 200, body
    assert headers["pilotlight-pool"] == "burst" and int(headers["pilotlight-queued-ms"]) > 100
    assert json.loads(body)["choices"]
    asleep(kubectl, "wakes")
    assert not kubectl.json("get", "pods", "-l", "serving.pilotlight.dev/service=wakes")["items"]
    reasons = {e["reason"] for e in kubectl.json("get", "events", "--field-selector=involvedObject.name=wakes")["items"]}
    assert any(reason.startswith("Scaled") for reason in reasons), reasons


def test_auto_chooses_the_window_and_says_why(sandbox, kubectl):
    """A wake that costs next to nothing makes the shortest window there is: a minute."""
    apply(kubectl, service("auto", burst={"sleepAfter": "Auto"}, scaling=FAST,
                           economics={"waitingHourlyPrice": "0", "burst": {"hourlyPrice": "3"}}))
    asleep(kubectl, "auto")
    assert chat(sandbox.gateway(), "auto")[0] == 200
    answered = time.monotonic()
    asleep(kubectl, "auto", timeout=120)
    assert time.monotonic() - answered >= 55
    decision = kubectl.json("get", "infsvc", "auto")["status"]["lastDecision"]
    assert decision["reason"] == "Idle"
    assert "Auto stays awake for 1m: a wake costs" in decision["message"], decision
    assert decision["inputs"]["sleepAfter"] == "Auto: 1m", decision


def test_an_openai_client_streams(sandbox, kubectl):
    apply(kubectl, service("streams", burst={"sleepAfter": "5s"}, scaling=FAST, model={"aliases": ["gpt-alias"]}))
    asleep(kubectl, "streams")
    client = openai.OpenAI(base_url=sandbox.gateway() + "/v1", api_key="unused", max_retries=0)
    assert "streams" in {model.id for model in client.models.list()}
    pieces = list(client.chat.completions.create(model="gpt-alias", messages=[{"role": "user", "content": "Hi"}], max_tokens=5, stream=True))
    assert sum(1 for piece in pieces if piece.choices and piece.choices[0].delta.content) == 5
    with pytest.raises(openai.NotFoundError) as problem:
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "Hi"}])
    assert problem.value.code == "model_not_found"


def test_a_hundred_sleeping_services_make_no_pod(sandbox, kubectl):
    apply(kubectl, *(service(f"idle-{index}") for index in range(100)))
    try:
        eventually(
            lambda: sum(1 for s in kubectl.json("get", "infsvc")["items"]
                        if s["metadata"]["name"].startswith("idle-") and s.get("status", {}).get("display", {}).get("state") == "Asleep") == 100,
            "a hundred asleep", timeout=120)
        pods = kubectl.json("get", "pods")["items"]
        assert not [p for p in pods if p["metadata"]["name"].startswith("idle-")]
    finally:
        kubectl.run("delete", "infsvc", *(f"idle-{index}" for index in range(100)), "--wait=false")


def test_two_claims_to_one_name(sandbox, kubectl):
    apply(kubectl, service("elder", model={"name": "shared-name"}))
    eventually(lambda: condition(kubectl, "elder", "NamesAccepted").get("status") == "True", "the elder's name")
    time.sleep(1.1)  # creation times have a resolution of a second
    apply(kubectl, service("younger", model={"name": "shared-name"}))
    verdict = eventually(lambda: condition(kubectl, "younger", "NamesAccepted"), "the younger's verdict")
    assert verdict["status"] == "False" and "shared-name" in verdict["message"] and "elder" in verdict["message"]
    kubectl.run("delete", "infsvc", "elder", "younger")


def test_a_model_that_crashes(sandbox, kubectl):
    crashing = service("crashes", scaling=FAST)
    crashing["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["/bin/sh", "-c", "echo weights are corrupt >&2; exit 3"], "args": []}
    apply(kubectl, crashing)
    asleep(kubectl, "crashes")
    status, headers, body = chat(sandbox.gateway(), "crashes")
    assert status == 503 and int(headers["retry-after"]) > 0
    error = json.loads(body)["error"]
    assert error["message"] and error["type"]
    ready = eventually(lambda: (c := condition(kubectl, "crashes", "Ready")).get("status") == "False" and c, "Ready=False")
    assert "weights are corrupt" in ready["message"]
    kubectl.run("delete", "infsvc", "crashes")


def test_a_pod_that_listens_everywhere_is_failed(sandbox, kubectl):
    # On a port of its own: where other pods already listen on theirs, the kernel refuses every address by itself.
    document = service("everywhere", arguments=["--listen=0.0.0.0:8123"], dedicated={"replicas": 1}, scaling=FAST)
    document["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = 8123
    apply(kubectl, document)
    eventually(
        lambda: any("POD_IP" in e.get("message", "") for e in kubectl.json("get", "events")["items"]
                    if e["involvedObject"]["name"].startswith("everywhere")), "the event that says so")
    kubectl.run("delete", "infsvc", "everywhere")


def test_bad_requests_never_wake(sandbox, kubectl):
    apply(kubectl, service("sound-asleep"))
    asleep(kubectl, "sound-asleep")
    gateway = sandbox.gateway()
    assert request(gateway, "GET", "/v1/models")[0] == 200
    assert request(gateway, "POST", "/v1/chat/completions", "{not json")[0] == 400
    assert request(gateway, "POST", "/v1/chat/completions", {"messages": []})[0] == 400
    assert request(gateway, "OPTIONS", "/default/sound-asleep/v1/chat/completions")[0] < 500
    time.sleep(1)
    assert state(kubectl, "sound-asleep") == "Asleep"
    assert not kubectl.json("get", "pods", "-l", "serving.pilotlight.dev/service=sound-asleep")["items"]


def test_the_controller_tells_about_itself(sandbox, kubectl):
    admin = sandbox.describe()["controller"]["admin"]
    assert request(admin, "GET", "/healthz", timeout=5)[0] == 200
    eventually(lambda: request(admin, "GET", "/readyz", timeout=5)[0] == 200, "the controller's readiness", 10)
    assert b'pilotlight_api_requests_total{method="GET",code="200"}' in request(admin, "GET", "/metrics", timeout=5)[2]
    assert request(admin, "GET", "/other", timeout=5)[0] == 404


def test_patience_has_a_bound(sandbox, kubectl):
    apply(kubectl, service("slow", load="20s", scaling=FAST, burst={"sleepAfter": "2s"}))
    asleep(kubectl, "slow")
    begun = time.monotonic()
    status, headers, body = chat(sandbox.gateway(), "slow", headers={"Prefer": "wait=1"})
    assert status == 503 and int(headers["retry-after"]) >= 1, body
    assert time.monotonic() - begun < 10
    kubectl.run("delete", "infsvc", "slow")


def hold(gateway, model, count):
    """Starts `count` requests; the list fills with (status, body) as they are answered."""
    answers = []

    def ask():
        try:
            status, _, body = chat(gateway, model)
            answers.append((status, body))
        except OSError as problem:
            answers.append((0, str(problem).encode()))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


def held(kubectl, name):
    return int(kubectl.out("get", "infsvc", name, "-o", "jsonpath={.status.load.held}") or 0)


def test_killing_the_controller_loses_no_held_request(sandbox, kubectl):
    apply(kubectl, service("survivor", load="3s", burst={"sleepAfter": "5s"}, scaling=FAST))
    asleep(kubectl, "survivor")
    killed = sandbox.kill_controller()  # before the wake: only the activation Lease tells the next controller
    threads, answers = hold(sandbox.gateway(), "survivor", 8)
    sandbox.controller_pid(other_than=killed)
    time.sleep(1.5)
    sandbox.kill_controller()  # and again while the model loads
    for thread in threads:
        thread.join(120)
    assert [status for status, _ in answers] == [200] * 8, answers


def test_one_gateway_of_two_dies():
    sandbox = Sandbox("--gateways", "2")
    try:
        kubectl = sandbox.kubectl()
        apply(kubectl, service("pair", load="3s", burst={"sleepAfter": "5s"}, scaling=FAST))
        asleep(kubectl, "pair")
        doomed_threads, doomed = hold(sandbox.gateway(1), "pair", 2)
        threads, answers = hold(sandbox.gateway(0), "pair", 6)
        time.sleep(0.5)
        sandbox.kill_gateway(1)
        for thread in threads + doomed_threads:
            thread.join(120)
        assert [status for status, _ in answers] == [200] * 6, answers
        assert len(doomed) == 2
    finally:
        sandbox.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "Ctrl-C"])
def test_nothing_survives_the_sandbox(number):
    sandbox = Sandbox()
    try:
        kubectl = sandbox.kubectl()
        # A shell between the kubelet and the model: grandchildren must go too.
        document = service("orphan", dedicated={"replicas": 1}, scaling=FAST)
        container = document["spec"]["template"]["spec"]["containers"][0]
        container["command"], container["args"] = ["/bin/sh", "-c", "pilotlight model-stub --ttft=7ms; true"], []
        apply(kubectl, document)
        eventually(lambda: state(kubectl, "orphan") == "Serving", "a serving pod")
        alive = lambda: subprocess.run(["pgrep", "-f", f"{sandbox.state}|--ttft=7ms"], capture_output=True, text=True).stdout.split()
        assert len(alive()) >= 4  # the sandbox, the controller, the gateway, the model
        sandbox.process.send_signal(number)
        sandbox.process.wait(60)
        eventually(lambda: not alive(), "no process of the sandbox")
    finally:
        sandbox.stop()


def test_a_taken_port_is_named(sandbox):
    port = sandbox.gateway().rsplit(":", 1)[1]
    done = subprocess.run([BINARY, "sandbox", "--http-port", port], capture_output=True, text=True, timeout=30, cwd=ROOT)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert done.returncode != 0 and port in lines[-1] and "--http-port" in lines[-1]


@pytest.mark.parametrize("content, named", [("", "kubeconfig"), ("{", "kubeconfig"), (None, "kubeconfig")])
def test_a_broken_kubeconfig_is_one_line(tmp_path, content, named):
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    done = subprocess.run([BINARY, "controller", "--kubeconfig", str(path)], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and len(done.stderr.strip().splitlines()) == 1 and named in done.stderr


def test_a_real_model_wakes_answers_and_sleeps(sandbox, kubectl):
    kubectl.run("apply", "-f", str(ROOT / "Manifests/samples/embedding.yaml"))
    asleep(kubectl, "minilm")
    client = openai.OpenAI(base_url=sandbox.gateway() + "/v1", api_key="unused", max_retries=0)
    texts = ["That is a happy person", "That is a very happy person", "Today is a sunny day"]
    vectors = [item.embedding for item in client.embeddings.create(model="all-MiniLM-L6-v2", input=texts).data]
    similarity = lambda a, b: sum(x * y for x, y in zip(a, b))
    # The model card's own example: 0.943 and 0.257.
    assert abs(similarity(vectors[0], vectors[1]) - 0.943) < 0.001
    assert abs(similarity(vectors[0], vectors[2]) - 0.257) < 0.001
    asleep(kubectl, "minilm")
    kubectl.run("delete", "infsvc", "minilm")
