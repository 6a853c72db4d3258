"""Writes conversations with tools, calls, results and thinking as text, as transformers does.

    python make_tool_fixtures.py

writes Fixtures/tools.json, with some of the templates of TemplatesTests. Needs transformers and jinja2 (made with transformers 5).
"""

import json
import pathlib

from transformers.utils.chat_template_utils import render_jinja_template

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"
TEMPLATES = pathlib.Path(__file__).parents[2] / "TemplatesTests" / "Fixtures"

# Template, and the variables by which it is told to think; how calls are named is part of the conversation.
NAMES = {
    "qwen25-tools": {}, "hermes-tools": {}, "qwen3-coder-xml": {}, "qwen3-thinking": {"enable_thinking": True}, "llama31-tools": {},
    "mistral-v3-tools": {}, "phi4-mini-tools": {}, "glm45-thinking": {"enable_thinking": True}, "minimax-joiner": {},
    "deepseek-r1-tools": {}, "granite33-thinking": {"thinking": True}, "smollm3-modes": {"enable_thinking": True},
    "internlm2-tools": {}, "harmony": {},
}

TOOLS = [
    {"name": "get_weather", "description": "Tells the weather <now> & \"here\".", "parameters": {
        "type": "object", "properties": {
            "city": {"type": "string", "description": "Züri or Bern"}, "days": {"type": "integer", "minimum": 1, "description": "How many"},
            "scale": {"type": "number", "enum": [0.5, 1, 2.25], "description": "-"}},
        "required": ["city"], "additionalProperties": False}},
    {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}},
]


def conversations():
    """Turns; an assistant's may have calls, `[id, name, arguments]`, and a tool's names the call."""
    call = ["abcDEF123", "get_weather", {"city": "Zürich \"X\"", "days": 2, "scale": 0.5}]
    other = ["abcDEF124", "now", {}]
    ask = {"role": "user", "text": "How is it?"}
    system = {"role": "system", "text": "Be brief."}
    result = {"role": "tool", "text": "Sunny, \"20\" °C\n", "call": call[:2]}
    yield [ask]
    yield [system, ask]
    yield [system, ask, {"role": "assistant", "text": "", "calls": [call]}, result]
    yield [ask, {"role": "assistant", "text": "", "calls": [call]}, result, {"role": "assistant", "text": "Sunny."}, ask]
    yield [ask, {"role": "assistant", "text": "", "calls": [call, other]}, result,
           {"role": "tool", "text": "Noon", "call": other[:2]}]
    yield [ask, {"role": "assistant", "text": "", "thinking": "Where?", "calls": [call]}, result]


def message(turn):
    result = {"role": turn["role"], "content": turn["text"]}
    if "calls" in turn:
        result["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} for id, name, arguments in turn["calls"]
        ]
    if "thinking" in turn:
        result["reasoning_content"] = turn["thinking"]
    if "call" in turn:
        result["tool_call_id"], result["name"] = turn["call"]
    return result


def cases(name, switches):
    for turns in conversations():
        try:
            texts, _ = render_jinja_template(
                conversations=[[message(turn) for turn in turns]], tools=[{"type": "function", "function": tool} for tool in TOOLS],
                chat_template=(TEMPLATES / f"{name}.jinja").read_text(), add_generation_prompt=True, bos_token="<s>", eos_token="</s>",
                **switches,
            )
        except Exception:
            # One that the template refuses.
            continue
        yield {"turns": turns, "text": texts[0]}


if __name__ == "__main__":
    result = {"tools": TOOLS, "cases": {name: list(cases(name, switches)) for name, switches in NAMES.items()}}
    (FOLDER / "tools.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print({name: len(found) for name, found in result["cases"].items()})
