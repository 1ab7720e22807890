"""`pilotlight gateway --static FILE`: what the file may say, and what a reload by SIGHUP does."""
import json
import subprocess

import pytest

from gateway import Gateway, in_parallel, openai_service, service
from harness import BINARY, eventually
from http_sockets import Client, Upstream

GOOD = "127.0.0.1:8000"


def with_service(**fields):
    return {"services": [{"name": "m", **fields}]}


# What is wrong, and what the error must name.
BAD_FILES = {
    "no JSON": ('{"services": [', ["JSON"]),
    "no object": ("[]", ["object"]),
    "an empty file": ("", ["JSON"]),
    "an unknown field": ({"servces": []}, ["servces"]),
    "services that are no list": ({"services": {}}, ["services", "list"]),
    "no name": ({"services": [{}]}, ["services[0].name"]),
    "a name with a dot": ({"services": [{"name": "a.b"}]}, ["services[0].name", "a.b"]),
    "a name twice": ({"services": [{"name": "m"}, {"name": "m"}]}, ["services[1].name", "default/m"]),
    "a number for a name": ({"services": [{"name": 7}]}, ["services[0].name", "string"]),
    "an unknown field of a service": (with_service(endpiont=[]), ["services[0]", "endpiont"]),
    "an unknown protocol": (with_service(protocol="gopher"), ["services[0].protocol", "gopher"]),
    "a health path without a slash": (with_service(healthPath="up"), ["services[0].healthPath", "up"]),
    "an alias that is no string": (with_service(aliases=[1]), ["services[0].aliases"]),
    "a queue of negative length": (with_service(queue={"maxRequests": -1}), ["services[0].queue.maxRequests", "from 0 to"]),
    "a wait that is no duration": (with_service(queue={"maxWait": "soon"}), ["services[0].queue.maxWait", "soon"]),
    "an unknown pool in the order": (with_service(order=["Spare"]), ["services[0].order", "Spare"]),
    "no address": (with_service(endpoints=[{}]), ["services[0].endpoints[0].address"]),
    "an address without a port": (with_service(endpoints=[{"address": "127.0.0.1"}]), ["services[0].endpoints[0].address", "127.0.0.1"]),
    "a host name": (with_service(endpoints=[{"address": "example.com:80"}]), ["services[0].endpoints[0].address", "example.com:80"]),
    "an unknown pool": (with_service(endpoints=[{"address": GOOD, "pool": "spare"}]), ["services[0].endpoints[0].pool", "spare"]),
    "no slots": (with_service(endpoints=[{"address": GOOD, "maxConcurrency": 0}]), ["services[0].endpoints[0].maxConcurrency", "from 1 to"]),
    "a word for a number": (with_service(endpoints=[{"address": GOOD, "maxConcurrency": "x"}]), ["services[0].endpoints[0].maxConcurrency"]),
}


def text(document):
    return document if isinstance(document, str) else json.dumps(document)


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_gateway_does_not_start_from_a_file_that_is_wrong(case, tmp_path):
    document, words = BAD_FILES[case]
    file = tmp_path / "services.json"
    file.write_text(text(document))
    command = [BINARY, "gateway", "--static", file, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode not in (0, -11, -4), done
    assert all(word in done.stderr for word in words), done.stderr


def test_a_gateway_does_not_start_without_its_file(tmp_path):
    done = subprocess.run([BINARY, "gateway", "--static", tmp_path / "none.json"], capture_output=True, text=True, timeout=20)
    assert done.returncode > 0 and "none.json" in done.stderr, done


def test_a_reload_of_a_file_that_is_wrong_changes_nothing():
    with Upstream() as upstream, Gateway([service("m", upstream.address)]) as gateway:
        assert gateway.ask("GET", "/default/m/x").status == 200
        for case, (document, words) in BAD_FILES.items():
            before = len(gateway.lines(level="error"))
            gateway.reload(text(document))
            eventually(lambda: len(gateway.lines(level="error")) > before, f"an error about {case}", 10, interval=0.01)
            lines = gateway.lines(level="error")[before:]
            assert len(lines) == 1, lines
            assert all(word in json.dumps(lines[0]) for word in words), (case, lines)
            assert gateway.ask("GET", "/default/m/x").status == 200, case
        # And a good one is taken after all those.
        gateway.reload([service("renamed", upstream.address)])
        eventually(lambda: gateway.ask("GET", "/default/renamed/x").status == 200, "the new view", 10)
        assert gateway.ask("GET", "/default/m/x").status == 404


def test_a_reload_adds_changes_and_removes_services():
    with Upstream() as first, Upstream() as second:
        with Gateway([openai_service("a", first.address), service("b", first.address)]) as gateway:

            def models():
                return {model["id"] for model in json.loads(gateway.ask("GET", "/v1/models").body)["data"]}

            assert "a" in models()
            gateway.reload([openai_service("c", second.address, aliases=["d"]), service("b", second.address)])
            eventually(lambda: "a" not in models() and {"c", "d"} & models(), "the new models", 10)
            assert gateway.ask("POST", "/v1/completions", b'{"model": "a"}').status == 404
            assert gateway.ask("POST", "/v1/completions", b'{"model": "d"}').status == 200
            before = len(first.requests)
            assert gateway.ask("POST", "/default/b/x", b"").status == 200
            assert len(first.requests) == before and second.requests[-1].target == "/x"


def test_a_reload_wakes_what_is_held_and_refuses_what_is_gone():
    with Upstream() as upstream, Gateway([service("wakes"), service("goes")]) as gateway:
        with Client(gateway.address) as waking, Client(gateway.address) as going:
            waking.request("POST", "/default/wakes/x", b"body")
            going.request("POST", "/default/goes/x", b"body")
            eventually(lambda: gateway.metric("held_requests") == 2, "both held", 10)
            gateway.reload([service("wakes", upstream.address)])
            assert waking.response().status == 200
            gone = going.response()
            assert gone.status == 404 and b"default/goes" in gone.body


def test_reloads_under_load_lose_no_request():
    with Upstream() as first, Upstream() as second, Gateway([service("m", first.address)]) as gateway:
        views = ([service("m", first.address)], [service("m", second.address)], [service("m", first.address, second.address)])

        def work(index):
            if index == 0:
                for number in range(40):
                    gateway.reload(views[number % 3])
                    gateway.ask("GET", "/healthz")
                return set()
            with Client(gateway.address) as client:
                return {client.ask("POST", "/default/m/x", b"body").status for _ in range(150)}

        assert set().union(*in_parallel(5, work)) == {200}
        assert first.requests and second.requests
        assert not gateway.lines(level="error")
