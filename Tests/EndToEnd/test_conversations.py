"""Recorded API conversations, replayed against the sandbox; and recorded anew, to see that they are what is really said."""
import json
import os
import subprocess
import tempfile
import uuid

import pytest

from conversations import table
from conversations.cluster import Cluster, RecordingProxy
from conversations.matching import ACCEPT, answer_differences, filled, request_differences
from harness import BINARY, FAST, Sandbox, chat, eventually, service, version_of

KUBECTL, RULES, PILOTLIGHT = table("kubectl"), table("rules"), table("pilotlight")
SERVICES = "/apis/serving.pilotlight.dev/v1alpha1/namespaces/{}/inferenceservices"


def named(conversations):
    return pytest.mark.parametrize("conversation", conversations, ids=[c["name"] for c in conversations])


@pytest.fixture(scope="module")
def sandbox():
    """One in which nobody writes but who is recorded."""
    running = Sandbox("--without-controller", "--without-gateway")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def cluster(sandbox):
    return Cluster(sandbox.kubeconfig)


@pytest.fixture(scope="module")
def proxy(cluster):
    running = RecordingProxy(cluster)
    yield running
    running.stop()


@pytest.fixture
def names(cluster):
    """A namespace of its own."""
    namespace = "t-" + uuid.uuid4().hex[:8]
    create(cluster, "/api/v1/namespaces", {"metadata": {"name": namespace}})
    return {
        "ns": namespace, "services": SERVICES.format(namespace), "system": "pilotlight-system", "leader": namespace,
        "service": "owl", "event": "owl.1",
    }


def create(cluster, target, body, method="POST", content="application/json"):
    answer = cluster.ask(method, target, {"Content-Type": content}, json.dumps(body))
    assert answer.status in (200, 201), answer
    return answer.json()


POD = {"spec": {"containers": [{"name": "m", "image": "i", "ports": [{"containerPort": 8000}]}]}}


