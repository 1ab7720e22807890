"""OpenAI's own Python client through the gateway: answers, streams, and errors as the exceptions its users catch."""
import asyncio
import json
import subprocess
import threading

import openai
import pytest

from gateway import Gateway, openai_service
from harness import BINARY, eventually
from http_sockets import Client, Upstream

MESSAGES = [{"role": "user", "content": "Hello?"}]


@pytest.fixture(scope="module")
def stub():
    """The address of a model stub that knows its model as `inner/model` only."""
    command = [BINARY, "model-stub", "--listen", "127.0.0.1:0", "--model", "inner/model", "--ttft=5ms", "--tbt=1ms", "--dimensions=8"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in process.stderr:
        if address := json.loads(line).get("address"):
            break
    else:
        raise AssertionError("the model stub did not start")
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    yield address
    process.kill()
    process.wait()


def answer(request):
    """An upstream that fails as its caller's model asks: by status, by silence, or within a stream."""
    body = json.loads(request.read())
    kind = body["model"]
    if kind.isdigit():
        error = {"message": f"this is a {kind}", "type": "of_the_model", "param": "messages", "code": "its_own"}
        return request.respond(int(kind), json.dumps({"error": error}).encode(), content_type="application/json")
    if kind == "silent":
        return request.wire.fill()
    request.start(content_type="text/event-stream")
    delta = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": kind, "choices": [{"index": 0, "delta": {"content": "word "}}]}
    while True:
        request.chunk(b"data: %s\n\n" % json.dumps(delta).encode())
        if kind == "breaks":
            return request.close()
        if kind == "endless" and request.wire.fill():
            raise AssertionError("it went on talking")


@pytest.fixture(scope="module")
def upstream():
    with Upstream(answer) as running:
        yield running


STATUSES = ["400", "401", "403", "404", "409", "422", "429", "500", "503"]


@pytest.fixture(scope="module")
def gateway(stub, upstream):
    services = [
        openai_service("front", stub, model="inner/model", aliases=["gpt-4o-mini", "text-embedding-3-small"]),
        openai_service("faults", upstream.address, adapters=[*STATUSES, "breaks", "endless"]),
        openai_service("silent", upstream.address, timeouts={"response": "500ms"}),
        openai_service("sleeper"),
        openai_service("crowded", queue={"maxRequests": 1}),
        openai_service("closed", queue={"maxRequests": 0}),
        openai_service("gone", "127.0.0.1:1"),
    ]
    with Gateway(services, "--routing-body-limit=65536") as running:
        yield running


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=f"http://{gateway.address}/v1", api_key="unused", max_retries=0, timeout=20) as made:
        yield made


def chat(client, model, **options):
    return client.chat.completions.create(model=model, messages=MESSAGES, **options)


def test_every_model_is_listed_awake_or_not(client):
    models = {model.id for model in client.models.list()}
    assert {"front", "gpt-4o-mini", "sleeper", "crowded"} <= models
    assert client.models.retrieve("sleeper").id == "sleeper"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


@pytest.mark.parametrize("name", ["front", "inner/model", "gpt-4o-mini", "default/front"])
def test_a_chat_by_every_name_of_a_model(client, name):
    answer = chat(client, name, max_tokens=6)
    assert answer.choices[0].message.content and answer.usage.completion_tokens == 6


def test_a_chat_by_path_and_host(gateway):
    for base, headers in ((f"http://{gateway.address}/default/front/v1", {}), (f"http://{gateway.address}/v1", {"Host": "front.default.pilotlight.local"})):
        with openai.OpenAI(base_url=base, api_key="unused", max_retries=0, default_headers=headers) as client:
            assert chat(client, "gpt-4o-mini", max_tokens=3).usage.completion_tokens == 3


def test_a_streamed_chat_with_its_usage(client):
    pieces = list(chat(client, "gpt-4o-mini", max_tokens=7, stream=True, stream_options={"include_usage": True}))
    assert sum(1 for piece in pieces if piece.choices and piece.choices[0].delta.content) == 7
    assert pieces[-1].usage.completion_tokens == 7


def test_where_an_answer_came_from(client):
    raw = client.chat.completions.with_raw_response.create(model="front", messages=MESSAGES, max_tokens=2)
    assert raw.headers["pilotlight-pool"] == "dedicated"
    assert raw.parse().usage.completion_tokens == 2


def test_completions_and_embeddings(client):
    assert client.completions.create(model="front", prompt="Once", max_tokens=4).usage.completion_tokens == 4
    both = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], encoding_format="float")
    assert [len(item.embedding) for item in both.data] == [8, 8]
    # By default the client asks for base64 and decodes it.
    assert len(client.embeddings.create(model="front", input="one").data[0].embedding) == 8


