"""Tools, structured output and thinking through the official anthropic SDK, whole and streamed.

usage: tools.py CASE BASE_URL

Each case is a function below; an assertion that fails ends the program with status 1. What is held against the server here
is true whatever the model: the decoder makes a forced call the named one and its arguments valid.
"""

import enum
import json
import re
import sys
from typing import Annotated

import anthropic
import pydantic
from anthropic import beta_tool

KEY = "test-api-key-12345"

WEATHER = {
    "name": "get_weather", "description": "Get the weather in a city.",
    "input_schema": {
        "type": "object", "additionalProperties": False, "required": ["city", "unit"],
        "properties": {
            "city": {"type": "string", "minLength": 1, "maxLength": 20}, "unit": {"enum": ["celsius", "fahrenheit"]}}}}
BOOK = {
    "name": "book-table", "description": "Book a table.",
    "input_schema": {
        "type": "object", "additionalProperties": False, "required": ["people", "day", "notes"],
        "properties": {
            "people": {"type": "integer", "minimum": 1, "maximum": 12},
            "day": {"anyOf": [{"const": "today"}, {"const": "tomorrow"}]},
            "notes": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 2},
            "table": {"$ref": "#/$defs/table"}},
        "$defs": {"table": {"type": "object", "properties": {"inside": {"type": "boolean"}}, "required": ["inside"]}}}}
NOW = {"name": "now", "input_schema": {"type": "object", "properties": {}, "additionalProperties": False}}
TOOLS = [WEATHER, BOOK, NOW]


def client(url, **options):
    return anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=120, **options)


def ask(text):
    return [{"role": "user", "content": text}]


def both(url, **body):
    """The same request whole and as a stream."""
    body = {"model": "claude-local", "max_tokens": 300, **body}
    if "temperature" in body:
        # The SDK leaves it to those who know it.
        body["extra_body"] = {"temperature": body.pop("temperature")}
    whole = client(url).messages.create(**body)
    with client(url).messages.stream(**body) as stream:
        streamed = stream.get_final_message()
    return whole, streamed


def blocks(message):
    """The content without what is new in every answer."""
    return [
        {key: value for key, value in block.to_dict().items() if key not in ("id", "signature", "parsed_output")}
        for block in message.content]


def total(usage):
    return usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)


def is_valid(call):
    """Whether a call's input is what its tool's schema says; written for these three."""
    value = call.input
    if call.name == "get_weather":
        return (set(value) == {"city", "unit"} and isinstance(value["city"], str) and 1 <= len(value["city"]) <= 20
                and value["unit"] in ("celsius", "fahrenheit"))
    if call.name == "book-table":
        table = value.get("table", {"inside": True})
        return (set(value) - {"table"} == {"people", "day", "notes"} and type(value["people"]) is int
                and 1 <= value["people"] <= 12 and value["day"] in ("today", "tomorrow") and len(value["notes"]) <= 2
                and all(isinstance(note, str) and len(note) <= 12 for note in value["notes"])
                and isinstance(table["inside"], bool))
    return call.name == "now" and value == {}


# MARK: Calls


def forced(url):
    """A forced tool is that tool, whole and streamed, at any temperature."""
    for tool in TOOLS:
        for temperature in (0, 1):
            choice = {"type": "tool", "name": tool["name"]}
            for answer in both(url, messages=ask("hello"), tools=TOOLS, tool_choice=choice, temperature=temperature):
                assert [block.type for block in answer.content][:1] == ["tool_use"], answer
                assert answer.stop_reason == "tool_use" and answer.stop_sequence is None, answer
                for call in answer.content:
                    assert call.name == tool["name"] and is_valid(call) and call.id.startswith("toolu_"), call


