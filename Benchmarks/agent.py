#!/usr/bin/env python3
"""What of an agent's prompts comes from the cache, turn by turn, with the tokenizers and templates of five families.

usage: agent.py WORKDIR --vocab FOLDER --templates FOLDER --mistral-common WHEEL [--server PATH] [--only FAMILY] [--all]

A scripted agent with a system prompt of about 8,000 tokens and 12 tools makes 20 turns of call and result, each prompt the
last one with what came since. In between two sub-agents with other prompts and tools have three turns each. The models have
random weights (see agent_models.py), so that every call is another; the decoder makes them calls. The client writes what it
got back as clients do: keys in another order, other white space, other escapes, whole answers and streams in turn.

The rule: of each prompt all tokens come from the cache but those of the new messages and the last block.

Needs what no repository carries: GGUF files of the vocabularies (ggml-vocab-qwen2.gguf, ggml-vocab-llama-bpe.gguf, from
llama.cpp's `models`), its chat templates (`models/templates`, both in PyPI's source package of llama-cpp-python under
vendor/llama.cpp), the wheel of PyPI's mistral-common; Python with gguf and numpy.
"""

import argparse
import copy
import dataclasses
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import urllib.request

import agent_models

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEY = {"authorization": "Bearer test-api-key-12345", "content-type": "application/json"}
CONTEXT, TURNS = 65536, 20
# Tokens of a block of the KV cache.
BLOCK = 16
# The most tokens that end a call in these formats. They are forced and nothing follows, so no step has computed them.
CALL_END = 13


class Server:
    def __init__(self, program: str, model: pathlib.Path, *flags: str):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        self.process = subprocess.Popen(
            [program, "start", "--port", "0", "--model", str(model), "--context", str(CONTEXT), *flags],
            stderr=subprocess.PIPE, text=True, env=environment)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"ready at (http://\S+)", line):
                self.url = found[1]
                return
        sys.exit("the server did not start: " + "".join(said))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> str:
        return urllib.request.urlopen(self.url + path).read().decode()

    def count(self, name: str) -> float:
        found = re.search(rf"^pensieve_{name} (\S+)", self.get("/metrics"), re.MULTILINE)
        return float(found[1]) if found else 0

    def ask(self, body: dict, stream: bool) -> dict:
        request = urllib.request.Request(self.url + "/v1/messages", json.dumps(body | {"stream": stream}).encode(), KEY)
        try:
            with urllib.request.urlopen(request) as response:
                return folded(response) if stream else json.load(response)
        except urllib.error.HTTPError as error:
            sys.exit(f"{error.code}: {error.read().decode()[:1000]}")


def folded(lines) -> dict:
    """The message that a stream's events make."""
    message, parts = {}, {}
    for line in lines:
        if not line.startswith(b"data: "):
            continue
        event = json.loads(line[6:])
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                match delta["type"]:
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] = delta["signature"]
                    case "input_json_delta":
                        parts[event["index"]] = parts.get(event["index"], "") + delta["partial_json"]
            case "message_delta":
                message["usage"] |= event["usage"]
                message |= event["delta"]
            case "error":
                sys.exit(f"an error in a stream: {event}")
    for index, text in parts.items():
        message["content"][index]["input"] = json.loads(text)
    return message


# MARK: The agent


def prose(count: int, seed: int) -> str:
    """About so many tokens of English: this repository's own pages."""
    pages = sorted((ROOT / "Sources/pensieve/Pensieve.docc").glob("*.md"))
    paragraphs = [part for page in pages for part in page.read_text().split("\n\n") if not part.startswith("```")]
    random.Random(seed).shuffle(paragraphs)
    text, at = "", 0
    while len(text) < 4 * count:
        text += paragraphs[at % len(paragraphs)] + "\n\n"
        at += 1
    return text


def tools(count: int, seed: int) -> list[dict]:
    """Tools of an agent for code; everything in their arguments is bounded, so that a random model comes to an end."""
    path = {"type": "string", "minLength": 1, "maxLength": 40, "description": "a path below the project's folder"}
    text = {"type": "string", "maxLength": 80, "description": "any text, with quotes, accents and line breaks"}
    number = {"type": "integer", "minimum": 0, "maximum": 100000}
    kinds = {
        "read": {"path": path, "line": number, "limit": number},
        "write": {"path": path, "text": text, "mode": {"enum": ["new", "append", "replace"]}},
        "search": {"pattern": text, "paths": {"type": "array", "items": path, "minItems": 1, "maxItems": 3}},
        "run": {"command": text, "environment": {
            "type": "object", "properties": {"name": text, "value": text}, "required": ["name", "value"],
            "additionalProperties": False}, "background": {"type": "boolean"}},
    }
    made = []
    for index in range(count):
        kind = list(kinds)[index % len(kinds)]
        made.append({
            "name": f"{kind}_{seed}{chr(97 + index // len(kinds))}",
            "description": f"Does what '{kind}' says, in way {index}. " + prose(60, seed + index)[:300],
            "input_schema": {
                "type": "object", "properties": kinds[kind], "required": list(kinds[kind]),
                "additionalProperties": False}})
    return made


