"""kubectl, the real binary, against the sandbox: what a platform engineer types, and what it must print."""
import json
import os
import uuid

import pytest

from harness import FAST, eventually, service


@pytest.fixture(scope="session")
def kubectl(sandbox, modern):
    return sandbox.kubectl(modern)


@pytest.fixture
def namespace(kubectl):
    name = "t-" + uuid.uuid4().hex[:8]
    assert kubectl.out("create", "ns", name) == f"namespace/{name} created\n"
    yield name
    kubectl.run("delete", "ns", name, "--wait=false")


def deployment(name, replicas=1, arguments=(), version="1"):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, "version": version}},
                "spec": {
                    "terminationGracePeriodSeconds": 5,
                    "containers": [
                        {
                            "name": "model",
                            "image": "pilotlight/model-stub",
                            "command": ["pilotlight", "model-stub"],
                            "args": ["--load-time=50ms", *arguments],
                            "ports": [{"name": "http", "containerPort": 8000}],
                            "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1},
                        }
                    ],
                },
            },
        },
    }


def test_version_and_discovery(kubectl):
    assert "Server Version: v1." in kubectl.out("version")
    resources = kubectl.out("api-resources")
    line = next(line for line in resources.splitlines() if line.startswith("inferenceservices"))
    assert line.split() == ["inferenceservices", "infsvc", "serving.pilotlight.dev/v1alpha1", "true", "InferenceService"]
    for kind in ("Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "Event", "Lease", "Secret", "ConfigMap", "Namespace", "Node"):
        assert any(line.split()[-1] == kind for line in resources.splitlines()[1:]), kind


def test_explain(kubectl):
    text = kubectl.out("explain", "infsvc.spec.burst")
    assert "maxReplicas" in text and "sleepAfter" in text and "FIELDS:" in text
    assert "replicas" in kubectl.out("explain", "deployment.spec")


def test_apply_on_the_client_side(kubectl, namespace):
    document = service("idle", namespace)
    run = lambda *more: kubectl.out("apply", "-n", namespace, *more, "-f", "-", stdin=json.dumps(document))
    name = "inferenceservice.serving.pilotlight.dev/idle"
    assert run("--dry-run=server") == f"{name} created (server dry run)\n"
    assert "NotFound" in kubectl.run("get", "infsvc", "idle", "-n", namespace, check=False).stderr
    assert run() == f"{name} created\n"
    assert run() == f"{name} unchanged\n"
    document["spec"]["burst"] = {"maxReplicas": 3}
    assert run() == f"{name} configured\n"
    stored = kubectl.json("get", "infsvc", "idle", "-n", namespace)
    assert stored["spec"]["burst"] == {"maxReplicas": 3, "sleepAfter": "10m", "spareReplicas": 0}
    assert stored["metadata"]["generation"] == 2
    del document["spec"]["burst"]
    assert run() == f"{name} configured\n"
    assert kubectl.json("get", "infsvc", "idle", "-n", namespace)["spec"]["burst"]["maxReplicas"] == 1


def test_apply_on_the_server_side(kubectl, namespace):
    document = service("ssa", namespace, dedicated={"replicas": 0})
    apply = lambda *more, check=True: kubectl.run(
        "apply", "--server-side", "-n", namespace, *more, "-f", "-", stdin=json.dumps(document), check=check)
    assert apply().stdout == "inferenceservice.serving.pilotlight.dev/ssa serverside-applied\n"
    version = kubectl.json("get", "infsvc", "ssa", "-n", namespace)["metadata"]["resourceVersion"]
    apply("--dry-run=server")
    managers = kubectl.json("get", "infsvc", "ssa", "-n", namespace, "--show-managed-fields")["metadata"]["managedFields"]
    assert any(m["manager"] == "kubectl" and m["operation"] == "Apply" for m in managers)
    document["spec"]["dedicated"]["replicas"] = 1
    conflict = apply("--field-manager=other", check=False)
    assert conflict.returncode == 1 and "conflict with \"kubectl\": .spec.dedicated.replicas" in conflict.stderr
    apply("--field-manager=other", "--force-conflicts")
    assert kubectl.json("get", "infsvc", "ssa", "-n", namespace)["spec"]["dedicated"]["replicas"] == 1
    assert version


def test_get_in_every_form(kubectl, namespace):
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(service("forms", namespace)))
    eventually(lambda: "Asleep" in kubectl.out("get", "infsvc", "forms", "-n", namespace), "the state in the table")
    lines = kubectl.out("get", "infsvc", "-n", namespace).splitlines()
    assert lines[0].split() == ["NAME", "STATE", "DEDICATED", "BURST", "HELD", "RPM", "SAVED", "URL", "AGE"]
    assert lines[1].split()[:2] == ["forms", "Asleep"]
    assert kubectl.out("get", "infsvc", "-n", namespace, "-o", "wide").splitlines()[0].split()[-2:] == ["WHY", "AGE"] or \
        "WHY" in kubectl.out("get", "infsvc", "-n", namespace, "-o", "wide")
    assert kubectl.out("get", "infsvc", "-n", namespace, "-o", "name") == "inferenceservice.serving.pilotlight.dev/forms\n"
    assert kubectl.out("get", "infsvc", "forms", "-n", namespace, "-o", "jsonpath={.status.display.state}") == "Asleep"
    assert "kind: InferenceService" in kubectl.out("get", "infsvc", "forms", "-n", namespace, "-o", "yaml")
    assert namespace in kubectl.out("get", "infsvc", "-A")
    kubectl.run("label", "infsvc", "forms", "-n", namespace, "tier=gold")
    assert "forms" in kubectl.out("get", "infsvc", "-n", namespace, "-l", "tier=gold")
    assert "No resources found" in kubectl.run("get", "infsvc", "-n", namespace, "-l", "tier!=gold,tier").stderr
    assert "NotFound" in kubectl.run("get", "infsvc", "nope", "-n", namespace, check=False).stderr


