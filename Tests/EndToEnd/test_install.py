"""The two ways to install say the same: Manifests through kustomize, Charts through Helm's substitutions."""
import json
import re
import subprocess

import pytest
import yaml

from harness import BINARY, ROOT, modern_kubectl, version_of

CHART = ROOT / "Charts/pilotlight"


def rendered_chart(namespace):
    """The chart's templates with its own values. They use four forms only, so this is all of Helm that they need."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def lookup(path):
        scope = {"Values": values, "Release": {"Namespace": namespace}, "Chart": {"AppVersion": chart["appVersion"]}}
        for name in path.strip(".").split("."):
            scope = scope[name]
        return scope

    def substitute(match):
        words = match.group(1).split()
        if words[0] == "toJson":
            return json.dumps(lookup(words[1]))
        if words[0] == "default":
            return str(lookup(words[2]) or lookup(words[1]))
        assert len(words) == 1, match.group(0)
        return str(lookup(words[0]))

    texts = [re.sub(r"\{\{(.+?)\}\}", substitute, path.read_text()) for path in sorted((CHART / "templates").glob("*.yaml"))]
    texts += [path.read_text() for path in sorted((CHART / "crds").glob("*.yaml"))]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def by_name(documents):
    return {(d["kind"], d["metadata"].get("namespace", ""), d["metadata"]["name"]): d for d in documents}


def kustomized(folder):
    if version_of(modern_kubectl()) < (1, 21):
        pytest.skip("kustomize in kubectl 1.20 takes no folder as a resource")
    text = subprocess.run(
        [modern_kubectl(), "kustomize", str(ROOT / "Manifests" / folder)], capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


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
    assert [p["port"] for p in ports] == [443, 9090] and ports[0]["targetPort"] == "http"


def test_chart_and_manifests_install_the_same():
    manifests = by_name(d for d in kustomized("default") if d["kind"] != "Namespace")
    chart = by_name(rendered_chart("pilotlight-system"))
    assert chart.keys() == manifests.keys()
    for key in manifests:
        assert chart[key] == manifests[key], key


def test_the_flags_that_the_manifests_give_exist():
    for command in ("controller", "gateway"):
        deployment = yaml.safe_load((ROOT / f"Manifests/{command}/deployment.yaml").read_text())
        flags = [a.split("=")[0] for a in deployment["spec"]["template"]["spec"]["containers"][0]["args"][1:]]
        known = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True, check=True).stdout
        assert flags and all(flag in known for flag in flags), flags
