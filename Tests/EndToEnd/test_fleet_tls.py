"""Controller and gateways over TLS: each gateway is known by the key that it published, and one that is not known is not read."""
import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import urllib.parse

import pytest

from harness import FAST, Sandbox, bearer, chat, eventually, request, service

HOME = "pilotlight-system"
KEY = "serving.pilotlight.dev/public-key"


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox("--gateways", "2", "--fleet-tls", "--controller-option=--leader-election")
    yield running
    running.stop()


def state(cluster):
    """The controller's; nothing while it cannot be had."""
    try:
        code, _, body = request(cluster.describe()["controller"]["admin"], "GET", "/debug/state", headers=bearer(cluster.token))
    except OSError:
        return {}
    return json.loads(body) if code == 200 else {}


def readable(cluster):
    """Whether each gateway can be read, in the sandbox's order; nothing where no controller leads."""
    known = state(cluster)
    if not known.get("leadingForSeconds"):
        return []
    by_address = {gateway["address"]: gateway["isReadable"] for gateway in known["gateways"]}
    return [by_address.get(urllib.parse.urlparse(gateway["fleet"]).netloc) for gateway in cluster.describe()["gateways"]]


def lease(cluster, index):
    return cluster.kubectl().json("get", "lease", f"gateway-{index}", "-n", HOME)


def key(cluster, index):
    return lease(cluster, index)["metadata"]["annotations"][KEY]


def restart(cluster, child):
    pid = child()["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: child().get("pid") not in (None, pid), "a new process")


def restart_controller(cluster):
    restart(cluster, lambda: cluster.describe()["controller"])


def restart_gateway(cluster, index):
    restart(cluster, lambda: cluster.describe()["gateways"][index])


def ask(url, path, token=None, method="GET", body=None):
    """(status, first line) over TLS, whoever answers."""
    address = urllib.parse.urlparse(url)
    connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=ssl._create_unverified_context())
    try:
        connection.request(method, path, body, bearer(token) if token else {})
        response = connection.getresponse()
        return response.status, response.readline()
    finally:
        connection.close()


def distrusts(cluster, reason):
    """How often the controller did not send a request for that reason."""
    text = request(cluster.describe()["controller"]["admin"], "GET", "/metrics")[2].decode()
    line = next((line for line in text.splitlines() if line.startswith(f'pilotlight_gateway_distrusts_total{{reason="{reason}"}}')), "x 0")
    return float(line.split()[-1])


def log_of(cluster, name):
    with open(os.path.join(cluster.state, "logs", f"{name}.log"), encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.startswith("{")]


def asleep(cluster, name):
    return cluster.kubectl().json("get", "infsvc", name).get("status", {}).get("display", {}).get("state") == "Asleep"


def replicas(cluster, name):
    return cluster.kubectl().json("get", "deployment", f"{name}-burst")["spec"]["replicas"]


def test_each_gateway_is_read_over_tls_by_its_own_key(cluster):
    eventually(lambda: readable(cluster) == [True, True], "both load streams")
    keys = [key(cluster, index) for index in (0, 1)]
    assert keys[0] != keys[1] and all(key.startswith("sha256//") and len(base64.b64decode(key[8:])) == 32 for key in keys)
    for index, gateway in enumerate(cluster.describe()["gateways"]):
        address = urllib.parse.urlparse(gateway["fleet"])
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address.hostname, address.port)))
        assert pin_of(der) == keys[index]


def pin_of(certificate):
    """The pin of a certificate, by Debian's openssl."""
    public = subprocess.run(["openssl", "x509", "-inform", "der", "-pubkey", "-noout"], input=certificate, capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, capture_output=True, check=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True).stdout
    return "sha256//" + base64.b64encode(digest).decode()


