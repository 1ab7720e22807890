"""What a platform engineer types, and what kubectl must say."""
import json
import time
import uuid

import pytest


def test_columns_conditions_and_waits(cluster):
    cluster.apply(cluster.service("looks"))
    cluster("wait", "--for=condition=Ready", "infsvc/looks", f"--timeout={cluster.timeout:.0f}s")
    cluster("wait", "--for=condition=TemplateValid", "infsvc/looks", f"--timeout={cluster.timeout:.0f}s")
    cluster.until_state("looks", "Asleep")
    lines = cluster("get", "infsvc", "looks").splitlines()
    assert lines[0].split() == ["NAME", "STATE", "DEDICATED", "BURST", "HELD", "RPM", "SAVED", "URL", "AGE"]
    assert lines[1].split()[:4] == ["looks", "Asleep", "0/0", "0/0"]
    assert {"DECISION", "WHY"} <= set(cluster("get", "infsvc", "looks", "-o", "wide").splitlines()[0].split())
    service = cluster.get("looks")
    assert service["status"]["observedGeneration"] == service["metadata"]["generation"]
    text = cluster("describe", "infsvc", "looks")
    assert "no replica runs; the next request wakes one" in text
    cluster.delete("looks")


@pytest.mark.needs("modern_kubectl")
def test_fields_are_explained_and_unknown_ones_refused(cluster):
    assert "sleepAfter" in cluster("explain", "infsvc.spec.burst")
    refusal = cluster.refusal(cluster.service("refused", burst={"minReplicas": 1}))
    assert 'unknown field "spec.burst.minReplicas"' in refusal


def test_the_scale_subresource_is_the_dedicated_pool(cluster):
    cluster.apply(cluster.service("scales"))
    cluster.until_state("scales", "Asleep")
    assert "scaled" in cluster("scale", "infsvc/scales", "--replicas=1")
    cluster.until_state("scales", "Serving")
    path = f"/apis/serving.pilotlight.dev/v1alpha1/namespaces/{cluster.namespace}/inferenceservices/scales/scale"
    scale = json.loads(cluster.kubectl("get", "--raw", path))
    assert scale["kind"] == "Scale" and scale["spec"]["replicas"] == 1
    cluster.eventually(lambda: json.loads(cluster.kubectl("get", "--raw", path))["status"].get("replicas") == 1, "status.replicas")
    selected = cluster.json("get", "pods", "-l", scale["status"]["selector"])["items"]
    assert [pod["metadata"]["uid"] for pod in selected] == list(cluster.pods("scales"))
    assert cluster.chat("scales")[1]["pilotlight-pool"] == "dedicated"
    cluster("scale", "infsvc/scales", "--replicas=0")
    cluster.until_state("scales", "Asleep")
    cluster.delete("scales")


def test_a_suspended_model_refuses_and_comes_back(cluster):
    cluster.apply(cluster.service("pauses", dedicated={"replicas": 1}))
    cluster.until_state("pauses", "Serving")
    patch = lambda value: cluster("patch", "infsvc", "pauses", "--type=merge", "-p", json.dumps({"spec": {"suspend": value}}))
    patch(True)
    cluster.until_state("pauses", "Suspended")
    cluster.eventually(lambda: not cluster.pods("pauses"), "no pod while suspended")
    status, headers, body = cluster.chat("pauses")
    assert status == 503 and "Suspended" in json.loads(body)["error"]["message"] and int(headers["retry-after"]) > 0
    patch(False)
    cluster.until_state("pauses", "Serving")
    assert cluster.chat("pauses")[0] == 200
    cluster.delete("pauses")


def test_of_two_claims_to_a_name_the_elder_holds(cluster):
    name = "shared-" + uuid.uuid4().hex[:8]
    cluster.apply(cluster.service("elder", model={"aliases": [name]}))
    cluster.until_condition("elder", "NamesAccepted", "True")
    created = cluster.get("elder")["metadata"]["creationTimestamp"]
    time.sleep(1.1)  # creation times have a resolution of a second
    cluster.apply(cluster.service("younger", model={"aliases": [name]}))
    assert cluster.get("younger")["metadata"]["creationTimestamp"] > created
    verdict = cluster.until_condition("younger", "NamesAccepted", "False")
    assert name in verdict["message"] and f"{cluster.namespace}/elder" in verdict["message"]
    # When the elder goes the name changes hands.
    cluster.delete("elder")
    cluster.until_condition("younger", "NamesAccepted", "True")
    cluster.delete("younger")


REFUSED = [
    ("duration", {"burst": {"sleepAfter": "10 minutes"}}, "must be Auto or a duration"),
    ("spare", {"burst": {"maxReplicas": 1, "spareReplicas": 2}}, "spareReplicas must not exceed maxReplicas"),
    ("type", {"dedicated": {"replicas": "two"}}, "spec.dedicated.replicas"),
    ("windows", {"scaling": {"stableWindow": "6s", "panicWindow": "6s"}}, "panicWindow must be shorter than stableWindow"),
    ("port", {"model": {"port": "nowhere"}}, "no container has a port of this name"),
    ("minimum", {"burst": {"maxReplicas": -1}}, "should be greater than or equal to 0"),
]


@pytest.mark.parametrize("spec, message", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_wrong_is_refused_with_its_path_and_reason(cluster, spec, message):
    assert message in cluster.refusal(cluster.service("refused", **spec))


@pytest.mark.needs("cel")
def test_rules_are_evaluated_as_cel(cluster):
    # Not by a controller or a webhook: without either the API server refuses by what the CRD says.
    versions = json.loads(cluster.kubectl("get", "crd", "inferenceservices.serving.pilotlight.dev", "-o", "json"))["spec"]["versions"]
    burst = versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["burst"]
    assert any("spareReplicas" in rule["rule"] for rule in burst["x-kubernetes-validations"])
    refusal = cluster.refusal(cluster.service("refused", burst={"maxReplicas": 1, "spareReplicas": 2}))
    assert "spec.burst.spareReplicas: Invalid value" in refusal and "spareReplicas must not exceed maxReplicas" in refusal
