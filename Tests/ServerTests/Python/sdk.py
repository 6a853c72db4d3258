"""Drives a running server with the official anthropic SDK.

usage: sdk.py CASE BASE_URL

Each case is a function below; an assertion that fails ends the program with status 1.
"""

import asyncio
import concurrent.futures
import json
import re
import sys
import time
import urllib.request

import anthropic

KEY = "test-api-key-12345"


def client(url, **options):
    return anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=120, **options)


def ask(text):
    return [{"role": "user", "content": text}]


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def health(url):
    with urllib.request.urlopen(url + "/health") as answer:
        return json.load(answer)


def until_empty(url, seconds=10):
    """Waits until no session is left and no block is in use."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        state = health(url)
        if state["sessions"]["running"] == 0 and state["sessions"]["waiting"] == 0 and state["kv_blocks"]["in_use"] == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"sessions or blocks left: {health(url)}")


def message(url):
    answer = client(url).messages.create(model="claude-x", max_tokens=40, messages=ask("What is 23 + 45?"))
    assert answer.type == "message" and answer.role == "assistant" and answer.model == "claude-x", answer
    assert answer.stop_reason == "end_turn" and answer.stop_sequence is None, answer
    assert "68" in text_of(answer), answer
    assert answer.id.startswith("msg_") and answer._request_id.startswith("req_"), answer
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer.usage


def stream_equals_message(url):
    for prompt in ["What is 12 + 34?", "Repeat after me: apple river stone", "Who are you?"]:
        plain = client(url).messages.create(model="m", max_tokens=60, messages=ask(prompt))
        with client(url).messages.stream(model="m", max_tokens=60, messages=ask(prompt)) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert text == text_of(plain) == text_of(final), (text, text_of(plain))
        assert final.stop_reason == plain.stop_reason
        assert final.usage.output_tokens == plain.usage.output_tokens, (final.usage, plain.usage)


def x_stream_header(url):
    body = {"model": "m", "max_tokens": 20, "messages": ask("What is 2 + 2?")}
    request = urllib.request.Request(
        url + "/v1/messages", json.dumps(body).encode(),
        {"authorization": "Bearer " + KEY, "x-stream": "true", "content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [line.split(": ")[1] for line in answer.read().decode().split("\n") if line.startswith("event: ")]
    assert events[0] == "message_start" and events[-2:] == ["message_delta", "message_stop"], events


def count_tokens(url):
    system = "You are a helpful machine."
    counted = client(url).messages.count_tokens(model="m", system=system, messages=ask("What is 23 + 45?"))
    answer = client(url).messages.create(model="m", max_tokens=1, system=system, messages=ask("What is 23 + 45?"))
    usage = answer.usage
    total = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert counted.input_tokens == total, (counted, usage)
    assert usage.output_tokens == 1 and answer.stop_reason == "max_tokens", answer


def prefix_cache(url):
    system = "This is a long and steady system prompt about nothing in particular. " * 20
    first = client(url).messages.create(model="m", max_tokens=8, system=system, messages=ask("What is 11 + 11?"))
    second = client(url).messages.create(model="m", max_tokens=8, system=system, messages=ask("What is 12 + 11?"))
    assert second.usage.cache_read_input_tokens > 100, second.usage
    again = client(url).messages.create(model="m", max_tokens=8, system=system, messages=ask("What is 11 + 11?"))
    assert text_of(again) == text_of(first), (again, first)


def conversation_cache(url):
    """The next turn computes only what is new: not the answer, which was computed as it was made."""
    words = "apple river stone window table garden blue green"
    turns = ask(f"Repeat after me: {words}")
    first = client(url).messages.create(model="m", max_tokens=200, messages=turns)
    assert first.stop_reason == "end_turn" and first.usage.output_tokens > 16, first
    computed = first.usage.input_tokens + first.usage.output_tokens - 1
    turns += [{"role": "assistant", "content": text_of(first)}] + ask("What is 23 + 45?")
    second = client(url).messages.create(model="m", max_tokens=20, messages=turns)
    assert second.usage.cache_read_input_tokens == computed // 16 * 16, (first.usage, second.usage)


def shared_at_once(url):
    """Prompts with the same beginning that come together compute it once."""
    system = "This is a long and steady system prompt about nothing in particular. " * 60

    def usage(i):
        messages = ask(f"What is {10 + i} + 11?")
        return client(url).messages.create(model="m", max_tokens=8, system=system, messages=messages).usage

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        usages = list(pool.map(usage, range(8)))
    whole = usages[0].input_tokens + usages[0].cache_read_input_tokens
    assert whole > 500, usages
    assert sum(usage.input_tokens for usage in usages) < whole + 8 * 40, usages


def models(url):
    listed = list(client(url).models.list())
    assert "claude-local" in [model.id for model in listed], listed
    for model in listed:
        assert client(url).models.retrieve(model.id).id == model.id
    try:
        assert client(url).models.retrieve("any/name").id == "any/name", "messages accepts any name"
        client(url).models.retrieve("m" * 2000)
        raise AssertionError("a missing model was found")
    except anthropic.NotFoundError as error:
        assert error.body["error"]["type"] == "not_found_error", error.body


def errors(url):
    def expect(kind, status, **change):
        body = {"model": "m", "max_tokens": 5, "messages": ask("hi"), **change}
        try:
            client(url).post("/v1/messages", body=body, cast_to=object)
            raise AssertionError(f"accepted: {change}")
        except kind as error:
            assert error.status_code == status, error
            assert error.body["type"] == "error" and error.body["error"]["message"], error.body
            assert error.body["request_id"] == error.response.headers["request-id"], error.body

    expect(anthropic.BadRequestError, 400, max_tokens="5")
    expect(anthropic.BadRequestError, 400, messages=[])
    expect(anthropic.BadRequestError, 400, messages=[{"role": "robot", "content": "x"}])
    expect(anthropic.BadRequestError, 400, messages=ask("word " * 60000))
    expect(anthropic.BadRequestError, 400, tools=[{"name": "t u", "input_schema": {"type": "object"}}])
    expect(anthropic.BadRequestError, 400, tools=[{"name": "t", "input_schema": {"$ref": "#/nowhere"}, "strict": True}])
    try:
        anthropic.Anthropic(base_url=url, api_key="wrong", max_retries=0).messages.create(
            model="m", max_tokens=5, messages=ask("hi"))
        raise AssertionError("a wrong key was accepted")
    except anthropic.AuthenticationError as error:
        assert error.response.headers["x-should-retry"] == "false"


def helpers(url):
    """The SDK's tool runner asks for a thread first, and goes on without when it is refused; tools.py has the rest."""
    api = client(url)
    runner = api.beta.messages.tool_runner(model="m", max_tokens=40, messages=ask("What is 23 + 45?"), tools=[])
    # It asks for a thread first; the refusal's code makes it go on without.
    assert "68" in text_of(runner.until_done())


