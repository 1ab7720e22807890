"""The Helm chart: rendered as Helm does it, it installs what kustomize installs; its values are checked, and each of them acts."""
import copy
import functools
import json
import os
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from harness import ROOT
from manifests import by_name, dangling_references, differences, kustomized, objects_in, of_kind, unrestricted

CHART = ROOT / "Charts/pilotlight"
NAMESPACE = "pilotlight-system"
# What Helm adds to labels and annotations.
OF_THE_RELEASE = {
    "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart", "helm.sh/resource-policy"}
GO_LIBRARIES = ("github.com/Masterminds/sprig", "github.com/ghodss/yaml")


@pytest.fixture(scope="session")
def render(tmp_path_factory):
    """render(values) gives the chart's objects, render(values, notes=True) its notes; a refusal is a CalledProcessError."""
    if not shutil.which("go"):
        pytest.skip("no Go: Debian's golang-go, golang-github-masterminds-sprig-dev and golang-github-ghodss-yaml-dev render the chart")
    for library in GO_LIBRARIES:
        if not os.path.isdir(f"/usr/share/gocode/src/{library}"):
            pytest.skip(f"Go has no {library}: Debian's golang-github-masterminds-sprig-dev and golang-github-ghodss-yaml-dev")
    folder = tmp_path_factory.mktemp("helm")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": str(ROOT / ".build/go")}
    sources = sorted(map(str, (ROOT / "Tests/Helm").glob("*.go")))
    built = subprocess.run(["go", "build", "-o", str(folder / "render"), *sources], env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr

    @functools.cache
    def output(text, notes):
        (folder / "values.yaml").write_text(text)
        arguments = ["-release", "pilotlight", "-namespace", NAMESPACE, "-f", str(folder / "values.yaml"), *(["-notes"] if notes else [])]
        return subprocess.run([folder / "render", *arguments, CHART], capture_output=True, text=True, check=True).stdout

    def rendered(values=None, notes=False):
        text = output(json.dumps(values or {}), notes)
        return text if notes else objects_in(text)

    return rendered


def own_values():
    return yaml.safe_load((CHART / "values.yaml").read_text())


def schema():
    return json.loads((CHART / "values.schema.json").read_text())


def laid_over(values, given):
    """As Helm does it: maps by key, all else as a whole."""
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            laid_over(values[key], value)
        else:
            values[key] = value
    return values


def refusals(given):
    """What the schema has against the chart's own values with `given` over them: `path: message`, as Helm prints it."""
    errors = jsonschema.Draft7Validator(schema()).iter_errors(laid_over(own_values(), given))
    return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)


def without_release(documents):
    """The objects without what says that Helm installed them; a map that is empty then is none."""
    documents = copy.deepcopy(documents)
    for document in documents:
        for field in ("labels", "annotations"):
            kept = {key: value for key, value in document["metadata"].pop(field, {}).items() if key not in OF_THE_RELEASE}
            if kept:
                document["metadata"][field] = kept
    return documents


def compared_by_name(documents):
    objects = by_name(without_release(documents))
    for (kind, _, name), document in objects.items():
        # The chart labels whatever belongs to a part; the manifests, which have no release to tell, only what pods have to do with.
        if kind in ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
            part = {"app.kubernetes.io/name": "pilotlight", "app.kubernetes.io/component": name.removeprefix("pilotlight-")}
            if document["metadata"].get("labels") == part:
                del document["metadata"]["labels"]
    return objects


@pytest.mark.parametrize("folder, given", [
    ("default", {}),
    ("overlays/tls", {"gateway": {"tls": {"secretName": "pilotlight-gateway-tls"}}}),
    ("overlays/ha", yaml.safe_load((CHART / "values-ha.yaml").read_text())),
], ids=["default", "tls", "ha"])
def test_chart_and_manifests_install_the_same(render, folder, given):
    manifests = by_name([d for d in kustomized(folder) if d["kind"] != "Namespace"])
    chart = compared_by_name(render(given))
    assert chart.keys() == manifests.keys()
    different = [f"{kind} {name}{line}" for (kind, namespace, name) in manifests
                 for line in differences(manifests[kind, namespace, name], chart[kind, namespace, name])]
    assert not different, "manifests | chart:\n" + "\n".join(different)


