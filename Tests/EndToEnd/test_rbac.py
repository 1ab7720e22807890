"""Controller and gateways may do what they need and nothing else: the rules, what a life of models uses of them, and the table in the docs."""
import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import threading

import pytest
import yaml

from harness import FAST, ROOT, Sandbox, bearer, chat, eventually, modern_kubectl, request, service, version_of

HOME = "pilotlight-system"
ACCOUNTS = {f"system:serviceaccount:{HOME}:pilotlight-{name}": name for name in ("controller", "gateway")}
QUESTIONS = {("authentication.k8s.io", "tokenreviews"), ("authorization.k8s.io", "subjectaccessreviews")}
WRITES = {"create", "update", "patch", "delete", "deletecollection", "*"}


@pytest.fixture(scope="module")
def rendered():
    """Objects of the manifests by kind and name."""
    if version_of(modern_kubectl()) < (1, 21):
        pytest.skip("kustomize in kubectl 1.20 takes no folder as a resource")
    text = subprocess.run(
        [modern_kubectl(), "kustomize", str(ROOT / "Manifests/default")], capture_output=True, text=True, check=True).stdout
    return {(d["kind"], d["metadata"]["name"]): d for d in yaml.safe_load_all(text)}


def expanded(role):
    """A role's rules as (group, resource, verb); the resource is `RESOURCE: NAME` where the rule is for one name."""
    assert all(rule.keys() - {"resourceNames"} == {"apiGroups", "resources", "verbs"} for rule in role["rules"]), role
    return {(group, resource + name, verb) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
            for name in [f": {name}" for name in rule.get("resourceNames", [])] or [""] for verb in rule["verbs"]}


def allowed(rendered):
    """What each account may do, as (who, scope, group, resource, verb); the scope is `cluster` or `own`."""
    rules = set()
    for who in ACCOUNTS.values():
        for scope, kind in (("cluster", "ClusterRole"), ("own", "Role")):
            binding = rendered[kind + "Binding", f"pilotlight-{who}"]
            assert [(s["kind"], s["name"], s["namespace"]) for s in binding["subjects"]] == [("ServiceAccount", f"pilotlight-{who}", HOME)]
            assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (kind, f"pilotlight-{who}")
            rules |= {(who, scope, *rule) for rule in expanded(rendered[kind, f"pilotlight-{who}"])}
    return rules


def test_the_gateway_writes_nothing_outside_of_its_own_namespace(rendered):
    roles = [d for (kind, name), d in rendered.items() if kind == "ClusterRole" and "gateway" in name]
    assert roles
    for role in roles:
        assert {(g, r) for g, r, verb in expanded(role) if verb in WRITES} <= QUESTIONS
    for (kind, name), document in rendered.items():
        if kind in ("Role", "ClusterRole"):
            assert not {r for _, r, _ in expanded(document) if r.split("/")[0] in ("secrets", "*")}, name
            assert "*" not in {verb for _, _, verb in expanded(document)}, name
        if kind == "ClusterRole":
            assert not {rule for rule in expanded(document) if rule[0] == "coordination.k8s.io"}, name
        if kind in ("Role", "RoleBinding"):
            assert document["metadata"]["namespace"] == HOME


def test_the_docs_have_each_verb_and_why(rendered):
    text = (ROOT / "docs/operations.md").read_text().split("## Permissions")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ["who", "where", "group", "resource", "verbs", "why"]
    documented = set()
    for who, scope, group, resource, verbs, why in rows[2:]:
        assert why
        for verb in verbs.split(", "):
            rule = (who, scope, "" if group == "core" else group, resource, verb)
            assert rule not in documented, f"twice: {rule}"
            documented.add(rule)
    assert documented == allowed(rendered)


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox("--gateways", "2", "--controller-option=--leader-election", "--token-lifetime", "10s")
    yield running
    running.stop()


def test_the_sandbox_begins_with_the_same_rules(cluster, rendered):
    kubectl = cluster.kubectl()
    for (kind, name), document in rendered.items():
        if "Role" not in kind or name.removeprefix("pilotlight-") not in ACCOUNTS.values():
            continue
        namespace = ["-n", document["metadata"]["namespace"]] if "namespace" in document["metadata"] else []
        live = kubectl.json("get", kind.lower(), name, *namespace)
        if "Binding" in kind:
            assert (live["roleRef"], live["subjects"]) == (document["roleRef"], document["subjects"]), name
        else:
            assert expanded(live) == expanded(document), name


