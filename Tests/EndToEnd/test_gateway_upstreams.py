"""Replicas that die, move and are left: what callers see of it, and what other replicas get."""
import collections
import threading
import time

import pytest

from gateway import Gateway, in_parallel, openai_service, service
from harness import eventually
from http_sockets import Client, Truncated, Upstream


def broken_off(request):
    """Begins an answer and dies."""
    kind, _, way = request.target[1:].partition("-")
    if kind == "chunked":
        request.start()
        request.chunk(b"data: 1\n\n")
    elif kind == "chunk":
        request.start()
        request.send(b"64\r\ndata: half of the")
    elif kind == "length":
        request.start(content_length=100)
        request.send(b"ten bytes.")
    else:
        request.start(connection="close")
        request.send(b"until the end")
    time.sleep(0.1)  # A reset that comes with the data may hide it.
    request.reset() if way == "reset" else request.close()


@pytest.mark.parametrize("kind", ["chunked", "chunk", "length"])
@pytest.mark.parametrize("way", ["end", "reset"])
def test_an_answer_that_breaks_off_is_seen_to_break_off(kind, way):
    with Upstream(broken_off) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        with Client(gateway.address) as client:
            with pytest.raises((Truncated, ConnectionError)):
                client.ask("GET", f"/default/m/{kind}-{way}")
        assert len(upstream.requests) == 1, "it was sent again after its first byte"
        eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 10)
        assert gateway.metric("broken_answers_total") == 1


def test_an_answer_without_a_length_ends_with_its_connection():
    with Upstream(broken_off) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        assert gateway.ask("GET", "/default/m/endless-end").body == b"until the end"
        with pytest.raises((Truncated, ConnectionError)):
            gateway.ask("GET", "/default/m/endless-reset")


def test_a_replica_that_refuses_connections_is_passed_over():
    def slow(request):
        request.read()
        time.sleep(0.02)
        request.respond()

    with Upstream(slow) as dead, Upstream(slow) as alive, Gateway([service("m", dead.address, alive.address)]) as gateway:

        def all_served(_):
            with Client(gateway.address) as client:
                return [client.ask("POST", "/default/m/x", b"body").status for _ in range(10)]

        assert set(sum(in_parallel(8, all_served), [])) == {200}
        eventually(lambda: dead.requests and alive.requests, "both replicas in use")
        dead.close()
        assert set(sum(in_parallel(8, all_served), [])) == {200}
        assert gateway.metric("retries_total", service="m") >= 1
        # It comes back, and is used again.
        before = len(dead.requests)
        dead.open(dead.port)

        def used_again():
            assert set(sum(in_parallel(4, all_served), [])) == {200}
            return len(dead.requests) > before

        eventually(used_again, "the replica in use again", 30)


def dying_and_healthy():
    """An upstream that reads each request and closes without a word, and one that answers."""
    got = []

    def die(request):
        body = request.read()
        if request.target != "/warm":
            got.append(body)
            request.reset()
        else:
            request.respond()

    def live(request):
        request.respond(200, request.read())

    return Upstream(die), Upstream(live), got


def test_a_small_request_that_got_no_answer_is_sent_to_another_replica():
    dying, healthy, got = dying_and_healthy()
    with dying, healthy, Gateway([service("m", dying.address, healthy.address)]) as gateway:
        for _ in range(20):
            answer = gateway.ask("POST", "/default/m/x", b"a small body")
            assert (answer.status, answer.body) == (200, b"a small body")
            if got:
                break
        # Once more on a fresh connection, where the first had been open before: it may have been closed just then.
        assert 1 <= len(got) <= 2, "the dying replica was never tried, or too often for one request"


def test_a_request_whose_body_cannot_be_repeated_is_not_sent_twice():
    dying, healthy, got = dying_and_healthy()
    with dying, healthy, Gateway([service("m", dying.address, healthy.address)]) as gateway:
        for round in range(1, 20):
            body = b"%04d" % round * (1 << 18)  # 1 MiB: it is passed on as it comes, and not kept
            answer = gateway.ask("POST", "/default/m/x", body)
            if got:
                assert answer.status in (502, 503), answer
                break
            assert (answer.status, answer.body) == (200, body)
        assert len(got) == 1
        assert all(request.is_over.wait(5) for request in healthy.requests)
        assert len(healthy.requests) == round - 1, "a part of it went to the other replica"