def test_the_crd_in_the_chart_is_the_one_in_manifests(render):
    in_chart, in_manifests = CHART / "files/inferenceservices.yaml", ROOT / "Manifests/crd/inferenceservices.yaml"
    assert in_chart.read_bytes() == in_manifests.read_bytes()
    # Helm never upgrades what lies in crds/, and a CRD that went with the release would take every model along.
    assert not (CHART / "crds").exists()
    (crd,) = of_kind(render(), "CustomResourceDefinition")
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not of_kind(render({"crds": {"install": False}}), "CustomResourceDefinition")


# Each with what it is there for: a change of every value, which must be seen in the objects.
CHANGES = [
    {"image": {"repository": "registry.example.com/pilotlight"}},
    {"image": {"tag": "0.1.1"}},
    {"image": {"digest": "sha256:" + "0" * 64}},
    {"image": {"pullPolicy": "Always"}},
    {"imagePullSecrets": [{"name": "registry"}]},
    {"domain": "models.example.com"},
    {"settings": {"hold": {"maxRequests": 100}}},
    {"logLevel": "debug"},
    {"logFormat": "text"},
    {"priorityClassName": "system-cluster-critical"},
    {"crds": {"install": False}},
    {"rbac": {"aggregate": False}},
    {"metrics": {"annotations": False}},
    {"networkPolicy": {"enabled": False}},
    {"networkPolicy": {"callersFrom": [{"namespaceSelector": {"matchLabels": {"team": "apps"}}}]}},
    {"networkPolicy": {"metricsFrom": []}},
    {"networkPolicy": {"apiServerPorts": [7443]}},
    {"networkPolicy": {"gatewayExtraEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
    {"controller": {"gatewayURL": "https://models.example.com"}},
    {"gateway": {"terminationGracePeriodSeconds": 3600}},
    {"gateway": {"tls": {"secretName": "certificate"}}},
    {"gateway": {"service": {"type": "LoadBalancer"}}},
    {"gateway": {"service": {"annotations": {"a": "b"}}}},
    {"gateway": {"service": {"type": "LoadBalancer", "annotations": {"a": "b"}, "loadBalancerSourceRanges": ["10.0.0.0/8"]}}},
    {"gateway": {"service": {"type": "LoadBalancer", "loadBalancerClass": "example.com/internal"}}},
    {"gateway": {"service": {"type": "NodePort", "externalTrafficPolicy": "Local"}}},
] + [{part: change} for part in ("controller", "gateway") for change in (
    {"replicas": 5},
    {"resources": {"requests": {"cpu": 2, "memory": "1Gi"}, "limits": {"memory": "1Gi"}}},
    {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}},
    {"podDisruptionBudget": {"enabled": False}},
    {"podDisruptionBudget": {"maxUnavailable": "30%"}},
    {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn"}}},
    {"podAnnotations": {"a": "b"}},
    {"podLabels": {"team": "platform"}},
    {"nodeSelector": {"kubernetes.io/arch": "amd64"}},
    {"tolerations": [{"key": "infra", "operator": "Exists", "effect": "NoSchedule"}]},
    {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}},
    {"topologySpreadConstraints": []},
    {"extraArgs": ["--log-level=debug"]},
    {"extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]},
)]


def identity(change):
    return json.dumps(change).replace('"', "")[1:-1][:70]


@pytest.mark.parametrize("change", CHANGES, ids=identity)
def test_every_value_acts_and_leaves_a_whole(render, change):
    assert not refusals(change)
    plain, changed = render(), render(change)
    assert differences(plain, changed)
    assert not dangling_references(changed)
    for deployment in of_kind(changed, "Deployment"):
        assert not unrestricted(deployment["spec"]["template"]["spec"])


def leaves(value, path=()):
    if isinstance(value, dict) and value and path[-1:] not in (("resources",),):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}
    return {path}


def test_every_value_has_been_changed_above():
    values = own_values()
    changed = set()
    for change in CHANGES:
        for path in leaves(change):
            # A path into a map or list that values.yaml has as one value is a change of that value.
            changed.add(next((own for own in leaves(values) if path[:len(own)] == own), path))
    assert leaves(values) - changed == set()


def test_the_schema_knows_the_values_that_there_are_and_no_others():
    def described(node, values, path=""):
        for key, value in values.items():
            inner = node["properties"][key]
            if isinstance(value, dict) and "properties" in inner:
                described(inner, value, f"{path}{key}.")
        assert node["additionalProperties"] is False
        assert set(node["properties"]) - {"global"} == set(values), path or "the top"

    described(schema(), own_values())
    jsonschema.Draft7Validator.check_schema(schema())
    assert not refusals({})


@pytest.mark.parametrize("given, path", [
    ({"gatway": {"replicas": 3}}, ": Additional properties are not allowed ('gatway'"),
    ({"gateway": {"replica": 3}}, "gateway: Additional properties are not allowed ('replica'"),
    ({"gateway": {"replicas": "3"}}, "gateway.replicas: '3' is not of type 'integer'"),
    ({"gateway": {"replicas": -1}}, "gateway.replicas: -1 is less than"),
    ({"gateway": {"service": {"type": "Loadbalancer"}}}, "gateway.service.type: 'Loadbalancer' is not one of"),
    ({"gateway": {"service": {"loadBalancerSourceRanges": ["10.0.0.0"]}}}, "gateway.service.loadBalancerSourceRanges.0: "),
    ({"gateway": {"tls": {"secret": "x"}}}, "gateway.tls: Additional properties are not allowed ('secret'"),
    ({"gateway": {"resources": {"request": {}}}}, "gateway.resources: Additional properties are not allowed ('request'"),
    ({"gateway": {"resources": {"limits": {"memory": "1 GB"}}}}, "gateway.resources.limits.memory: "),
    ({"gateway": {"extraArgs": ["log-level=debug"]}}, "gateway.extraArgs.0: "),
    ({"controller": {"tolerations": [{"key": "a", "effect": "Never"}]}}, "controller.tolerations.0.effect: "),
    ({"controller": {"podDisruptionBudget": {"maxUnavailable": "one"}}}, "controller.podDisruptionBudget.maxUnavailable: "),
    ({"controller": {"podLabels": {"app.kubernetes.io/name": "x"}}}, "controller.podLabels: "),
    ({"controller": {"gatewayURL": "models.example.com"}}, "controller.gatewayURL: "),
    ({"image": {"digest": "sha256:12"}}, "image.digest: "),
    ({"image": {"tag": "a b"}}, "image.tag: "),
    ({"imagePullSecrets": ["registry"]}, "imagePullSecrets.0: 'registry' is not of type 'object'"),
    ({"logLevel": "warn"}, "logLevel: 'warn' is not one of"),
    ({"domain": "Models"}, "domain: "),
    ({"settings": []}, "settings: "),
    ({"networkPolicy": {"apiServerPorts": [0]}}, "networkPolicy.apiServerPorts.0: "),
    ({"networkPolicy": {"metricsFrom": [{}]}}, "networkPolicy.metricsFrom.0: "),
    ({"crds": {"install": "yes"}}, "crds.install: 'yes' is not of type 'boolean'"),
], ids=lambda value: identity(value) if isinstance(value, dict) else "")
def test_a_bad_value_is_refused_with_its_path(given, path):
    found = refusals(given)
    assert len(found) == 1 and found[0].startswith(path), found


def test_source_ranges_without_a_load_balancer_are_refused(render):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render({"gateway": {"service": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}})
    assert "gateway.service.loadBalancerSourceRanges acts with gateway.service.type LoadBalancer only" in refused.value.stderr


def test_the_admin_port_never_leaves_the_cluster(render):
    services = by_name(of_kind(render({"gateway": {"service": {"type": "LoadBalancer"}}}), "Service"))
    for (_, _, name), service in services.items():
        ports = {port["name"] for port in service["spec"]["ports"]}
        for port in ("admin", "fleet"):
            assert (port in ports) == (service["spec"].get("type", "ClusterIP") == "ClusterIP"), name
    assert services.keys() == {("Service", NAMESPACE, "pilotlight-gateway"), ("Service", NAMESPACE, "pilotlight-gateway-external")}


def test_the_notes_say_what_comes_next(render):
    assert "http://localhost:8080/v1/models" in render(notes=True)
    assert "--insecure https://localhost:8080" in render({"gateway": {"tls": {"secretName": "x"}}}, notes=True)
    assert "pilotlight-gateway-external" in render({"gateway": {"service": {"type": "LoadBalancer"}}}, notes=True)
    assert "apply Manifests/crd" in render({"crds": {"install": False}}, notes=True)
