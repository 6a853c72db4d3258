#!/usr/bin/env python3
"""Forced calls and structured answers of a real model, judged by PyPI's jsonschema.

usage: forced_calls.py URL [--forced 500] [--any 200] [--formats 100] [--at-once 16] [--one] [--keep FILE]

Asks a running server for calls of a named tool, for calls of any of three, and for JSON of a schema, over 50 schemas that a
seed determines, whole and streamed in turn, at temperature 1; with --one, one call each. Counts what is invalid, of another
tool, or cut by max_tokens, and writes all answers, those that were cut as far as they came, to a file of JSON lines if one is
named. Python needs anthropic and jsonschema.
"""

import argparse
import collections
import concurrent.futures
import json
import random
import sys

import anthropic
import jsonschema

KEY = "test-api-key-12345"
QUESTIONS = [
    "What is the weather in Paris?", "Book a table for two tomorrow.", "Send a message to Anna.", "Tell me a story.",
    "Add milk to my list.", "How far is the moon?", "Cancel my order 4711.", "Translate 'house' into French."]


def leaf(rng: random.Random) -> dict:
    return rng.choice([
        lambda: {"type": "string", "minLength": 1, "maxLength": rng.randint(4, 24)},
        lambda: {"type": "string", "enum": rng.sample(["red", "green", "blue", "small", "large", "café", "a \"b\""], 3)},
        lambda: {"type": "integer", "minimum": rng.randint(-50, 0), "maximum": rng.randint(1, 5000)},
        lambda: {"type": "boolean"},
        lambda: {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
        lambda: {"type": "string", "format": rng.choice(["date", "uuid", "ipv4"])},
        lambda: {"const": rng.choice([7, "x", True, None])},
        lambda: {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 0, "maximum": 9}]},
        lambda: {"type": "integer", "multipleOf": rng.choice([5, 7]), "minimum": 0, "maximum": 700},
    ])()


def value(rng: random.Random, depth: int) -> dict:
    if depth and rng.random() < 0.35:
        return rng.choice([lambda: thing(rng, depth - 1, rng.randint(1, 3)), lambda: {
            "type": "array", "items": value(rng, depth - 1), "minItems": rng.randint(0, 1), "maxItems": rng.randint(1, 3)}])()
    return leaf(rng)


def thing(rng: random.Random, depth: int, count: int) -> dict:
    names = rng.sample(["name", "city", "count", "when", "colour", "note", "parts", "size", "id", "first name"], count)
    return {
        "type": "object", "properties": {name: value(rng, depth) for name in names},
        "required": [name for name in names if rng.random() < 0.8], "additionalProperties": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--forced", type=int, default=500)
    parser.add_argument("--any", type=int, default=200)
    parser.add_argument("--formats", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--one", action="store_true", help="disable_parallel_tool_use")
    parser.add_argument("--keep", type=argparse.FileType("w"))
    options = parser.parse_args()
    rng = random.Random(1)
    schemas = [thing(rng, 2, rng.randint(1, 4)) for _ in range(50)]
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(schema)
    tools = [{"name": f"tool_{n}", "description": f"Does the thing number {n}.", "input_schema": s} for n, s in enumerate(schemas)]
    api = anthropic.Anthropic(base_url=options.url, api_key=KEY, max_retries=2, timeout=3600)
    counts = collections.Counter()

    def valid(instance, schema) -> bool:
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        return validator.is_valid(instance)

    def ask(number: int, **body):
        body |= {"model": "claude-local", "max_tokens": 600, "extra_body": {"temperature": 1},
                 "messages": [{"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]}]}
        if number % 2:
            with api.messages.stream(**body) as stream:
                return stream.get_final_message()
        return api.messages.create(**body)

    def call(kind: str, number: int):
        chosen = [tools[(number + step) % 50] for step in range(3)]
        choice = {"type": "tool", "name": chosen[number % 3]["name"]} if kind == "forced" else {"type": "any"}
        if options.one:
            choice["disable_parallel_tool_use"] = True
        answer = ask(number, tools=chosen, tool_choice=choice)
        return kind, judged(answer, chosen, choice, isStreamed=number % 2), answer

    def judged(answer, chosen: list[dict], choice: dict, isStreamed: int) -> str:
        calls = [block for block in answer.content if block.type == "tool_use"]
        isCut = answer.stop_reason == "max_tokens"
        if not isCut and answer.stop_reason != "tool_use":
            return "no call"
        if len(calls) != len(answer.content):
            return "text beside calls"
        # A stream has the beginning of the call that was cut.
        calls = calls[:len(calls) - isStreamed] if isCut else calls
        by_name = {tool["name"]: tool for tool in chosen}
        if any(block.name not in by_name or block.name != choice.get("name", block.name) for block in calls):
            return "another tool"
        if not all(valid(block.input, by_name[block.name]["input_schema"]) for block in calls):
            return "invalid"
        return "valid" if not isCut else "cut behind valid calls" if calls else "cut"

    def text(kind: str, number: int):
        schema = schemas[number % 50]
        answer = ask(number, output_config={"format": {"type": "json_schema", "schema": schema}})
        if answer.stop_reason == "max_tokens":
            return kind, "cut", answer
        try:
            return kind, "valid" if valid(json.loads(answer.content[0].text), schema) else "invalid", answer
        except ValueError:
            return kind, "no JSON", answer

    jobs = [(call, "forced", n) for n in range(options.forced)] + [(call, "any", n) for n in range(options.any)]
    jobs += [(text, "format", n) for n in range(options.formats)]
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        for done in concurrent.futures.as_completed([pool.submit(*job) for job in jobs]):
            kind, what, answer = done.result()
            counts[kind, what] += 1
            if options.keep:
                kept = {"kind": kind, "what": what, "tokens": answer.usage.output_tokens, "content": answer.to_dict()["content"]}
                print(json.dumps(kept), file=options.keep, flush=True)
            if not what.startswith(("valid", "cut")):
                print(f"{kind}, {what}: {answer.to_json(indent=None)}", flush=True)
    for kind in ("forced", "any", "format"):
        found = {what: count for (of, what), count in sorted(counts.items()) if of == kind}
        print(f"{kind}: {sum(found.values())} asked, {found}", flush=True)
    sys.exit(any(not what.startswith(("valid", "cut")) for _, what in counts))


if __name__ == "__main__":
    main()
