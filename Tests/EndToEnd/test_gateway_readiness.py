"""Early readiness: the gateway runs a pod's own readiness probe, and does not wait for the kubelet's next look."""
import json

from harness import FAST, Sandbox, chat, eventually, request, service

# Longer than the test waits: what the kubelet has not seen ready at its first look it does not see ready at all.
PERIOD = 300


def slow_to_look(name, **probes):
    """A service whose model loads for a second, with a probe that the kubelet runs every five minutes."""
    document = service(name, load="1s", scaling=FAST)
    container = document["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"]["periodSeconds"] = PERIOD
    container.update(probes)
    return document


def test_a_pod_answers_before_its_kubelet_has_looked_again():
    sandbox = Sandbox("--probe-by-period")
    try:
        kubectl = sandbox.kubectl()
        # With a startup probe the kubelet alone says when the pod is ready.
        startup = {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1}
        services = [slow_to_look("early"), slow_to_look("late", startupProbe=startup)]
        kubectl.run("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, services)))
        for name, ready in {"early": "False", "late": "True"}.items():
            eventually(lambda: name.encode() in request(sandbox.gateway(), "GET", "/v1/models")[2], f"{name} at the gateway")
            status, headers, body = chat(sandbox.gateway(), name, headers={"Prefer": "wait=60"})
            assert status == 200 and headers["pilotlight-cold-start"] == "true", body
            pods = kubectl.json("get", "pods", "-l", f"serving.pilotlight.dev/service={name}")["items"]
            conditions = {c["type"]: c["status"] for c in pods[0]["status"]["conditions"]}
            assert len(pods) == 1 and conditions["Ready"] == ready, name
            # It goes on serving, though the EndpointSlice has not named it ready yet.
            assert [chat(sandbox.gateway(), name)[0] for _ in range(3)] == [200] * 3
    finally:
        sandbox.stop()