def test_the_port_for_tls_is_the_controllers_and_speaks_nothing_else(cluster):
    kubectl, url = cluster.kubectl(), cluster.describe()["gateways"][0]["fleet"]
    create = lambda *arguments: kubectl.out("create", "token", *arguments).strip()
    controller = create("pilotlight-controller", "-n", HOME, "--audience=pilotlight-gateway")
    assert ask(url, "/fleet/v1/load")[0] == 401
    assert ask(url, "/fleet/v1/load", create("pilotlight-gateway", "-n", HOME, "--audience=pilotlight-gateway"))[0] == 403
    assert ask(url, "/fleet/v1/slots", method="PUT", body="{}")[0] == 401
    code, line = ask(url, "/fleet/v1/load", controller)
    assert code == 200 and json.loads(line)["gateway"] == "gateway-0"
    assert ask(url, "/fleet/v1/slots", controller, "PUT", "{}")[0] == 400
    for path in ("/metrics", "/debug/state", "/healthz", "/v1/models"):
        assert ask(url, path, controller)[0] == 404
    with pytest.raises((OSError, http.client.HTTPException)):
        request(url.replace("https", "http"), "GET", "/fleet/v1/load", headers=bearer(controller), timeout=10)


def test_a_gateway_that_starts_again_is_read_by_its_new_key(cluster):
    eventually(lambda: readable(cluster) == [True, True], "both load streams")
    before = key(cluster, 0)
    restart_gateway(cluster, 0)
    eventually(lambda: key(cluster, 0) != before, "a new key")
    eventually(lambda: readable(cluster) == [True, True], "both load streams again")


@pytest.mark.parametrize("reason,words,harm", [
    ("wrong_key", "public key", lambda cluster: {"metadata": {"annotations": {KEY: key(cluster, 0)}}}),
    ("no_key", "has published no key", lambda cluster: {"metadata": {"annotations": {KEY: None}}}),
    ("malformed_key", "is not sha256//", lambda cluster: {"metadata": {"annotations": {KEY: "/etc/hostname"}}}),
])
def test_a_gateway_that_is_not_who_it_should_be_is_refused_and_nothing_scales_down_on_it(cluster, reason, words, harm):
    kubectl, name = cluster.kubectl(), "sleeper-" + reason.replace("_", "-")
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service(name, burst={"sleepAfter": "1s"}, scaling=FAST)))
    eventually(lambda: asleep(cluster, name), f"{name} asleep")
    eventually(lambda: readable(cluster) == [True, True], "both load streams")
    # Somebody stands where gateway 1 was: from now on its key is not the one in the Lease.
    kubectl.run("patch", "lease", "gateway-1", "-n", HOME, "--type=merge", "-p", json.dumps(harm(cluster)))
    restart_controller(cluster)
    eventually(lambda: readable(cluster) == [True, False], "a gateway that is refused")
    eventually(lambda: distrusts(cluster, reason) > 0, "a count of it")
    ended = [line for line in log_of(cluster, "controller") if line["message"] == "load stream ended" and words in line["error"]]
    assert ended, log_of(cluster, "controller")[-5:]
    # Wakes go on; of sleep there is no word while a gateway may have requests that nobody sees.
    assert chat(cluster.gateway(0), name)[0] == 200
    assert replicas(cluster, name) == 1
    since = distrusts(cluster, reason)
    # Longer than its window and idle time: attempts are 3 s apart at most.
    eventually(lambda: distrusts(cluster, reason) >= since + 5, "more attempts")
    assert replicas(cluster, name) == 1 and readable(cluster) == [True, False]
    restart_gateway(cluster, 1)
    eventually(lambda: readable(cluster) == [True, True], "both load streams again")
    eventually(lambda: replicas(cluster, name) == 0, "sleep")


def test_the_admin_port_still_answers_a_controller_of_the_version_before(cluster):
    token = cluster.kubectl().out("create", "token", "pilotlight-controller", "-n", HOME, "--audience=pilotlight-gateway").strip()
    address = urllib.parse.urlparse(cluster.describe()["gateways"][0]["admin"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request("GET", "/fleet/v1/load", headers=bearer(token))
    response = connection.getresponse()
    assert response.status == 200 and json.loads(response.readline())["gateway"] == "gateway-0"
    connection.close()


def test_where_tls_is_required_a_gateway_without_it_is_not_read():
    running = Sandbox("--controller-option=--gateway-tls=required")
    try:
        eventually(lambda: state(running).get("leadingForSeconds") and distrusts(running, "plain_http") > 0, "a gateway that is refused")
        assert [gateway["isReadable"] for gateway in state(running)["gateways"]] == [False]
    finally:
        running.stop()
