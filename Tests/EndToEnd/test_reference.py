"""Every YAML example in docs/resource.md is taken by an API server."""
import json
import re

import pytest
import yaml

from harness import ROOT, service

EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/resource.md").read_text(), re.MULTILINE | re.DOTALL)


def documents(text, number):
    """The InferenceServices of an example; a part of a spec is given what it lacks."""
    for document in yaml.safe_load_all(text):
        if "kind" not in document:
            whole = service(f"example-{number}")
            whole["spec"] |= document
            document = whole
        yield {**document, "metadata": {**document["metadata"], "name": f"example-{number}"}}


def dry_run(sandbox, text, number):
    return sandbox.kubectl().run(
        "apply", "--dry-run=server", "-n", "default", "-f", "-", check=False,
        stdin="\n---\n".join(json.dumps(document) for document in documents(text, number)))


def test_there_are_examples_for_every_block():
    assert len(EXAMPLES) >= 14
    blocks = {name for text in EXAMPLES for document in yaml.safe_load_all(text) for name in document.get("spec", document)}
    assert {"model", "template", "dedicated", "burst", "overflow", "scaling", "queue", "timeouts", "routing", "rollout", "access",
            "economics", "suspend"} <= blocks


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_taken(sandbox, number):
    done = dry_run(sandbox, EXAMPLES[number], number)
    assert done.returncode == 0 and done.stdout.endswith("created (server dry run)\n"), done.stdout + done.stderr


def test_what_is_no_example_is_refused(sandbox):
    refused = dry_run(sandbox, "burst: { maxReplicas: 1, spareReplicas: 2 }", 0)
    assert refused.returncode and "spareReplicas must not exceed maxReplicas" in refused.stderr
    unknown = dry_run(sandbox, "burst: { minReplicas: 1 }", 0)
    assert unknown.returncode and "minReplicas" in unknown.stderr