def test_when_no_replica_answers_the_caller_is_told():
    with Upstream(lambda request: request.reset()) as upstream:
        with Gateway([service("m", upstream.address)]) as gateway:
            answer = gateway.ask("POST", "/default/m/x", b"body")
            assert answer.status in (502, 503) and b"default/m" in answer.body, answer


def test_an_answer_that_is_no_http_is_a_bad_gateway():
    with Upstream(lambda request: (request.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), request.close())) as upstream:
        with Gateway([service("m", upstream.address)]) as gateway:
            answer = gateway.ask("GET", "/default/m/x")
            assert answer.status == 502 and b"bad_gateway" in answer.body


def test_a_caller_that_leaves_is_no_longer_held():
    with Gateway([service("m"), openai_service("n")]) as gateway:
        clients = [Client(gateway.address) for _ in range(20)]
        for index, client in enumerate(clients):
            if index % 2:
                client.request("POST", "/default/m/x", b"body")
            else:
                client.request("POST", "/v1/completions", b'{"model": "n"}')
        eventually(lambda: gateway.metric("held_requests") == 20, "all held", 10)
        for client in clients[:10]:
            client.close()
        eventually(lambda: gateway.metric("held_requests") == 10, "half held", 5)
        for client in clients[10:]:
            client.reset()
        eventually(lambda: gateway.metric("held_requests") == 0, "none held", 5)
        assert gateway.metric("held_bytes") == 0


@pytest.mark.parametrize("when", ["before the answer", "between events"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_caller_that_leaves_cancels_its_upstream(when, how):
    cancelled = threading.Event()

    def silent(request):
        request.read()
        if when == "between events":
            request.start(content_type="text/event-stream")
            request.chunk(b"data: 1\n\n")
        if not request.wire.fill():
            cancelled.set()

    with Upstream(silent) as upstream, Gateway([service("m", upstream.address)]) as gateway:
        client = Client(gateway.address)
        client.request("POST", "/default/m/x", b"body")
        eventually(lambda: upstream.requests, "the request at the upstream", 10)
        if when == "between events":
            assert " 200 " in client.head()[0]
        getattr(client, how)()
        assert cancelled.wait(5), "the upstream's connection is still open"
        eventually(lambda: gateway.metric("in_flight_requests") == 0, "nothing in flight", 5)


def test_a_reused_address_never_gets_another_models_request():
    models_by_connection = collections.defaultdict(set)
    stream_may_end = threading.Event()

    def answer(request):
        request.read()
        models_by_connection[request.wire].add(request.headers["x-model"])
        if request.target == "/stream":
            request.start()
            request.chunk(b"one")
            assert stream_may_end.wait(30)
            request.chunk(b"two")
            request.finish()
        else:
            request.respond(200, request.headers["x-model"].encode())

    with Upstream(answer) as first, Upstream(answer) as second:
        with Gateway([service("a", first.address), service("b")]) as gateway:

            def ask_for(model, times=10):
                with Client(gateway.address) as client:
                    for _ in range(times):
                        reply = client.ask("POST", f"/default/{model}/x", b"body", X_Model=model)
                        assert (reply.status, reply.body) == (200, model.encode())

            in_parallel(8, lambda _: ask_for("a"))
            with Client(gateway.address) as streaming, Client(gateway.address) as waiting:
                streaming.request("GET", "/default/a/stream", X_Model="a")
                assert " 200 " in streaming.head()[0]
                waiting.request("POST", "/default/b/x", b"held", X_Model="b")
                eventually(lambda: gateway.metric("held_requests", service="b") == 1, "b's request held", 10)
                pooled = first.connections
                assert pooled >= 2
                # The pod of a is gone, another one has its address, and is b's.
                gateway.reload([service("a", second.address), service("b", first.address)])
                reply = waiting.response()
                assert (reply.status, reply.body) == (200, b"b")
                in_parallel(8, lambda index: ask_for("ab"[index % 2], 25))
                stream_may_end.set()
                assert b"".join(streaming.chunks()) == b"onetwo", "the stream to the old pod was cut"
            for models in models_by_connection.values():
                assert len(models) == 1, f"one connection carried requests for {sorted(models)}"
            assert {request.headers["x-model"] for request in second.requests} == {"a"}
