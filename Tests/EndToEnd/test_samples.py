"""Every InferenceService that we show anybody, in Manifests/samples and in the documents, is one that the CRD's schema takes."""
import copy
import functools
import re

import jsonschema
import pytest
import yaml

from harness import ROOT

KIND = "InferenceService"
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def strict(node):
    """A structural schema (apiextensions.k8s.io/v1) as a JSON schema in which a field that is not declared is an error.

    An API server drops such a field instead, or refuses it with `kubectl --validate`; in a sample it is a mistake.
    """
    made = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-") and key not in ("nullable", "default")}
    if node.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if "properties" in node:
        made["properties"] = {name: strict(inner) for name, inner in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if isinstance(node.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(node["additionalProperties"])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in node:
            made[key] = [{k: v for k, v in inner.items() if not k.startswith("x-kubernetes-")} for inner in node[key]]
    if "items" in node:
        made["items"] = strict(node["items"])
    if node.get("nullable"):
        made = {"anyOf": [made, {"type": "null"}]}
    return made


@functools.cache
def validator():
    crd = yaml.safe_load((ROOT / "Manifests/crd/inferenceservices.yaml").read_text())
    schema = strict(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"] = {**schema["properties"], "apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    # metadata is the API server's own; a sample needs of it what everybody writes.
    schema["properties"]["metadata"] = {
        "type": "object", "required": ["name"], "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"}, "namespace": {"type": "string"},
            "labels": {"additionalProperties": {"type": "string"}}, "annotations": {"additionalProperties": {"type": "string"}},
        },
    }
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return jsonschema.Draft7Validator(schema)


def problems(document):
    return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator().iter_errors(document))


@functools.cache
def samples():
    """(where, object) of every sample, and of every YAML block in the documents that names the kind."""
    found = []
    for path in sorted((ROOT / "Manifests/samples").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] == KIND:
                found.append((f"{path.relative_to(ROOT)}: {document['metadata']['name']}", document))
    for path in DOCUMENTS:
        for block in re.finditer(r"^```ya?ml\n(.*?)^```", path.read_text(), re.M | re.S):
            line = path.read_text()[:block.start()].count("\n") + 1
            for document in yaml.safe_load_all(block.group(1)):
                if isinstance(document, dict) and document.get("kind") == KIND:
                    found.append((f"{path.relative_to(ROOT)}:{line}", document))
    return found


@pytest.mark.parametrize("document", [document for _, document in samples()], ids=[where for where, _ in samples()])
def test_a_sample_is_what_the_schema_takes(document):
    assert not problems(document)


def test_samples_have_been_found_in_both_places():
    places = {where.split(":")[0] for where, _ in samples()}
    assert "README.md" in places and "Manifests/samples/quickstart.yaml" in places


@pytest.mark.parametrize("change, problem", [
    (lambda d: d["spec"].update(brust={}), "spec: Additional properties are not allowed ('brust'"),
    (lambda d: d["spec"]["burst"].update(maxReplicas="2"), "spec.burst.maxReplicas: '2' is not of type 'integer'"),
    (lambda d: d["spec"]["burst"].update(maxReplicas=-1), "spec.burst.maxReplicas: -1 is less than"),
    (lambda d: d["spec"]["timeouts"].update(drain=30), "spec.timeouts.drain: 30 is not of type 'string'"),
    (lambda d: d["spec"].update(model={"protocol": "GRPC"}), "spec.model.protocol: 'GRPC' is not one of"),
    (lambda d: d["spec"].pop("template"), "spec: 'template' is a required property"),
    (lambda d: d["metadata"].update(name="Night_Owl"), "metadata.name: "),
])
def test_a_mistake_in_a_sample_is_seen(change, problem):
    (document,) = [d for _, d in samples() if d["metadata"]["name"] == "night-owl"]
    document = copy.deepcopy(document)
    assert not problems(document)
    change(document)
    assert [text for text in problems(document) if text.startswith(problem)], problems(document)


def test_a_pod_template_may_hold_what_this_project_does_not_know():
    (document,) = [d for _, d in samples() if d["metadata"]["name"] == "night-owl"]
    document = copy.deepcopy(document)
    document["spec"]["template"]["spec"]["containers"][0]["resizePolicy"] = [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]
    assert not problems(document)