def returned(value, rng: random.Random):
    """A JSON value as a client's library might write it: members in another order."""
    if isinstance(value, dict):
        members = [(key, returned(item, rng)) for key, item in value.items()]
        rng.shuffle(members)
        return dict(members)
    if isinstance(value, list):
        return [returned(item, rng) for item in value]
    return value


@dataclasses.dataclass
class Turn:
    who: str
    prompt: int
    cached: int
    output: int
    # Tokens that were in the last prompt and its answer.
    known: int

    @property
    def new(self) -> int:
        return self.prompt - self.known

    @property
    def lost(self) -> int:
        return self.known - self.cached


class Agent:
    def __init__(self, server: Server, name: str, system_tokens: int, tool_count: int, seed: int, **settings):
        self.server, self.name, self.settings = server, name, settings
        self.rng = random.Random(seed)
        self.body = {
            "model": "claude-local", "max_tokens": 1024, "system": prose(system_tokens, seed),
            "tools": tools(tool_count, seed), "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "messages": [{"role": "user", "content": "Find out why the tests fail, and mend it."}], **settings}
        self.known = 0
        self.turns: list[Turn] = []

    def step(self):
        answer = self.server.ask(self.body, stream=len(self.turns) % 2 == 1)
        usage = answer["usage"]
        prompt = usage["input_tokens"] + usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
        self.turns.append(Turn(self.name, prompt, usage["cache_read_input_tokens"], usage["output_tokens"], self.known))
        self.known = prompt + usage["output_tokens"]
        if answer["stop_reason"] != "tool_use":
            sys.exit(f"{self.name}: no call: {answer}")
        content = [block | ({"input": returned(block["input"], self.rng)} if block["type"] == "tool_use" else {})
                   for block in copy.deepcopy(answer["content"])]
        results = [
            {"type": "tool_result", "tool_use_id": block["id"], "content": self.result()}
            for block in content if block["type"] == "tool_use"]
        self.body["messages"] += [
            {"role": "assistant", "content": content}, {"role": "user", "content": results}]

    def result(self) -> str:
        return prose(self.rng.randrange(20, 400), self.rng.randrange(1 << 30))[:self.rng.randrange(40, 1600)]


def conversation(server: Server) -> list[Turn]:
    main = Agent(server, "agent", 6000, 12, 1)
    others = {5: Agent(server, "sub-agent 1", 1500, 3, 2), 12: Agent(server, "sub-agent 2", 2500, 5, 3)}
    turns = []
    for number in range(TURNS):
        for other in [others[number]] if number in others else []:
            for _ in range(3):
                other.step()
            turns += other.turns
        main.step()
        turns.append(main.turns[-1])
    return turns


def report(family: str, turns: list[Turn], print_all: bool) -> bool:
    followed = [turn for turn in turns if turn.known]
    # A block is found once it is full.
    broken = [turn for turn in followed if turn.lost >= BLOCK + CALL_END]
    if print_all:
        print(f"\n| {family} | prompt | new | in the last prompt and answer | from the cache | not found |\n|---|---|---|---|---|---|")
        for turn in turns:
            print(f"| {turn.who} | {turn.prompt} | {turn.new} | {turn.known} | {turn.cached} | {turn.lost} |")
    print(f"{family}: {len(broken)} of {len(followed)} turns break the rule; "
          f"at most {max(turn.lost for turn in followed)} known tokens of a prompt were computed again; "
          f"{sum(turn.cached for turn in turns):,} of {sum(turn.prompt for turn in turns):,} tokens came from the cache",
          flush=True)
    return not broken


# MARK: Steps and tokens of calls


def steps_per_token(server: Server) -> str:
    """How many steps calls take: those alone in the server, without their prompts."""
    agent = Agent(server, "steps", 50, 4, 4)
    # The prompt is in the cache but for a last few tokens, which take one step with the first sampled token.
    agent.server.ask(agent.body, stream=False)
    names = ["step_seconds_count", "generated_tokens_total", "forced_tokens_total"]
    before = [server.count(name) for name in names]
    for _ in range(20):
        server.ask(agent.body, stream=False)
    steps, tokens, forced = (server.count(name) - old for name, old in zip(names, before))
    return f"20 calls: {tokens:.0f} tokens, {forced:.0f} of them forced, in {steps:.0f} steps: {steps / tokens:.2f} steps per token"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--server", default=str(ROOT / ".build/release/pensieve"))
    parser.add_argument("--vocab", type=pathlib.Path, required=True)
    parser.add_argument("--templates", type=pathlib.Path, required=True)
    parser.add_argument("--mistral-common", type=pathlib.Path, required=True)
    parser.add_argument("--only", help="families whose name contains this")
    parser.add_argument("--all", action="store_true", help="print every turn")
    parser.add_argument("--flags", default="", help="more flags for the server")
    options = parser.parse_args()
    good = True
    for family in agent_models.FAMILIES:
        if options.only and options.only not in family:
            continue
        model = agent_models.make(
            family, options.folder, options.vocab, options.templates, options.mistral_common, CONTEXT)
        with Server(options.server, model, "--kv-memory", "512M", *options.flags.split()) as server:
            good = report(family, conversation(server), options.all) and good
            print(f"{family}: {steps_per_token(server)}", flush=True)
    sys.exit(not good)


if __name__ == "__main__":
    main()