def status(kubectl, name, *path):
    value = kubectl.json("get", "infsvc", name).get("status", {})
    for part in path:
        value = value.get(part, {})
    return value


def state(kubectl, name):
    return status(kubectl, name, "display", "state")


def ask_both(cluster, model):
    """A request at each gateway, so that both want the same wake."""
    answers = []
    threads = [threading.Thread(target=lambda i=i: answers.append(chat(cluster.gateway(i), model)[0])) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def is_valid(kubectl, token):
    """Whether a token for the gateways is still somebody's."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, "audiences": ["pilotlight-gateway"]}}
    return json.loads(kubectl.out("create", "--validate=false", "-o", "json", "-f", "-", stdin=json.dumps(review)))["status"].get("authenticated", False)


def books_of_the_ledger(kubectl):
    """Has books of the ledger written often, and one there that a new leader deletes for its age."""
    labels = {"serving.pilotlight.dev/ledger": "book", "serving.pilotlight.dev/ledger-namespace": "default"}
    day = (datetime.date.today() - datetime.timedelta(days=410)).isoformat()
    old = {"metadata": {"name": f"pilotlight-ledger.default.{day}", "labels": labels | {"serving.pilotlight.dev/ledger-day": day}}}
    settings = {"metadata": {"name": "pilotlight"}, "data": {"settings.json": json.dumps({"ledger": {"writeInterval": "5s"}})}}
    for document in (old, settings):
        kubectl.run("apply", "-n", HOME, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "ConfigMap"} | document))


def live(cluster, kubectl):
    """A life of models with all that can happen in it."""
    with open(os.path.join(cluster.state, "serviceaccounts/pilotlight-controller/gateway-token"), encoding="ascii") as file:
        first_token = file.read()
    assert is_valid(kubectl, first_token)
    books_of_the_ledger(kubectl)
    lives = service("lives", load="1s", dedicated={"replicas": 0}, burst={"sleepAfter": "1s"}, scaling=FAST)
    crashes = service("crashes", scaling=FAST)
    crashes["spec"]["template"]["spec"]["containers"][0] |= {"command": ["/bin/sh", "-c", "exit 3"], "args": []}
    for document in (lives, crashes):
        kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    for name in ("lives", "crashes"):
        eventually(lambda: state(kubectl, name) == "Asleep", f"{name} asleep")
    assert ask_both(cluster, "lives") == [200, 200]
    eventually(lambda: state(kubectl, "lives") == "Asleep", "asleep again")
    assert chat(cluster.gateway(), "crashes")[0] == 503
    # A floor of two, of which one goes again; the second time the Events repeat. And a change of the template.
    ready = lambda count: status(kubectl, "lives", "dedicated", "readyReplicas") == count
    for replicas in (2, 1, 2, 1):
        kubectl.run("scale", "infsvc/lives", f"--replicas={replicas}")
        eventually(lambda: ready(replicas), f"{replicas} replicas")
    change = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--seed=7"}]
    kubectl.run("patch", "infsvc", "lives", "--type=json", "-p", json.dumps(change))
    eventually(lambda: status(kubectl, "lives", "dedicated", "updatedReplicas") == 1 and ready(1), "the changed replica")
    # An owner reference that blocks its owner would need a right on finalizers, where a cluster looks at it.
    owned = kubectl.json("get", "deployments,services,poddisruptionbudgets")["items"]
    references = [r for d in owned for r in d["metadata"].get("ownerReferences", []) if r["kind"] == "InferenceService"]
    assert len(references) >= 3 and not [r for r in references if r.get("blockOwnerDeletion")], references
    # A canary, which is removed when it is over.
    canary = [{"op": "add", "path": "/spec/rollout", "value": {"strategy": "Canary", "steps": [{"trafficPercent": 50, "pause": "1s"}]}}]
    change = [{"op": "add", "path": "/spec/template/metadata", "value": {"annotations": {"tried": "as a canary"}}}]
    kubectl.run("patch", "infsvc", "lives", "--type=json", "-p", json.dumps(canary + change))
    eventually(lambda: kubectl.run("get", "deployment", "lives-canary", check=False).returncode == 0, "a canary")
    eventually(lambda: kubectl.run("get", "deployment", "lives-canary", check=False).returncode, "the canary's end")
    # A gateway that comes back when the token with which the controller began has expired, and another leader.
    eventually(lambda: not is_valid(kubectl, first_token), "the end of the first token")
    for child, number in ((lambda: cluster.describe()["gateways"][1], signal.SIGKILL), (lambda: cluster.describe()["controller"], signal.SIGTERM)):
        pid = child()["pid"]
        os.kill(pid, number)
        eventually(lambda: child().get("pid") not in (None, pid), "a new process")
        admin = cluster.describe()["controller"]["admin"]
        eventually(lambda: [g["isReadable"] for g in debug_state(admin, cluster.token)["gateways"]] == [True, True], "both load streams")
    for gateway in cluster.describe()["gateways"]:
        assert request(gateway["admin"], "GET", "/debug/state", headers=bearer(cluster.token))[0] == 200
    kubectl.run("delete", "infsvc", "lives", "crashes")
    eventually(lambda: not kubectl.json("get", "deployments")["items"], "nothing left")


def debug_state(admin, token):
    """The controller's state; no gateway in it while it cannot be had."""
    try:
        code, _, body = request(admin, "GET", "/debug/state", headers=bearer(token))
    except OSError:
        return {"gateways": []}
    return json.loads(body) if code == 200 else {"gateways": []}


def uses(line, rules):
    """What a line of the audit is a use of, as (who, scope, group, resource, verb): by name where a rule is for that name."""
    resource = "/".join(filter(None, (line["resource"], line["subresource"])))
    scope = "own" if line["namespace"] == HOME else "cluster"
    # An apply that made something needed the right to create, too.
    for verb in [line["verb"]] + (["create"] if (line["verb"], line["code"]) == ("patch", 201) else []):
        named = (ACCOUNTS[line["user"]], scope, line["apiGroup"], f"{resource}: {line['name']}", verb)
        yield named if named in rules else (*named[:3], resource, verb)


def used(audit, rules):
    """What the accounts did."""
    return {use for line in audit if line["user"] in ACCOUNTS and "resource" in line for use in uses(line, rules)}


def test_what_is_allowed_is_used_and_nothing_else(cluster, rendered):
    live(cluster, cluster.kubectl())
    rules = allowed(rendered)
    # Some things happen in their own time: a Lease is renewed, an Event repeats.
    with contextlib.suppress(AssertionError):
        eventually(lambda: rules <= used(cluster.audit(), rules), "a use of each rule", timeout=15)
    assert sorted(rules - used(cluster.audit(), rules)) == []
    audit = cluster.audit()
    # What is allowed in the whole cluster is so in Pilotlight's namespace.
    assert not {(who, scope, *what) for who, scope, *what in used(audit, rules) if not {(who, scope, *what), (who, "cluster", *what)} & rules}
    assert not [line for line in audit if line["user"] in ACCOUNTS and line["code"] == 403]


def test_what_is_not_allowed_is_forbidden(cluster):
    kubectl = cluster.kubectl()
    for who, verb, what in (("gateway", "get", "secrets"), ("controller", "get", "secrets"), ("gateway", "patch", "infsvc"),
                            ("controller", "delete", "pods"), ("gateway", "create", "leases.coordination.k8s.io")):
        done = kubectl.run("auth", "can-i", verb, what, f"--as=system:serviceaccount:{HOME}:pilotlight-{who}", check=False)
        assert done.stdout.strip() == "no", (who, verb, what, done.stderr)
    assert kubectl.out("auth", "can-i", "create", "leases.coordination.k8s.io", "-n", HOME,
                       f"--as=system:serviceaccount:{HOME}:pilotlight-gateway").strip() == "yes"
    done = kubectl.run("get", "pods", f"--as=system:serviceaccount:{HOME}:pilotlight-gateway", check=False)
    assert done.returncode and re.search(
        r'pods is forbidden: User "system:serviceaccount:pilotlight-system:pilotlight-gateway" cannot list resource "pods" '
        r'in API group "" in the namespace "default"', done.stderr), done.stderr
