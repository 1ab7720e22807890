"""`hack/e2e`, the suite for any cluster, with the sandbox as the cluster that KUBECONFIG names."""
import json
import os
import subprocess

import pytest

from harness import ROOT, modern_kubectl, version_of

pytestmark = pytest.mark.skipif(
    version_of(modern_kubectl()) < (1, 29), reason="hack/e2e on a kubectl before 1.29 leaves out what that cannot do")

# The parts that show each of the suite's own means; the rest is tried on the sandbox by the tests beside this one.
SELECTION = "wake_a_sleeping or columns or (refused and spare) or affinity or cel"


def run(sandbox, *arguments, path=None):
    environment = {**os.environ, "KUBECONFIG": sandbox.kubeconfig}
    if path:
        environment |= {"PATH": f"{path}:{os.environ['PATH']}", "PILOTLIGHT_KUBECTLS": ""}
    return subprocess.run(["hack/e2e", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def namespaces(sandbox):
    return {item["metadata"]["name"] for item in sandbox.kubectl().json("get", "namespaces")["items"]}


def test_a_foreign_cluster_passes(sandbox):
    before = namespaces(sandbox)
    done = run(sandbox, "--gateway-url", sandbox.gateway(), "-o", "json", "-k", SELECTION)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["failed"], report["passed"]) == (0, 3), done.stdout
    skipped = {test["name"]: test["reason"] for test in report["tests"] if test["outcome"] == "skipped"}
    assert skipped == {
        "affinity that no node has is told": "scheduler: the sandbox knows resources and nodeSelector, not affinity",
        "rules are evaluated as cel": "cel: the sandbox checks the same rules in Swift, not in CEL",
    }
    assert report["namespace"].startswith("pilotlight-e2e-") and namespaces(sandbox) == before


def test_what_fails_is_told_and_leaves_nothing_behind(sandbox):
    before = namespaces(sandbox)
    done = run(sandbox, "--gateway-url", sandbox.gateway(), "--command", "sh -c 'exit 3'", "--namespace-prefix", "broken",
               "-k", "wake_a_sleeping or crashes")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed" in done.stdout and "CrashLoopBackOff" in done.stdout and "namespace broken-" in done.stdout
    assert "skipped: a model that crashes is told and not waited for\n         needs model stub: " in done.stdout
    assert "0 passed, 1 failed, 1 skipped" in done.stdout and namespaces(sandbox) == before


@pytest.mark.parametrize("arguments, words", [
    (["--gateway-url", "http://127.0.0.1:1"], "--gateway-url"),
    (["--gateway-service", "nowhere/nothing"], 'namespaces "nowhere" not found'),
])
def test_a_gateway_that_is_not_there_is_named(sandbox, arguments, words):
    before = namespaces(sandbox)
    done = run(sandbox, *arguments)
    assert done.returncode == 2 and words in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert namespaces(sandbox) == before


def test_a_gateway_behind_a_port_forward(sandbox, tmp_path):
    # The sandbox forwards no ports: a kubectl that says what kubectl says, and leads to the gateway's own port.
    port = sandbox.gateway().rsplit(":", 1)[1]
    fake = tmp_path / "kubectl"
    fake.write_text(
        "#!/bin/sh\n"
        'if [ "$1" != port-forward ]; then exec ' + modern_kubectl() + ' "$@"; fi\n'
        f'echo "$@" >> {tmp_path}/forwarded\n'
        f'echo "Forwarding from 127.0.0.1:{port} -> 8080"; exec sleep 300\n')
    fake.chmod(0o755)
    done = run(sandbox, "-o", "json", "-k", "crashes", path=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["passed"] == 1
    assert (tmp_path / "forwarded").read_text() == "port-forward -n pilotlight-system service/pilotlight-gateway :80\n"
    assert subprocess.run(["pgrep", "-f", f"{tmp_path}"], capture_output=True).returncode == 1
