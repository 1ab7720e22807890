"""What Argo CD's health check (docs/operations.md) and kstatus, which Flux waits by, make of real statuses."""
import json
import re
import shutil
import subprocess

import pytest

from harness import FAST, ROOT, eventually, service

LUA = shutil.which("lua5.3")


def in_state(name, **spec):
    return service(name, scaling=FAST, **spec)


def typo():
    document = in_state("health-typo")
    document["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    return document


def too_large():
    document = in_state("health-too-large", dedicated={"replicas": 1})
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 99}}
    return document


# By the state that each gets to.
DOCUMENTS = {
    "Asleep": in_state("health-asleep"),
    "Serving": in_state("health-serving", dedicated={"replicas": 1}),
    "Suspended": in_state("health-suspended", suspend=True),
    "TemplateInvalid": typo(),
    "Unschedulable": too_large(),
}


@pytest.fixture(scope="module")
def recorded(sandbox):
    """A real object in each state, and some that are made from them as the API server would show them a moment earlier."""
    kubectl, objects = sandbox.kubectl(), {}
    for document in DOCUMENTS.values():
        kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    for state, document in DOCUMENTS.items():
        get = lambda: kubectl.json("get", "infsvc", document["metadata"]["name"])
        objects[state] = eventually(lambda: (o := get()).get("status", {}).get("display", {}).get("state") == state and o, state)
    yield objects
    kubectl.run("delete", "infsvc", *(document["metadata"]["name"] for document in DOCUMENTS.values()), "--wait=false")


def changed(recorded):
    """The spec was changed and the controller has not seen it."""
    serving = recorded["Serving"]
    return {**serving, "metadata": {**serving["metadata"], "generation": serving["metadata"]["generation"] + 1}}


def fresh(recorded):
    return {key: value for key, value in recorded["Asleep"].items() if key != "status"}


def deleted(recorded):
    return {**recorded["Asleep"], "metadata": {**recorded["Asleep"]["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


def rolling(recorded):
    """A new template on its way: as recorded, with the one condition that says so."""
    copy = json.loads(json.dumps(recorded["Serving"]))
    progressing = next(c for c in copy["status"]["conditions"] if c["type"] == "Progressing")
    assert progressing["status"] == "False"
    progressing |= {"status": "True", "reason": "RollingOut", "message": "1 replicas have an older template"}
    return copy


def example(recorded, name):
    made = {"changed": changed, "fresh": fresh, "deleted": deleted, "rolling": rolling}
    return made[name](recorded) if name in made else recorded[name]


def kstatus(resource):
    """The generic rules of sigs.k8s.io/cli-utils/pkg/kstatus, which know nothing of the kind."""
    metadata, status = resource["metadata"], resource.get("status", {})
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


@pytest.mark.parametrize("name, expected", [
    ("Asleep", "Current"), ("Serving", "Current"), ("Suspended", "InProgress"), ("TemplateInvalid", "InProgress"),
    ("Unschedulable", "InProgress"), ("changed", "InProgress"), ("deleted", "Terminating"), ("fresh", "Current"),
])
def test_kstatus(recorded, name, expected):
    assert kstatus(example(recorded, name)) == expected


def lua_value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{lua_value(key)}] = {lua_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(lua_value(entry) for entry in value) + "}"
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else "".join(f"\\{byte:03}" for byte in c.encode()) for c in value) + '"'
    return {True: "true", False: "false", None: "nil"}[value] if value is None or isinstance(value, bool) else repr(value)


@pytest.mark.skipif(LUA is None, reason="lua5.3 is not installed")
@pytest.mark.parametrize("name, expected", [
    ("Asleep", "Healthy"), ("Serving", "Healthy"), ("Suspended", "Suspended"), ("TemplateInvalid", "Degraded"),
    ("Unschedulable", "Degraded"), ("changed", "Progressing"), ("fresh", "Progressing"), ("rolling", "Progressing"),
])
def test_argo_cds_health_check(recorded, name, expected):
    blocks = re.findall(r"^```lua\n(.*?)^```", (ROOT / "docs/operations.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    program = (f"obj = {lua_value(example(recorded, name))}\n"
               f"local function check()\n{blocks[0]}\nend\nlocal hs = check()\nprint(hs.status)\nprint(hs.message)")
    done = subprocess.run([LUA, "-"], input=program, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    status, message = done.stdout.strip().split("\n", 1)
    assert status == expected and message not in ("nil", ""), done.stdout
