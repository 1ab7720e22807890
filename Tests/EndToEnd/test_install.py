"""Installing by kustomize: every overlay builds, says what it means to, is restricted, and is taken by an API server."""
import copy
import subprocess

import pytest

from harness import BINARY, ROOT, Sandbox
from manifests import by_name, dangling_references, differences, kustomized, of_kind, unrestricted

INSTALLATIONS = ["default", "overlays/tls", "overlays/ha"]


def restricted_pod():
    return {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "v", "secret": {"secretName": "s"}}],
        "containers": [{
            "name": "c", "ports": [{"containerPort": 1}],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }],
    }


@pytest.mark.parametrize("change", [
    lambda pod: pod.update(hostNetwork=True),
    lambda pod: pod["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
    lambda pod: pod["securityContext"].pop("seccompProfile"),
    lambda pod: pod["securityContext"].update(runAsUser=0),
    lambda pod: pod["securityContext"].update(runAsNonRoot=False),
    lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    lambda pod: pod["containers"][0]["securityContext"]["capabilities"].update(drop=["NET_RAW"]),
    lambda pod: pod["containers"][0]["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
    lambda pod: pod["containers"][0]["ports"][0].update(hostPort=80),
    lambda pod: pod.update(initContainers=[{"name": "i"}]),
])
def test_a_pod_that_is_not_restricted_is_seen(change):
    pod = restricted_pod()
    assert not unrestricted(pod)
    change(pod)
    assert unrestricted(pod)


@pytest.mark.parametrize("folder", INSTALLATIONS)
def test_every_pod_is_restricted_and_cannot_write(folder):
    documents = kustomized(folder)
    for deployment in of_kind(documents, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert not unrestricted(spec), deployment["metadata"]["name"]
        assert all(c["securityContext"]["readOnlyRootFilesystem"] for c in spec["containers"])
    (namespace,) = of_kind(documents, "Namespace")
    modes = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    assert namespace["metadata"]["labels"] == modes


@pytest.mark.parametrize("folder", INSTALLATIONS)
def test_one_crd_and_two_deployments_are_all_it_needs(folder):
    documents = kustomized(folder)
    assert not dangling_references(documents)
    assert len(of_kind(documents, "CustomResourceDefinition")) == 1
    assert {d["metadata"]["name"]: d["spec"]["replicas"] >= 2 for d in of_kind(documents, "Deployment")} == {
        "pilotlight-controller": True, "pilotlight-gateway": True}
    for kind in ("PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"):
        assert {d["metadata"]["name"] for d in of_kind(documents, kind)} == {"pilotlight-controller", "pilotlight-gateway"}


@pytest.mark.parametrize("break_it", [
    lambda d: d["Deployment", "pilotlight-system", "pilotlight-gateway"]["spec"]["template"]["spec"].update(serviceAccountName="x"),
    lambda d: d["Service", "pilotlight-system", "pilotlight-gateway"]["spec"]["ports"][0].update(targetPort="x"),
    lambda d: d["Service", "pilotlight-system", "pilotlight-gateway"]["spec"].update(selector={"app": "x"}),
    lambda d: d["NetworkPolicy", "pilotlight-system", "pilotlight-controller"]["spec"]["podSelector"].update(matchLabels={"a": "x"}),
    lambda d: d["NetworkPolicy", "pilotlight-system", "pilotlight-gateway"]["spec"]["ingress"][0]["ports"][0].update(port="x"),
    lambda d: d["PodDisruptionBudget", "pilotlight-system", "pilotlight-gateway"]["spec"]["selector"].update(matchLabels={"a": "x"}),
    lambda d: d["ClusterRoleBinding", "", "pilotlight-gateway"]["roleRef"].update(name="x"),
    lambda d: d["RoleBinding", "pilotlight-system", "pilotlight-controller"]["subjects"][0].update(namespace="x"),
])
def test_a_reference_to_nothing_is_seen(break_it):
    objects = by_name(copy.deepcopy(kustomized("default")))
    break_it(objects)
    assert dangling_references(list(objects.values()))


def test_the_overlay_with_tls_changes_the_gateway_only():
    plain, tls = by_name(kustomized("default")), by_name(kustomized("overlays/tls"))
    assert plain.keys() == tls.keys()
    changed = {key for key in plain if plain[key] != tls[key]}
    assert changed == {(kind, "pilotlight-system", "pilotlight-gateway") for kind in ("Deployment", "Service")}
    pod = tls["Deployment", "pilotlight-system", "pilotlight-gateway"]["spec"]["template"]["spec"]
    mounted = {v["name"]: v["secret"]["secretName"] for v in pod["volumes"]}
    paths = {m["mountPath"] for m in pod["containers"][0]["volumeMounts"] if m["name"] in mounted and m["readOnly"]}
    assert {a.removeprefix("--tls-dir=") for a in pod["containers"][0]["args"] if a.startswith("--tls-dir=")} == paths
    ports = tls["Service", "pilotlight-system", "pilotlight-gateway"]["spec"]["ports"]
    assert [p["port"] for p in ports] == [443, 9090, 9443] and ports[0]["targetPort"] == "http"


def test_the_overlay_for_high_availability_keeps_pods_of_a_part_on_different_nodes():
    plain, ha = by_name(kustomized("default")), by_name(kustomized("overlays/ha"))
    assert {key[0] for key in plain if plain[key] != ha[key]} == {"Deployment"}
    for part, replicas in (("controller", 2), ("gateway", 3)):
        spec = ha["Deployment", "pilotlight-system", f"pilotlight-{part}"]["spec"]
        assert spec["replicas"] == replicas
        by_node, by_zone = spec["template"]["spec"]["topologySpreadConstraints"]
        assert (by_node["topologyKey"], by_node["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
        assert by_zone["whenUnsatisfiable"] == "ScheduleAnyway"


def test_users_get_their_rights_by_kubernetes_own_roles():
    roles = {d["metadata"]["name"]: d for d in of_kind(kustomized("default"), "ClusterRole")}

    def rights(role):
        return {(resource, verb) for rule in roles[role]["rules"] for resource in rule["resources"] for verb in rule["verbs"]}

    for role in ("view", "edit", "admin"):
        assert roles[f"pilotlight-{role}"]["metadata"]["labels"] == {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true"}
    assert {verb for _, verb in rights("pilotlight-view")} == {"get", "list", "watch"}
    assert rights("pilotlight-view") < rights("pilotlight-edit") <= rights("pilotlight-admin")
    assert {("inferenceservices/scale", "patch"), ("inferenceservices", "create")} <= rights("pilotlight-edit")
    assert not {right for right in rights("pilotlight-admin") if right[0].endswith("/status") and right[1] in ("update", "patch")}


@pytest.mark.parametrize("folder", INSTALLATIONS)
def test_the_flags_that_the_manifests_give_exist(folder):
    for deployment in of_kind(kustomized(folder), "Deployment"):
        command, *arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
        flags = [argument.split("=")[0] for argument in arguments]
        known = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True, check=True).stdout
        assert flags and all(flag in known for flag in flags), flags


def test_an_api_server_takes_every_object_and_keeps_it():
    # Neither controller nor gateway, nor their Service: what is installed has the names of what the sandbox runs itself.
    sandbox = Sandbox("--without-controller", "--without-gateway")
    try:
        kubectl = sandbox.kubectl()
        kubectl.run("delete", "service", "pilotlight-gateway", "-n", "pilotlight-system")
        for folder in INSTALLATIONS:
            where = str(ROOT / "Manifests" / folder)
            kubectl.run("apply", "--server-side", "--force-conflicts", "-k", where)
            kept = by_name(kubectl.json("get", "-k", where)["items"])
            missing = [f"{folder} {kind} {name}{line}" for (kind, namespace, name), wanted in by_name(kustomized(folder)).items()
                       for line in differences(*only_common(wanted, kept[kind, namespace, name]))]
            assert not missing, "manifests | API server:\n" + "\n".join(missing)
        kubectl.run("delete", "--wait=false", "--ignore-not-found", "-k", str(ROOT / "Manifests/default"))
        left = {(d["kind"], "", d["metadata"]["name"]) for d in kubectl.json("get", "clusterroles,clusterrolebindings")["items"]}
        assert not left & by_name(kustomized("default")).keys()
    finally:
        sandbox.stop()


def only_common(wanted, kept):
    """`wanted`, and of `kept` what `wanted` has a word on: an API server adds defaults."""
    if isinstance(wanted, dict) and isinstance(kept, dict):
        pairs = {key: only_common(value, kept.get(key)) for key, value in wanted.items()}
        return {k: pair[0] for k, pair in pairs.items()}, {k: pair[1] for k, pair in pairs.items()}
    if isinstance(wanted, list) and isinstance(kept, list) and len(wanted) == len(kept):
        pairs = [only_common(*pair) for pair in zip(wanted, kept)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return wanted, kept
