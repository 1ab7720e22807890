"""No stream is cut when a pod goes: by hand, by a change of the template, by a lower scale."""
import json

import pytest

from streaming import Stream

TOKENS = 60


def delete_pod(cluster, name):
    cluster("delete", "pod", next(iter(cluster.pods(name).values())), "--wait=false")


def change_template(cluster, name):
    change = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--seed=7"}]
    cluster("patch", "infsvc", name, "--type=json", "-p", json.dumps(change))


def scale_down(cluster, name):
    cluster("scale", f"infsvc/{name}", "--replicas=1")


# How many of the two pods stay, and how many there are afterwards.
AFTERWARDS = {delete_pod: (1, 2), change_template: (0, 2), scale_down: (1, 1)}


@pytest.mark.needs("model_stub")
@pytest.mark.parametrize("action", AFTERWARDS, ids=lambda action: action.__name__)
def test_no_stream_is_cut_when_a_pod_goes(cluster, action):
    name = action.__name__.replace("_", "-")
    cluster.apply(cluster.service(
        name, arguments=["--tbt=50ms", f"--tokens={TOKENS}"], dedicated={"replicas": 2}, burst={"maxReplicas": 0}))
    cluster.eventually(lambda: cluster.status(name).get("dedicated", {}).get("readyReplicas") == 2, "two replicas")
    before = cluster.pods(name)
    streams = [Stream(cluster.gateway, cluster.model(name), TOKENS) for _ in range(8)]
    cluster.eventually(lambda: all(stream.tokens > 2 for stream in streams), "eight streams")
    action(cluster, name)
    # Whoever comes meanwhile is served, too.
    others = []
    while any(stream.is_alive() for stream in streams):
        others.append(cluster.chat(name)[0])
    assert [stream.is_whole for stream in streams] == [True] * 8, streams
    assert others and set(others) == {200}
    cluster.eventually(
        lambda: (len(before.keys() & cluster.pods(name).keys()), len(cluster.pods(name))) == AFTERWARDS[action], "the pods as asked for")
    cluster.delete(name)