def stop_sequence(url):
    answer = client(url).messages.create(
        model="m", max_tokens=60, messages=ask("Repeat after me: apple river stone"), stop_sequences=["river"])
    assert answer.stop_reason == "stop_sequence" and answer.stop_sequence == "river", answer
    assert "river" not in text_of(answer) and "apple" in text_of(answer), answer


def two_turns(url):
    turns = ask("My name is Anna.")
    first = client(url).messages.create(model="m", max_tokens=60, messages=turns)
    turns += [{"role": "assistant", "content": text_of(first)}] + ask("What is my name?")
    second = client(url).messages.create(model="m", max_tokens=60, messages=turns)
    assert "Anna" in text_of(second), second


def concurrent_streams(url):
    """32 streams at once give exactly what each gives alone."""
    prompts = [f"What is {10 + i} + {20 + i}?" for i in range(16)]
    prompts += [f"Repeat after me: word{i} river stone" for i in range(8)]
    prompts += ["system " * (40 * (i + 1)) + f"What is {i + 30} - {i + 4}?" for i in range(8)]
    alone = [text_of(client(url).messages.create(model="m", max_tokens=40, messages=ask(p))) for p in prompts]

    async def one(api, prompt):
        async with api.messages.stream(model="m", max_tokens=40, messages=ask(prompt)) as stream:
            return "".join([piece async for piece in stream.text_stream])

    async def all_of_them():
        async with anthropic.AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0, timeout=120) as api:
            return await asyncio.gather(*[one(api, prompt) for prompt in prompts])

    together = asyncio.run(all_of_them())
    assert together == alone, [(p, a, t) for p, a, t in zip(prompts, alone, together) if a != t]
    until_empty(url)


def cancellation(url):
    """Clients that leave in the middle leave nothing behind."""
    for _ in range(8):
        with client(url).messages.stream(
            model="m", max_tokens=400, messages=ask("Repeat after me: one two three four five six")
        ) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    break
    until_empty(url)
    message(url)


def mock(url):
    answer = client(url).messages.create(model="m", max_tokens=400, messages=ask("Grüße, 世界! 🎉"))
    assert text_of(answer) == "Mock response to: Grüße, 世界! 🎉", answer
    with client(url).messages.stream(model="m", max_tokens=400, messages=ask("Grüße, 世界! 🎉")) as stream:
        assert "".join(stream.text_stream) == "Mock response to: Grüße, 世界! 🎉"
    assert health(url)["mock"] is True
    assert any("mock" in model.id for model in client(url).models.list())


if __name__ == "__main__":
    case, url = sys.argv[1], sys.argv[2]
    {name: value for name, value in globals().items() if callable(value)}[case](url)
    print("ok", re.sub("_", " ", case))