def any_tool(url):
    """`any` gives at least one call, at most one where parallel calls are switched off, and no text before it."""
    ids = set()
    for index in range(6):
        choice = {"type": "any", "disable_parallel_tool_use": index % 2 == 0}
        for answer in both(url, messages=ask(f"hello {index}"), tools=TOOLS, tool_choice=choice, temperature=1):
            assert answer.stop_reason == "tool_use" and answer.content[0].type == "tool_use", answer
            calls = [block for block in answer.content if block.type == "tool_use"]
            assert len(calls) == 1 or index % 2, answer
            assert all(is_valid(call) for call in calls), answer
            assert not ids & {call.id for call in calls}
            ids |= {call.id for call in calls}


def stream_equals_message(url):
    """The stream folds to the same message; its events come in the official order."""
    choice = {"type": "tool", "name": "book-table", "disable_parallel_tool_use": True}
    body = {"messages": ask("A table for two."), "tools": TOOLS, "tool_choice": choice, "temperature": 0}
    whole, streamed = both(url, **body)
    assert blocks(whole) == blocks(streamed) and whole.stop_reason == streamed.stop_reason, (whole, streamed)
    assert whole.usage.output_tokens == streamed.usage.output_tokens
    assert total(whole.usage) == total(streamed.usage)
    body["extra_body"] = {"temperature": body.pop("temperature")}
    events = list(client(url).messages.create(model="claude-local", max_tokens=300, stream=True, **body))
    kinds = [event.type for event in events if event.type != "ping"]
    deltas = kinds.count("content_block_delta")
    assert kinds == ["message_start", "content_block_start", *["content_block_delta"] * deltas, "content_block_stop",
                     "message_delta", "message_stop"], kinds
    start = next(event for event in events if event.type == "content_block_start")
    assert start.content_block.type == "tool_use" and start.content_block.input == {}, start
    pieces = [event.delta.partial_json for event in events if event.type == "content_block_delta"]
    assert json.loads("".join(pieces)) == whole.content[0].input, pieces
    # The arguments come while they are made.
    assert deltas > 1, pieces


def helpers(url):
    """The SDK's streaming helper sees the input grow."""
    snapshots = []
    with client(url).messages.stream(
            model="claude-local", max_tokens=300, messages=ask("hi"), tools=TOOLS,
            tool_choice={"type": "tool", "name": "get_weather"}) as stream:
        for event in stream:
            if event.type == "input_json":
                snapshots.append(event.snapshot)
        final = stream.get_final_message()
    assert snapshots and snapshots[-1] == final.content[0].input, (snapshots, final)


def cut(url):
    """A call that max_tokens cuts is no call: nobody may run it."""
    for answer in both(url, messages=ask("hi"), tools=TOOLS, tool_choice={"type": "tool", "name": "book-table"}, max_tokens=6):
        assert answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 6, answer


def no_tools(url):
    """With `none` the tools are in the prompt and no call comes."""
    described = client(url).messages.count_tokens(model="m", messages=ask("hi"), tools=TOOLS, tool_choice={"type": "none"})
    bare = client(url).messages.count_tokens(model="m", messages=ask("hi"))
    assert described.input_tokens > bare.input_tokens + 50, (described, bare)
    for answer in both(url, messages=ask("hi"), tools=TOOLS, tool_choice={"type": "none"}, max_tokens=40):
        assert all(block.type == "text" for block in answer.content), answer


