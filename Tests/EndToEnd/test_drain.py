"""No stream is cut when a pod goes: by hand, by a change of the template, by a lower scale, with the controller killed meanwhile."""
import json
import os
import signal

import pytest

from harness import FAST, Sandbox, chat, eventually, service
from streaming import Stream

TOKENS = 60


@pytest.fixture(scope="module")
def cluster():
    running = Sandbox()
    yield running
    running.stop()


def pods(kubectl, name):
    """UID and name of each pod that is not on its way out."""
    items = kubectl.json("get", "pods", "-l", f"serving.pilotlight.dev/service={name}")["items"]
    return {item["metadata"]["uid"]: item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"]}


def delete_pod(cluster, kubectl, name):
    kubectl.run("delete", "pod", next(iter(pods(kubectl, name).values())), "--wait=false")


def change_template(cluster, kubectl, name):
    change = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--seed=7"}]
    kubectl.run("patch", "infsvc", name, "--type=json", "-p", json.dumps(change))


def scale_down(cluster, kubectl, name):
    kubectl.run("scale", f"infsvc/{name}", "--replicas=1")


def scale_down_and_kill_the_controller(cluster, kubectl, name):
    scale_down(cluster, kubectl, name)
    eventually(lambda: kubectl.json("get", "infsvc", name)["status"].get("drain", {}).get("pods"), "the drain", interval=0.02)
    cluster.kill_controller()


@pytest.mark.parametrize("action", [delete_pod, change_template, scale_down, scale_down_and_kill_the_controller])
def test_no_stream_is_cut_when_a_pod_goes(cluster, action):
    kubectl, name = cluster.kubectl(), action.__name__.replace("_", "-")
    document = service(name, dedicated={"replicas": 2}, burst={"maxReplicas": 0}, scaling={**FAST, "maxConcurrency": 16})
    document["spec"]["template"]["spec"]["containers"][0]["args"] = ["--tbt=50ms", f"--tokens={TOKENS}"]
    kubectl.run("apply", "-f", "-", stdin=json.dumps(document))
    eventually(lambda: kubectl.json("get", "infsvc", name).get("status", {}).get("dedicated", {}).get("readyReplicas") == 2, "two replicas")
    before = pods(kubectl, name)
    streams = [Stream(cluster.gateway(), name, TOKENS) for _ in range(8)]
    eventually(lambda: all(stream.tokens > 2 for stream in streams), "eight streams", interval=0.02)
    action(cluster, kubectl, name)
    # Whoever comes meanwhile is served, too.
    others = []
    while any(stream.is_alive() for stream in streams):
        others.append(chat(cluster.gateway(), name)[0])
    assert [stream.is_whole for stream in streams] == [True] * 8, streams
    assert others and set(others) == {200}
    # What was asked for has happened, and not before the streams had ended by themselves.
    expected = {delete_pod: (1, 2), change_template: (0, 2)}.get(action, (1, 1))
    eventually(lambda: (len(before.keys() & pods(kubectl, name).keys()), len(pods(kubectl, name))) == expected, "the pods as asked for")
    kubectl.run("delete", "infsvc", name, "--wait=false")
