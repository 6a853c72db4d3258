"""Renders the built-in model's template with tools of every kind, as transformers does.

    python make_builtin_fixtures.py

writes Fixtures/builtin.json. Needs transformers and jinja2 (made with transformers 5 and jinja2 3.1.6).
"""

import json
import pathlib

import make_template_fixtures as fixtures

TEMPLATE = pathlib.Path(__file__).parents[3] / "Sources/BuiltinModel/Training/chat_template.jinja"


def tool(name, properties=None, required=(), description=None, **more):
    schema = {"type": "object", **more}
    if properties is not None:
        schema |= {"properties": properties, "required": list(required)}
    function = {"name": name, "parameters": schema}
    if description is not None:
        function["description"] = description
    return {"type": "function", "function": function}


WEATHER = tool("get_weather", {"location": {"title": "Location", "type": "string", "description": "The city."}}, ["location"],
               "Get the weather of a city.", additionalProperties=False)
ADD = tool("add", {"a": {"type": "integer"}, "b": {"type": "number"}}, ["a", "b"], "Add two numbers.")
ODD = [
    tool("none"), tool("empty", {}, [], ""), tool("blank", {}, [], "  \n  "),
    tool("lines", {}, [], "\n First line. \nSecond line.\n\nArgs:\n  x: what"), tool("long", {}, [], "word " * 60),
    tool("choice", {"unit": {"enum": ["c", "f\"", 3, None, True, 1.5, "é"]}, "one": {"const": "x"}, "nothing": {"const": None}, "many": {"enum": list(range(30))}}, ["one"]),
    tool("kinds", {"list": {"type": ["string", "null"]}, "mixed": {"type": [1, "null"]}, "bare": {}, "yes": True, "no": False, "ref": {"$ref": "#/$defs/x"},
                   "optional": {"anyOf": [{"type": "integer"}, {"type": "null"}, {"$ref": "#"}, 5, {"type": ["a"]}]}, "nested": {"type": "object", "properties": {"z": {}}},
                   "array": {"type": "array", "items": {"type": "string"}}}, ["list", "ref", "missing"]),
    tool("wrong", {"a": {"type": 5, "enum": "abc", "anyOf": "text"}, "b": {"type": {}, "enum": {"x": 1}, "anyOf": {"x": 1}}, "c": {"enum": []}, "d": {"type": None, "enum": 4}}, []),
    tool("names", {"items": {"type": "string"}, "keys": {"type": "string"}, "type": {"type": "string"}, "ü \"q\"": {"type": "string"}}, ["items"]),
    {"type": "function", "function": {"name": "no_parameters", "description": "Nothing else."}},
    {"type": "function", "function": {"name": "odd_parameters", "parameters": {"type": "object", "properties": [1], "required": 7}}},
    {"type": "function", "function": {"name": "odd_required", "parameters": {"properties": {"a": {"type": "string"}}, "required": "abc"}, "description": 5}},
]


def call(name, arguments):
    return {"type": "function", "id": "x", "function": {"name": name, "arguments": arguments}}


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


HISTORIES = [
    [turn("user", "Hello")],
    [turn("system", "Be brief."), turn("user", "Hello"), turn("assistant", "Hello!"), turn("user", "What is the weather in Lyon?")],
    [turn("system", ""), turn("user", "Hello")],
    [turn("user", "Weather?"), turn("assistant", None, tool_calls=[call("get_weather", {"location": "Lyon", "n": [1, 2.5, None]})]),
     turn("tool", "21", tool_call_id="x"), turn("assistant", "The result is 21.")],
    [turn("user", "Weather?"), turn("assistant", "Wait.", tool_calls=[call("get_weather", '{"location": "Lyon"}'), call("add", {})]),
     turn("tool", "21"), turn("tool", ""), turn("user", "And now?")],
    [turn("user", "One"), turn("assistant", "", tool_calls=[call("get_weather", {"location": "é\n\"<b>"}), call("get_weather", {})]), turn("tool", "Error: no")],
    [turn("assistant", "First"), turn("system", "Late."), turn("user", "Hello"), turn("assistant", "x", tool_calls=[])],
]
TOOLS = [None, [], [WEATHER], [WEATHER, ADD]] + [[odd] for odd in ODD] + [ODD]


def cases():
    template = TEMPLATE.read_text().strip()
    for i, tools in enumerate(TOOLS):
        for history in HISTORIES if i < 4 else HISTORIES[1:2]:
            for prompt in (True, False):
                context = {"messages": history, "tools": tools, "add_generation_prompt": prompt}
                yield {"context": fixtures.tagged(context), **fixtures.render(template, context)}


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases())
    (fixtures.FOLDER / "builtin.json").write_text(f"[{lines}]\n")
