"""The admin ports let in whom the cluster knows: the controller to the fleet's part, whoever has the role to the state."""
import http.client
import json
import os
import signal
import time
import urllib.parse

import pytest

import http_sockets
from gateway import Gateway
from harness import bearer, eventually, request

HOME = "pilotlight-system"


@pytest.fixture(scope="module")
def tokens(sandbox):
    """Tokens by what they are."""
    kubectl = sandbox.kubectl()
    for name in ("reader", "stranger"):
        kubectl.run("create", "serviceaccount", name)
    kubectl.run("create", "clusterrole", "debug", "--verb=get", "--non-resource-url=/debug/state")
    kubectl.run("create", "clusterrolebinding", "debug", "--clusterrole=debug", "--serviceaccount=default:reader")
    create = lambda *arguments: kubectl.out("create", "token", *arguments).strip()
    return {
        "reader": create("reader"),
        "stranger": create("stranger"),
        "stranger for gateways": create("stranger", "--audience=pilotlight-gateway"),
        "controller": create("pilotlight-controller", "-n", HOME),
        "controller for gateways": create("pilotlight-controller", "-n", HOME, "--audience=pilotlight-gateway"),
    }


def ask(address, path, token=None, method="GET", body=None):
    return request(address, method, path, body, headers=bearer(token) if token else {})


def gateway(sandbox):
    return sandbox.describe()["gateways"][0]["admin"]


def controller(sandbox):
    return sandbox.describe()["controller"]["admin"]


def first_line(address, path, token):
    """Status and first line of a stream."""
    url = urllib.parse.urlparse(address)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    try:
        connection.request("GET", path, headers=bearer(token))
        response = connection.getresponse()
        return response.status, response.readline()
    finally:
        connection.close()


@pytest.mark.parametrize("part", [gateway, controller])
def test_the_state_is_for_those_who_have_the_role(sandbox, tokens, part):
    address = part(sandbox)
    code, headers, _ = ask(address, "/debug/state")
    assert code == 401 and headers["www-authenticate"] == "Bearer"
    assert ask(address, "/debug/state", "nonsense")[0] == 401
    assert ask(address, "/debug/state", tokens["controller for gateways"])[0] == 401
    code, _, body = ask(address, "/debug/state", tokens["stranger"])
    assert code == 403 and b"system:serviceaccount:default:stranger" in body
    assert ask(address, "/debug/state", tokens["reader"])[0] == 200
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(address, path)[0] == 200


def test_the_load_stream_and_the_slots_are_the_controllers(sandbox, tokens):
    address = gateway(sandbox)
    for method, path in (("GET", "/fleet/v1/load"), ("PUT", "/fleet/v1/slots")):
        assert ask(address, path, method=method, body="{}")[0] == 401
        assert ask(address, path, tokens["controller"], method, "{}")[0] == 401
        assert ask(address, path, tokens["stranger for gateways"], method, "{}")[0] == 403
    code, line = first_line(address, "/fleet/v1/load", tokens["controller for gateways"])
    assert code == 200 and json.loads(line)["services"] is not None
    assert ask(address, "/fleet/v1/slots", tokens["controller for gateways"], "PUT", "{}")[0] == 400
    assert b'pilotlight_gateway_admin_refusals_total{code="403"}' in ask(address, "/metrics")[2]


def test_a_token_for_the_gateways_is_none_for_the_api_server(sandbox, tokens):
    kubectl = sandbox.kubectl()
    done = kubectl.run("get", "pods", "--token", tokens["controller for gateways"], "--kubeconfig=/dev/null", "--insecure-skip-tls-verify",
                       "--server", sandbox.describe()["server"], check=False)
    assert done.returncode and "must be logged in" in done.stderr, done.stderr


def test_no_log_has_a_token(sandbox, tokens):
    for token in list(tokens.values()) + [sandbox.token]:
        for folder, _, files in os.walk(os.path.join(sandbox.state, "logs")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    assert token.encode() not in file.read()


def test_the_load_stream_survives_the_api_servers_silence(sandbox, tokens):
    address = controller(sandbox)
    assert ask(address, "/debug/state", tokens["reader"])[0] == 200
    os.kill(sandbox.process.pid, signal.SIGSTOP)
    try:
        # Longer than a stream may be silent.
        time.sleep(7)
        state = json.loads(ask(address, "/debug/state", tokens["reader"])[2])
        assert [g["isReadable"] for g in state["gateways"]] == [True]
        assert first_line(gateway(sandbox), "/fleet/v1/load", tokens["controller for gateways"])[0] == 200
    finally:
        os.kill(sandbox.process.pid, signal.SIGCONT)
    eventually(lambda: ask(address, "/debug/state", tokens["stranger"])[0] == 403, "reviews again")


def test_without_a_cluster_only_this_machine_gets_in():
    with Gateway([]) as local, Gateway([], admin="0.0.0.0:0") as open_to_all:
        assert http_sockets.ask(local.admin, "GET", "/debug/state").status == 200
        for path in ("/debug/state", "/fleet/v1/load"):
            answer = http_sockets.ask(open_to_all.admin, "GET", path)
            assert answer.status == 403 and b"--admin-auth" in answer.body
        assert http_sockets.ask(open_to_all.admin, "GET", "/metrics").status == 200
