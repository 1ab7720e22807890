"""HTTP/1.1 at the gateway, to the byte: what a model server sees of what clients send, and clients of what it answers.

The rows are in `wire/framing.py`, `fields.py`, `targets.py` and `answers.py`.
"""
import collections

import pytest

from wire import answers, fields, framing, targets
from wire.client import Client, fence
from wire.proxies import PEERS, found, peer, pilotlight
from wire.recorder import Loop, Recorder, naming

CASES = framing.CASES + fields.CASES + targets.CASES
ANSWERS = {f"answer-{number}": row for number, row in enumerate(answers.ANSWERS)}

# Sent where a connection should serve another request: it shows that the one before has ended where it should.
SECOND = "GET /second HTTP/1.1\r\nHost: {}.test\r\n\r\n"


def names(rows):
    return [f"{row.section}: {row.name}" for row in rows]


@pytest.fixture(scope="module")
def loop():
    return Loop()


@pytest.fixture(scope="module")
def recorder(loop):
    return Recorder(loop)


@pytest.fixture(scope="module")
def gateway(loop, recorder):
    others = [(name, Recorder(loop, answering(row))) for name, row in ANSWERS.items()]
    with pilotlight(recorder, others) as address:
        yield address


def answering(row):
    return lambda request: naming(request) if request.target == "/second" else row.reply


# What clients send


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_a_request_is_forwarded_as_it_must_be_or_refused(case, gateway, recorder):
    recorder.take()
    with Client(gateway) as client:
        client.send_all(case, client.read_continue)
        for request in case.sees:
            response = client.response(is_head=request.method == "HEAD")
            assert response and response.status == 200, f"no answer to {request}: {response}"
            expected = "" if request.method == "HEAD" else f"{request.method} {request.target}"
            assert response.body == expected.encode(), "the answer is another request's"
        if case.statuses:
            response = client.response()
            assert response and response.is_whole and response.status in case.statuses, f"expected {case.statuses}: {response}"
        if case.then == "closed":
            assert client.rest() == b""
        elif case.then == "open":
            client.send(SECOND.format("owl").encode())
            response = client.response()
            assert response and response.body == b"GET /second", f"the connection cannot be used again: {response}"
        if not case.may_see_continue:
            assert client.interim == []
    fence(gateway)
    requests, rests = recorder.take()
    assert not [rest for rest in rests if isinstance(rest, str)], "the model server can read it in more than one way"
    if case.then == "open":
        assert requests and requests.pop().target == "/second"
        assert rests == [], "the model server got bytes of no request"
    assert len(requests) == len(case.sees), f"the model server saw {[str(request) for request in requests]}"
    for request, expected in zip(requests, case.sees):
        assert (request.method, request.target) == (expected.method, expected.target)
        assert request.body == expected.body.encode("latin-1")
        assert request.trailers == list(expected.trailers)
        check_fields(request, expected)


def check_fields(message, expected):
    found = {name: message.values(name) for name in (*expected.has, *expected.lacks)}
    assert found == {name: [value] for name, value in expected.has.items()} | {name: [] for name in expected.lacks}


# What model servers answer


@pytest.mark.parametrize("name", ANSWERS, ids=names(ANSWERS.values()))
def test_an_answer_reaches_its_client_as_it_must(name, gateway):
    row = ANSWERS[name]
    with Client(gateway) as client:
        client.send(row.request.replace("owl.test", f"{name}.test").encode("latin-1"))
        if row.ends_sending:
            client.end_sending()
        response = client.response(is_head=row.is_head)
        assert response, "no answer"
        if row.then == "cut":
            check_cut(response, row)
        else:
            assert response.is_whole and response.status == row.status, str(response)[:1000]
            assert row.body is None or response.body == row.body.encode("latin-1")
            assert response.trailers == list(row.trailers)
            check_fields(response, row)
        assert row.interim is None or tuple(status for status in client.interim if status != 100) == row.interim
        if row.then == "closed":
            assert client.rest() == row.tail.encode("latin-1")
        elif row.then == "open":
            client.send(SECOND.format(name).encode())
            response = client.response()
            assert response and response.body == b"GET /second", f"the next answer is {response}"
    fence(gateway)


def check_cut(response, row):
    """Where all of it came at once, the gateway may know better before it sends a byte."""
    if response.status == 502:
        return
    assert response.status == row.status and not response.is_whole, f"not cut: {response}"
    assert row.body is None or response.body == row.body.encode("latin-1")


# The same at other proxies

# Not what the gateway answers by itself, nor the bodies it rewrites: other proxies know nothing of either.
COMPARED = [case for case in CASES if case not in targets.MODELS and (case.sees or case.then != "open")]


@pytest.fixture(scope="module")
def seen(loop):
    """What of each row the model server sees behind each proxy: method and body of every whole request, and a text for
    what it could read in more than one way."""
    return {name: look(name, loop) for name in ("pilotlight", *PEERS) if name == "pilotlight" or found(name)}


def look(name, loop):
    recorder = Recorder(loop)
    with pilotlight(recorder) if name == "pilotlight" else peer(name, recorder) as address:
        return [provoke(case, address, recorder) for case in COMPARED]


def provoke(case, address, recorder):
    fence(address)
    recorder.take()
    with Client(address) as client:
        client.send_all(case, lambda: fence(address))
        # A proxy that runs on one thread takes its turns in order: one for each request, and some to begin and end.
        for _ in range(2 + len(case.sees)):
            fence(address)
        requests, rests = recorder.take()
    return [(request.method, request.body) for request in requests] + [rest for rest in rests if isinstance(rest, str)]


@pytest.mark.parametrize("name", PEERS)
def test_a_request_that_both_forward_ends_where_it_ends_at(name, seen, capsys):
    if name not in seen:
        pytest.skip(f"{name} is not installed")
    counts = collections.Counter()
    otherwise = []
    for case, ours, theirs in zip(COMPARED, seen["pilotlight"], seen[name]):
        verdict = compare(ours, theirs)
        counts[verdict] += 1
        if verdict == "otherwise":
            otherwise.append(f"{case.section}: {case.name}: {ours}, but at {name} {theirs}")
    with capsys.disabled():
        print(f"\nof {len(COMPARED)} rows, against {name}: {dict(counts)}")
    assert not otherwise, "\n".join(otherwise)


def compare(ours, theirs):
    if ours == theirs:
        return "agree"
    if len(ours) != len(theirs):
        return "stricter" if len(ours) < len(theirs) else "laxer"
    # Such as a length with leading zeros, passed on as it came.
    return "tidier" if any(isinstance(request, str) for request in theirs) else "otherwise"


def test_nothing_is_forwarded_that_both_others_refuse(seen):
    missing = [name for name in PEERS if name not in seen]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    laxer = [
        f"{case.section}: {case.name}"
        for case, ours, *theirs in zip(COMPARED, *seen.values())
        if not case.differs and all(len(ours) > len(one) for one in theirs)
    ]
    assert not laxer, "forwarded although nginx and HAProxy refuse it, and the row's `differs` gives no reason:\n" + "\n".join(laxer)
