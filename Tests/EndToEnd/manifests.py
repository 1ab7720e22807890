"""The manifests as lists of objects, and what must hold of any such list: references that resolve, pods that are restricted."""
import functools
import subprocess

import pytest
import yaml

from harness import ROOT, modern_kubectl, version_of

# Volume types that the Pod Security Standard "restricted" allows.
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def kustomized(folder):
    """The objects of a folder below Manifests. They are shared: copy them before a change."""
    if version_of(modern_kubectl()) < (1, 21):
        pytest.skip("kustomize in kubectl 1.20 takes no folder as a resource")
    return objects_in(kustomize_output(folder))


@functools.cache
def objects_in(text):
    """The objects of a stream of YAML documents. They are shared: copy them before a change."""
    return [document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]


@functools.cache
def kustomize_output(folder):
    done = subprocess.run([modern_kubectl(), "kustomize", str(ROOT / "Manifests" / folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_name(documents):
    objects = {(d["kind"], d["metadata"].get("namespace", ""), d["metadata"]["name"]): d for d in documents}
    assert len(objects) == len(documents), "an object is there twice"
    return objects


def of_kind(documents, kind):
    return [d for d in documents if d["kind"] == kind]


def differences(left, right, path=""):
    """Where two values differ, a line each: `path: left | right`."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [line for key in sorted({*left, *right}) for line in differences(left.get(key), right.get(key), f"{path}.{key}")]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [line for index, pair in enumerate(zip(left, right)) for line in differences(*pair, f"{path}[{index}]")]
    return [] if left == right else [f"{path}: {left!r} | {right!r}"]


def dangling_references(documents):
    """What names something that is not there: accounts, roles, ports, pods that a selector should find, volumes."""
    problems = []
    accounts = {(d["metadata"]["namespace"], d["metadata"]["name"]) for d in of_kind(documents, "ServiceAccount")}
    roles = {(d["kind"], d["metadata"]["name"]) for d in documents if d["kind"] in ("Role", "ClusterRole")}
    pods = [
        (d["metadata"]["namespace"], d["spec"]["template"]["metadata"]["labels"], d["spec"]["template"]["spec"])
        for d in of_kind(documents, "Deployment")
    ]

    def selected(document, labels):
        found = [spec for namespace, own, spec in pods if namespace == document["metadata"]["namespace"] and labels.items() <= own.items()]
        if not found:
            problems.append(f"{document['kind']} {document['metadata']['name']}: no pod has {labels}")
        return found

    def check_ports(document, specs, names):
        known = {port["name"] for spec in specs for container in spec["containers"] for port in container["ports"]}
        problems.extend(
            f"{document['kind']} {document['metadata']['name']}: no port is called {name}"
            for name in names if isinstance(name, str) and name not in known)

    for document in of_kind(documents, "Deployment"):
        namespace, name, spec = document["metadata"]["namespace"], document["metadata"]["name"], document["spec"]["template"]["spec"]
        selected(document, document["spec"]["selector"]["matchLabels"])
        if (namespace, spec["serviceAccountName"]) not in accounts:
            problems.append(f"Deployment {name}: no account is called {spec['serviceAccountName']}")
        for constraint in spec.get("topologySpreadConstraints", []):
            selected(document, constraint["labelSelector"]["matchLabels"])
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        mounts = {mount["name"] for container in spec["containers"] for mount in container.get("volumeMounts", [])}
        if volumes != mounts:
            problems.append(f"Deployment {name}: volumes {sorted(volumes)}, mounts {sorted(mounts)}")
        for container in spec["containers"]:
            probes = [container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")]
            check_ports(document, [spec], probes)
    for document in of_kind(documents, "Service"):
        check_ports(document, selected(document, document["spec"]["selector"]), [p["targetPort"] for p in document["spec"]["ports"]])
    for document in of_kind(documents, "PodDisruptionBudget"):
        selected(document, document["spec"]["selector"]["matchLabels"])
    for document in of_kind(documents, "NetworkPolicy"):
        specs = selected(document, document["spec"]["podSelector"]["matchLabels"])
        for rule in document["spec"].get("ingress", []):
            check_ports(document, specs, [port["port"] for port in rule.get("ports", [])])
        for rule in document["spec"].get("ingress", []) + document["spec"]["egress"]:
            for peer in rule.get("from", rule.get("to", [])):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    selected(document, peer["podSelector"]["matchLabels"])
    for document in documents:
        if document["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        name, role = document["metadata"]["name"], document["roleRef"]
        if (role["kind"], role["name"]) not in roles:
            problems.append(f"{document['kind']} {name}: no {role['kind']} is called {role['name']}")
        problems.extend(
            f"{document['kind']} {name}: no account is called {subject['namespace']}/{subject['name']}"
            for subject in document["subjects"] if (subject["namespace"], subject["name"]) not in accounts)
    return problems


def unrestricted(spec):
    """What in a pod's spec the Pod Security Standard "restricted" refuses (Kubernetes 1.33), a line each."""
    problems = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    problems += [f"volume {v['name']}" for v in spec.get("volumes", []) if not {*v} - {"name"} <= RESTRICTED_VOLUMES]
    pod = spec.get("securityContext", {})
    if pod.get("sysctls"):
        problems.append("sysctls")
    for container in [c for kind in ("containers", "initContainers", "ephemeralContainers") for c in spec.get(kind, [])]:
        own = container.get("securityContext", {})
        effective = {**pod, **own}
        capabilities = own.get("capabilities", {})
        wrong = {
            "privileged": own.get("privileged"),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
            "capabilities.drop": "ALL" not in capabilities.get("drop", []),
            "capabilities.add": {*capabilities.get("add", [])} - {"NET_BIND_SERVICE"},
            "runAsNonRoot": effective.get("runAsNonRoot") is not True,
            "runAsUser": effective.get("runAsUser") == 0,
            "seccompProfile": effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "procMount": own.get("procMount", "Default") != "Default",
            "appArmorProfile": effective.get("appArmorProfile", {}).get("type") == "Unconfined",
            "seLinuxOptions": effective.get("seLinuxOptions", {}).get("user") or effective.get("seLinuxOptions", {}).get("role"),
            "windowsOptions": effective.get("windowsOptions", {}).get("hostProcess"),
            "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
        }
        problems += [f"container {container['name']}: {field}" for field, value in wrong.items() if value]
    return problems