def test_get_watches(kubectl, namespace):
    watch = kubectl.start("get", "configmaps", "-n", namespace, "-w", "-o", "name")
    try:
        kubectl.run("create", "configmap", "seen", "-n", namespace, "--from-literal=a=b")
        assert watch.stdout.readline().strip() == "configmap/seen"
    finally:
        watch.kill()
        watch.wait()


def test_a_deployment_runs_its_command(kubectl, namespace):
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(deployment("web", replicas=2)))
    kubectl.run("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    kubectl.run("wait", "--for=condition=Available", "deployment/web", "-n", namespace, "--timeout=60s")
    pods = kubectl.json("get", "pods", "-n", namespace, "-l", "app=web")["items"]
    assert len(pods) == 2 and len({pod["status"]["podIP"] for pod in pods}) == 2
    table = kubectl.out("get", "pods", "-n", namespace, "-o", "wide").splitlines()
    assert table[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert table[1].split()[1:3] == ["1/1", "Running"]
    assert kubectl.out("get", "deploy", "web", "-n", namespace).splitlines()[1].split()[1:4] == ["2/2", "2", "2"]
    assert "Replicas:" in kubectl.out("describe", "deployment", "web", "-n", namespace)
    assert "Started" in kubectl.out("describe", "pod", pods[0]["metadata"]["name"], "-n", namespace)
    # A new template rolls through, and the old pods go.
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(deployment("web", replicas=2, version="2")))
    kubectl.run("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    eventually(
        lambda: {p["metadata"]["labels"]["version"] for p in kubectl.json("get", "pods", "-n", namespace)["items"]} == {"2"},
        "only pods of the new template")
    kubectl.run("scale", "deployment/web", "-n", namespace, "--replicas=0")
    eventually(lambda: not kubectl.json("get", "pods", "-n", namespace)["items"], "no pods at zero")
    kubectl.run("delete", "deployment", "web", "-n", namespace)
    eventually(lambda: not kubectl.json("get", "rs", "-n", namespace)["items"], "the ReplicaSets' removal")


def test_logs(kubectl, namespace):
    document = deployment("logs")
    document["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["/bin/sh", "-c", "echo one; echo two; sleep 1; echo three; sleep 60"], "args": []}
    del document["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(document))
    kubectl.run("rollout", "status", "deployment/logs", "-n", namespace, "--timeout=60s")
    pod = kubectl.json("get", "pods", "-n", namespace)["items"][0]["metadata"]["name"]
    follow = kubectl.start("logs", "-f", pod, "-n", namespace)
    try:
        assert [follow.stdout.readline().strip() for _ in range(3)] == ["one", "two", "three"]
    finally:
        follow.kill()
        follow.wait()
    assert kubectl.out("logs", pod, "-n", namespace, "--tail=1") == "three\n"
    assert kubectl.out("logs", "deployment/logs", "-n", namespace).splitlines()[0] == "one"


def test_patch_scale_and_label(kubectl, namespace):
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(service("ps", namespace, scaling=FAST)))
    name = "inferenceservice.serving.pilotlight.dev/ps"
    patch = ["patch", "infsvc", "ps", "-n", namespace, "--type=merge", "-p"]
    assert kubectl.out(*patch, '{"spec":{"burst":{"maxReplicas":4}}}') == f"{name} patched\n"
    assert kubectl.out(*patch, '{"spec":{"burst":{"maxReplicas":4}}}') == f"{name} patched (no change)\n"
    refused = kubectl.run(*patch, '{"spec":{"burst":{"maxReplicas":-1}}}', check=False)
    assert "spec.burst.maxReplicas" in refused.stderr and "greater than or equal to 0" in refused.stderr
    assert "unknown format" in kubectl.run(
        "patch", "infsvc", "ps", "-n", namespace, "-p", "{}", check=False).stderr
    assert kubectl.out("scale", "infsvc/ps", "-n", namespace, "--replicas=1") == f"{name} scaled\n"
    kubectl.run("wait", "--for=condition=Ready", "infsvc/ps", "-n", namespace, "--timeout=60s")
    eventually(
        lambda: kubectl.out("get", "infsvc", "ps", "-n", namespace, "-o", "jsonpath={.status.display.dedicated}") == "1/1",
        "the dedicated replica")
    assert "Serving" in kubectl.out("describe", "infsvc", "ps", "-n", namespace)
    assert "Events:" in kubectl.out("describe", "infsvc", "ps", "-n", namespace)
    kubectl.run("scale", "infsvc/ps", "-n", namespace, "--replicas=0")
    kubectl.run("wait", "--for=jsonpath={.status.display.state}=Asleep", "infsvc/ps", "-n", namespace, "--timeout=60s")


def test_delete_waits_for_finalizers(kubectl, namespace):
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(document))
    deletion = kubectl.start("delete", "configmap", "held", "-n", namespace)
    eventually(
        lambda: kubectl.json("get", "configmap", "held", "-n", namespace)["metadata"].get("deletionTimestamp"), "the deletion")
    assert deletion.poll() is None
    kubectl.run("patch", "configmap", "held", "-n", namespace, "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
    assert deletion.wait(30) == 0
    kubectl.run("wait", "--for=delete", "configmap/held", "-n", namespace, "--timeout=30s")


def test_what_bad_input_gets(kubectl, namespace):
    def refused(document):
        done = kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(document), check=False)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def changed(**spec):
        return service("bad", namespace, **spec)

    assert 'unknown field "spec.burst.minReplicas"' in refused(changed(burst={"minReplicas": 1}))
    assert 'spec.burst.sleepAfter: Invalid value: "10 minutes": must be Auto or a duration' in refused(changed(burst={"sleepAfter": "10 minutes"}))
    assert "spec.burst.spareReplicas: Invalid value: spareReplicas must not exceed maxReplicas" in refused(changed(burst={"maxReplicas": 1, "spareReplicas": 2}))
    assert "must be of type integer" in refused(changed(dedicated={"replicas": "two"}))
    portless = changed()
    del portless["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert "no port to send requests to" in refused(portless)
    assert "must start with a letter" in refused(service("9lives", namespace))


def test_objects_with_unsupported_fields_say_so(kubectl, namespace):
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(service("later", namespace, scaling={"mode": "Predictive"})))
    ready = eventually(
        lambda: next((c for c in kubectl.json("get", "infsvc", "later", "-n", namespace).get("status", {}).get("conditions", [])
                      if c["type"] == "Ready"), None), "a verdict")
    assert ready["status"] == "False" and ready["reason"] == "UnsupportedField" and "set sleepAfter to Auto" in ready["message"]


def test_template_typos_are_found_by_dry_run(kubectl, namespace):
    document = service("typo", namespace)
    document["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(document))
    kubectl.run("wait", "--for=condition=TemplateValid=false", "infsvc/typo", "-n", namespace, "--timeout=30s")
    text = kubectl.out("get", "infsvc", "typo", "-n", namespace, "-o", "yaml")
    assert 'spec.template.spec.containers[0].imagee' in text


class TestDebian:
    """Debian 12's kubectl, 1.20: validation off (it knows only /openapi/v2, which the sandbox does not serve)."""

    def test_the_basics(self, sandbox, old):
        kubectl = sandbox.kubectl(old)
        name = "old-" + uuid.uuid4().hex[:6]
        document = json.dumps(service(name, scaling=FAST, dedicated={"replicas": 1}))
        assert "created" in kubectl.out("apply", "-f", "-", stdin=document)
        assert "unchanged" in kubectl.out("apply", "-f", "-", stdin=document)
        eventually(lambda: "Serving" in kubectl.out("get", "infsvc", name), "the state in the table")
        assert "Ready" in kubectl.out("describe", "infsvc", name)
        pod = kubectl.json("get", "pods", "-l", f"serving.pilotlight.dev/service={name}")["items"][0]["metadata"]["name"]
        assert kubectl.out("logs", pod)
        assert "deleted" in kubectl.out("delete", "infsvc", name)

    @pytest.mark.parametrize("what", [
        "explain (needs /openapi/v2)", "apply with validation (needs /openapi/v2)", "wait --for=jsonpath (came with 1.23)",
        "--subresource (came with 1.24)"])
    def test_what_it_cannot_do(self, old, what):
        pytest.skip(f"kubectl 1.20 cannot: {what}")
