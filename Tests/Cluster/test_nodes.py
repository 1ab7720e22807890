"""What nodes, images and networks do to a model, as its status tells it."""
import json

import pytest


def test_a_pod_for_which_no_node_has_room_is_told(cluster):
    document = cluster.service("too-large", dedicated={"replicas": 1})
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100k"}}
    cluster.apply(document)
    ready = cluster.until_condition("too-large", "Ready", "False")
    assert ready["reason"] == "Unschedulable" and "Insufficient cpu" in ready["message"], ready
    assert cluster.status("too-large")["dedicated"]["unschedulableReplicas"] == 1
    cluster.delete("too-large")


@pytest.mark.needs("scheduler")
def test_affinity_that_no_node_has_is_told(cluster):
    document = cluster.service("picky", dedicated={"replicas": 1})
    term = {"matchExpressions": [{"key": "pilotlight.dev/no-such-label", "operator": "Exists"}]}
    document["spec"]["template"]["spec"]["affinity"] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    cluster.apply(document)
    assert cluster.until_condition("picky", "Ready", "False")["reason"] == "Unschedulable"
    cluster.delete("picky")


@pytest.mark.needs("images")
def test_an_image_that_cannot_be_pulled_is_told(cluster):
    document = cluster.service("no-image", dedicated={"replicas": 1})
    document["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.invalid/no/such:image"
    cluster.apply(document)
    ready = cluster.until_condition("no-image", "Ready", "False")
    assert ready["reason"] == "ImagePullBackOff", ready
    cluster.delete("no-image")


@pytest.mark.needs("quota")
def test_a_quota_that_is_used_up_is_told(cluster):
    cluster("create", "quota", "no-pods", "--hard=pods=0")
    try:
        cluster.apply(cluster.service("over-quota", dedicated={"replicas": 1}))
        assert cluster.until_condition("over-quota", "Ready", "False")["reason"] == "QuotaExceeded"
        cluster.delete("over-quota")
    finally:
        cluster("delete", "quota", "no-pods")


@pytest.mark.needs("network_policies")
def test_a_model_that_only_gateways_may_reach_serves(cluster):
    cluster.apply(cluster.service("walled", dedicated={"replicas": 1}))
    cluster.until_state("walled", "Serving")
    gateways = cluster.options.gateway_service.partition("/")[0]
    selector = {"matchLabels": {"serving.pilotlight.dev/service": "walled"}}
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": gateways}}}]
    cluster("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "walled"},
        "spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]}}))
    assert cluster.chat("walled")[0] == 200
    cluster("delete", "networkpolicy", "walled")
    cluster.delete("walled")