def test_an_async_client_with_many_at_once(gateway):
    async def ask_all():
        async with openai.AsyncOpenAI(base_url=f"http://{gateway.address}/v1", api_key="unused", max_retries=0) as client:
            async def one(number):
                stream = await client.chat.completions.create(model="front", messages=MESSAGES, max_tokens=number % 7 + 1, stream=True)
                return number % 7 + 1, len([piece async for piece in stream if piece.choices and piece.choices[0].delta.content])

            return await asyncio.gather(*(one(number) for number in range(64)))

    assert all(wanted == got for wanted, got in asyncio.run(ask_all()))


def problem(kind, call, *arguments, **options):
    with pytest.raises(kind) as caught:
        call(*arguments, **options)
    return caught.value


def test_an_unknown_model_is_not_found(client):
    error = problem(openai.NotFoundError, chat, client, "nobody")
    assert (error.code, error.param, error.type) == ("model_not_found", "model", "invalid_request_error")
    assert "nobody" in error.message


@pytest.mark.parametrize("content", [b'{"model": "front"', b"model=front", b"[]", b"", b'{"model": 7}'])
def test_a_body_that_is_no_json_is_a_bad_request(client, content):
    options = {"headers": {"content-type": "application/json"}}
    error = problem(openai.BadRequestError, client.post, "/chat/completions", cast_to=object, content=content, options=options)
    assert error.code in ("invalid_body", "missing_model") and error.type == "invalid_request_error"


def test_a_missing_model_is_a_bad_request(client):
    error = problem(openai.BadRequestError, client.post, "/chat/completions", cast_to=object, body={"messages": MESSAGES})
    assert (error.code, error.param) == ("missing_model", "model")


def test_a_body_that_is_too_long_to_be_searched(client):
    long = [{"role": "user", "content": "x" * 100_000}]
    error = problem(openai.APIStatusError, client.chat.completions.create, model="front", messages=long)
    assert (error.status_code, error.code) == (413, "request_too_large")


def test_a_full_queue_is_a_rate_limit(gateway, client):
    error = problem(openai.RateLimitError, chat, client, "closed")
    assert error.code == "queue_full" and int(error.response.headers["retry-after"]) > 0
    with Client(gateway.address) as first:
        first.request("POST", "/v1/chat/completions", b'{"model": "crowded"}')
        eventually(lambda: gateway.metric("held_requests", service="crowded") == 1, "the first held", 10)
        error = problem(openai.RateLimitError, chat, client, "crowded")
        assert error.code == "queue_full" and error.type == "rate_limit_error"


def test_a_wake_past_the_callers_patience_is_unavailable(client):
    error = problem(openai.InternalServerError, chat, client, "sleeper", extra_headers={"Prefer": "wait=1"})
    assert (error.status_code, error.code, error.type) == (503, "model_waking", "service_unavailable_error")
    assert int(error.response.headers["retry-after"]) > 0
    assert error.response.headers["pilotlight-cold-start"] == "true"


def test_a_replica_that_cannot_be_reached_is_unavailable(client):
    error = problem(openai.InternalServerError, chat, client, "gone", extra_headers={"Prefer": "wait=1"})
    assert error.status_code == 503


def test_a_silent_replica_is_a_gateway_timeout(client):
    error = problem(openai.InternalServerError, chat, client, "silent")
    assert (error.status_code, error.code) == (504, "model_timeout")


@pytest.mark.parametrize("status", STATUSES)
def test_a_models_own_errors_are_passed_on(client, status):
    error = problem(openai.APIStatusError, chat, client, status)
    kinds = {
        "400": openai.BadRequestError, "401": openai.AuthenticationError, "403": openai.PermissionDeniedError,
        "404": openai.NotFoundError, "409": openai.ConflictError, "422": openai.UnprocessableEntityError,
        "429": openai.RateLimitError, "500": openai.InternalServerError, "503": openai.InternalServerError,
    }
    assert type(error) is kinds[status]
    assert (error.type, error.param, error.code) == ("of_the_model", "messages", "its_own")


def test_a_stream_that_breaks_off_is_a_connection_error(client):
    # The client lets some transport errors through as they are: any will do, a clean end will not.
    with pytest.raises(Exception) as caught:
        list(chat(client, "breaks", stream=True))
    assert not isinstance(caught.value, openai.APIStatusError)


def test_a_stream_the_client_closes_is_cancelled(client, upstream):
    stream = chat(client, "endless", stream=True)
    assert next(iter(stream)).choices[0].delta.content == "word "
    request = upstream.requests[-1]
    stream.close()
    assert request.is_over.wait(5), "the model goes on generating"