def rounds(url):
    """A conversation of calls and results; each prompt goes on from the last one in the cache, whatever the client's JSON
    library makes of the input."""
    turns, known = ask("What is the weather in Lyon?"), 0
    for number in range(5):
        choice = {"type": "tool", "name": TOOLS[number % 2]["name"], "disable_parallel_tool_use": True}
        body = {"model": "m", "max_tokens": 300, "messages": turns, "tools": TOOLS, "tool_choice": choice}
        counted = client(url).messages.count_tokens(**{k: v for k, v in body.items() if k != "max_tokens"})
        answer = client(url).messages.create(**body, extra_body={"temperature": 1})
        assert counted.input_tokens == total(answer.usage), (counted, answer.usage)
        cached = answer.usage.cache_read_input_tokens
        # Not the last block, nor the end of the call, which is forced: no step had to compute it.
        assert known == 0 or known - cached < 32, (known, answer.usage)
        known = total(answer.usage) + answer.usage.output_tokens
        call = answer.content[0]
        returned = dict(reversed(list(call.input.items())))
        turns = turns + [
            {"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": call.name, "input": returned}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": f"It is {number} degrees."}]}]


def results(url):
    """Results in every form."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    for content in ["12:30", "", [], [{"type": "text", "text": "12:30"}], None]:
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": content == ""}
        if content is not None:
            result["content"] = content
        turns = ask("What time is it?") + [
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, use]},
            {"role": "user", "content": [result, {"type": "text", "text": "And?"}]}]
        for answer in both(url, messages=turns, tools=TOOLS, max_tokens=40):
            assert answer.usage.output_tokens > 0, answer


# MARK: Structured output


class Colour(str, enum.Enum):
    red = "red"
    blue = "blue"


class Part(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=12)
    colour: Colour


class Order(pydantic.BaseModel):
    number: int = pydantic.Field(ge=1, le=999)
    parts: list[Part] = pydantic.Field(min_length=1, max_length=2)
    urgent: bool
    note: str | None


ORDER_SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["number", "parts", "urgent", "note"],
    "properties": {
        "number": {"type": "integer", "minimum": 1, "maximum": 999},
        "parts": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"$ref": "#/$defs/part"}},
        "urgent": {"type": "boolean"}, "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}},
    "$defs": {"part": {
        "type": "object", "additionalProperties": False, "required": ["name", "colour"],
        "properties": {"name": {"type": "string", "maxLength": 12}, "colour": {"enum": ["red", "blue"]}}}}}


def text_format(url):
    """The text is JSON of the schema."""
    for temperature in (0, 1):
        config = {"format": {"type": "json_schema", "schema": ORDER_SCHEMA}}
        for answer in both(url, messages=ask("Order two red parts."), output_config=config, temperature=temperature, max_tokens=2000):
            assert answer.stop_reason == "end_turn", answer
            Order.model_validate_json(answer.content[0].text)


class Verdict(pydantic.BaseModel):
    colour: Colour
    sure: bool


def parse(url):
    """`messages.parse` and the stream with `output_format` give an object of the class."""
    answer = client(url).messages.parse(model="claude-local", max_tokens=200, messages=ask("Red?"), output_format=Verdict)
    assert isinstance(answer.parsed_output, Verdict), answer
    with client(url).messages.stream(
            model="claude-local", max_tokens=200, messages=ask("Red?"), output_format=Verdict) as stream:
        assert isinstance(stream.get_final_message().parsed_output, Verdict)
    beta = client(url).beta.messages.parse(model="claude-local", max_tokens=200, messages=ask("Red?"), output_format=Verdict)
    assert isinstance(beta.parsed_output, Verdict), beta


# MARK: The tool runner, threads, thinking


def tool_runner(url):
    """The runner of the beta sends `thread`, is told that there are none, and goes on without."""
    said = []

    @beta_tool
    def look_up(word: Annotated[str, pydantic.Field(max_length=16)], page: int) -> str:
        """Look a word up in the dictionary.

        Args:
            word: The word.
            page: Where to begin.
        """
        said.append((word, page))
        return f"'{word}' is on page {page}."

    runner = client(url).beta.messages.tool_runner(
        model="claude-local", max_tokens=300, tools=[look_up], messages=ask("What does 'river' mean?"),
        tool_choice={"type": "any", "disable_parallel_tool_use": True}, max_iterations=3)
    messages = list(runner)
    assert len(messages) == 3 and len(said) >= 2, (messages, said)
    assert all(isinstance(word, str) and isinstance(page, int) for word, page in said), said
    # The later turns have the history: their prompts go on from the first.
    assert messages[2].usage.cache_read_input_tokens > messages[0].usage.cache_read_input_tokens, messages


def thread(url):
    body = {"model": "m", "max_tokens": 5, "messages": ask("hi"), "thread": {"type": "create"}}
    try:
        client(url).post("/v1/messages?beta=true", body=body, cast_to=object)
        raise AssertionError("a thread was taken")
    except anthropic.BadRequestError as error:
        details = error.body["error"]["details"]
        assert details == {"error_code": "thread_unsupported_request", "unsupported": []}, error.body


def thinking(url):
    """A model that does not think answers all the same."""
    settings = [
        {"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive", "display": "omitted"}, {"type": "disabled"},
        {"type": "adaptive", "display": "a word of tomorrow"}]
    for setting in settings:
        for answer in both(url, messages=ask("What is 2 + 2?"), thinking=setting, max_tokens=2000):
            assert [block.type for block in answer.content] == ["text"], answer
    history = ask("hi") + [{
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "of elsewhere"},
            {"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Hello."}]}] + ask("What is 2 + 2?")
    assert both(url, messages=history, max_tokens=40)


def counts(url):
    """What is counted is what is used, for everything that a prompt can have."""
    use = [{"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_9", "name": "now", "input": {}}]},
           {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_9", "content": "noon"}]}]
    document = {"type": "document", "title": "A page", "source": {"type": "text", "media_type": "text/plain", "data": "Words."}}
    for body in [
            {"messages": ask("hi"), "tools": TOOLS}, {"messages": ask("hi"), "tools": TOOLS, "tool_choice": {"type": "any"}},
            {"messages": ask("hi") + use, "tools": TOOLS, "system": "Be brief."},
            {"messages": ask([document, {"type": "text", "text": "What is it?"}])},
            {"messages": ask("hi"), "output_config": {"format": {"type": "json_schema", "schema": ORDER_SCHEMA}}},
            {"messages": ask("hi"), "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}]:
        counted = client(url).messages.count_tokens(model="m", **body)
        answer = client(url).messages.create(model="m", max_tokens=1, **body)
        assert counted.input_tokens == total(answer.usage), (body, counted, answer.usage)


def refusals(url):
    """What is wrong is told with its place."""
    use = {"type": "tool_use", "id": "a", "name": "now", "input": {}}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    bad = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?<=x)y"}}, "required": ["a"]}
    rows = [
        ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "x"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"), ({"tools": TOOLS + [NOW]}, "tools.3.name"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.name"),
        ({"tools": [{"name": "x", "input_schema": "y"}]}, "tools.0.input_schema"),
        ({"messages": ask("hi") + [{"role": "assistant", "content": [use]}] + ask("no result")}, "messages.2"),
        ({"messages": ask([{"type": "tool_result", "tool_use_id": "b"}])}, "messages.0.content.0.tool_use_id"),
        ({"messages": ask([image])}, "messages.0.content.0"), ({"thinking": {"type": "sometimes"}}, "thinking"),
        ({"output_config": {"format": {"type": "json_schema", "schema": bad}}}, "output_config.format.schema"),
        ({"tools": [{"name": "x", "strict": True, "input_schema": bad}]}, "tools.0.input_schema"),
        ({"output_config": {"effort": "most"}}, "output_config.effort")]
    for change, place in rows:
        try:
            client(url).post("/v1/messages", body={"model": "m", "max_tokens": 5, "messages": ask("hi"), **change}, cast_to=object)
            raise AssertionError(f"accepted: {change}")
        except anthropic.BadRequestError as error:
            assert error.body["error"]["type"] == "invalid_request_error", error.body
            assert error.body["error"]["message"].startswith(place), (place, error.body)


if __name__ == "__main__":
    case, url = sys.argv[1], sys.argv[2]
    {name: value for name, value in globals().items() if callable(value)}[case](url)
    print("ok", re.sub("_", " ", case))