def given(cluster, what, names):
    """Makes an object that a conversation is about."""
    kind, name = filled(what, names).split()
    namespaced, services = f"namespaces/{names['ns']}", names["services"]
    spec = {"template": POD, "burst": {"maxReplicas": 1}}
    if kind == "service":
        create(cluster, services, {"apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
                                   "metadata": {"name": name}, "spec": spec})
    elif kind == "applied":
        body = {"apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService", "metadata": {"name": name}, "spec": spec}
        create(cluster, f"{services}/{name}?fieldManager=kubectl", body, "PATCH", "application/apply-patch+yaml")
    elif kind == "deployment":
        labels, path = {"app": name}, f"/apis/apps/v1/{namespaced}/deployments"
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        create(cluster, path, {"metadata": {"name": name}, "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}})
        # The Deployment controller has its say first.
        eventually(lambda: cluster.ask("GET", f"{path}/{name}").json().get("status", {}).get("observedGeneration") == 1, what)
    elif kind == "pod":
        create(cluster, f"/api/v1/{namespaced}/pods", {"metadata": {"name": name}, "spec": {**POD["spec"], "nodeSelector": {"no": "where"}}})
    elif kind == "lease":
        create(cluster, f"/apis/coordination.k8s.io/v1/{namespaced}/leases", {"metadata": {"name": name}, "spec": {"holderIdentity": "a"}})
    elif kind == "configmap":
        create(cluster, f"/api/v1/{namespaced}/configmaps", {"metadata": {"name": name}, "data": {"a": "1"}})
    else:
        raise AssertionError(f"no such thing to be given: {what}")


def replay(cluster, exchanges, names):
    for exchange in exchanges:
        method, target = filled(exchange["request"], names).replace("<seconds>", "1").replace("<days>", "2026-01-01,2026-01-02").split(" ", 1)
        accept = exchange.get("accept", "JSON")
        headers = {"Accept": ACCEPT.get(accept, accept)}
        if "content" in exchange:
            headers["Content-Type"] = exchange["content"]
        headers.update(exchange.get("headers", {}))
        body = filled(exchange["body"], names) if "body" in exchange else None
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        # Of a watch only what is expected is waited for.
        lines = len(exchange["answer"].get("events", [])) if "watch=true" in target else None
        answer = cluster.ask(method, target, headers, text, lines)
        assert answer_differences(exchange, answer, names) == [], exchange["request"]


def test_pilotlight_says_nothing_that_the_table_does_not(cluster, sandbox):
    """A controller and a gateway through a recording proxy, for a wake. Before the others: each leaves a service or two."""
    proxies = [RecordingProxy(cluster), RecordingProxy(cluster)]
    folder = tempfile.TemporaryDirectory()
    log = open(os.path.join(folder.name, "gateway.log"), "w+", encoding="utf-8")
    commands = [
        ["controller", "--leader-election", "--admin-listen", "127.0.0.1:0"],
        ["gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--fleet-listen", "127.0.0.1:0", "--identity", "gateway-a",
         "--log-format", "json"],
    ]
    children = [
        subprocess.Popen([BINARY, *command, "--kubeconfig", proxy.kubeconfig()], stderr=log if command[0] == "gateway" else subprocess.DEVNULL)
        for command, proxy in zip(commands, proxies)
    ]
    try:
        line = eventually(lambda: next((line for line in open(log.name, encoding="utf-8") if "gateway starts" in line), None), "the gateway")
        kubectl = sandbox.kubectl()
        kubectl.run("apply", "-f", "-", stdin=json.dumps(service("nightjar", burst={"maxReplicas": 1}, scaling=FAST)))
        eventually(lambda: "Asleep" in kubectl.out("get", "infsvc", "nightjar"), "asleep")
        assert chat(f"http://{json.loads(line)['listen']}", "nightjar")[0] == 200
        said = [e for proxy in proxies for e in proxy.take()]
        eventually(lambda: said.extend(e for p in proxies for e in p.take()) or any("/events" in e.target for e in said), "an Event")
        kubectl.run("delete", "infsvc", "nightjar")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(30)
        for proxy in proxies:
            proxy.stop()
        log.close()
        folder.cleanup()
    known = [exchange for conversation in PILOTLIGHT for exchange in conversation["says"]]
    fixed = {
        "ns": "<name>", "services": SERVICES.format("<name>"), "system": "pilotlight-system",
        "leader": "pilotlight-controller", "service": "<name>", "event": "<name>", "v": "<version>",
    }
    unknown = {f"{e.method} {e.target}" for e in said if all(request_differences(x, e, dict(fixed), bodies=False) for x in known)}
    assert unknown == set()


@named([c for c in KUBECTL if not any(e.get("unread") for e in c["says"])] + RULES + PILOTLIGHT)
def test_the_answers_are_those_of_an_api_server(conversation, cluster, names):
    for what in conversation.get("given", []):
        given(cluster, what, names)
    replay(cluster, conversation["says"], names)
    replay(cluster, conversation.get("afterwards", []), names)


@pytest.fixture(scope="session")
def home():
    """kubectl's cache of discovery and OpenAPI."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def is_said_by_the_command(exchange, conversation):
    """Neither what fills kubectl's caches, nor what Google's wrapper of kubectl asks before each command."""
    if exchange.headers.get("user-agent", "").startswith("kubectl-dispatcher"):
        return False
    return conversation.get("discovery") or not exchange.target.startswith(("/api?", "/apis?", "/openapi/", "/version"))


@named(KUBECTL)
def test_kubectl_says_what_the_table_says(conversation, modern, cluster, proxy, names, home):
    first, last = conversation.get("versions", [[1, 29], [1, 99]])
    if not tuple(first) <= version_of(modern) <= tuple(last):
        pytest.skip(f"said by kubectl {first} to {last}")
    for what in conversation.get("given", []):
        given(cluster, what, names)
    home = os.path.join(home, os.path.basename(modern))
    command = [modern, "--kubeconfig", proxy.kubeconfig(names["ns"]), *conversation["kubectl"]]
    stdin = json.dumps(conversation["stdin"]) if "stdin" in conversation else None
    proxy.take()
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"], "HOME": home})
    said = [e for e in proxy.take() if is_said_by_the_command(e, conversation)]
    assert len(said) == len(conversation["says"]), (done, said)
    for exchange, one in zip(conversation["says"], said):
        assert request_differences(exchange, one, names, bodies=not exchange.get("unread")) == [], one
        if not exchange.get("watches"):  # kubectl leaves when it has seen enough
            assert answer_differences(exchange, one.answer, names) == [], one
    replay(cluster, conversation.get("afterwards", []), names)
