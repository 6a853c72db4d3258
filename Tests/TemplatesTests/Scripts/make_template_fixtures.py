"""Renders the templates of Fixtures, and random ones, as transformers does.

    python make_template_fixtures.py

writes Fixtures/expected.json and random.json. Needs transformers and jinja2 (made with transformers 5 and jinja2 3.1.6).
"""

import copy
import datetime
import json
import pathlib
import re

import jinja2
import transformers.utils.chat_template_utils as reference

from template_fuzz import CONTEXT, Generator

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"

# 2026-09-21 13:33:20 UTC.
NOW = 1_790_000_000


class FixedDateTime(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return cls.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None)


reference.datetime = FixedDateTime


def render(template, context):
    """What transformers renders: {"output": text}, or {"error": kind, "message": text}."""
    try:
        return {"output": reference._compile_jinja_template(template).render(**copy.deepcopy(context))}
    except jinja2.exceptions.UndefinedError as error:
        return {"error": "undefined", "message": str(error)}
    except jinja2.exceptions.TemplateSyntaxError as error:
        return {"error": "syntax", "message": str(error)}
    except jinja2.exceptions.TemplateRuntimeError as error:
        return {"error": "operation", "message": str(error)}
    except jinja2.exceptions.TemplateError as error:
        return {"error": "raised", "message": str(error)}
    except Exception as error:
        return {"error": "operation", "message": str(error)}


def message(role, content, **more):
    return {"role": role, "content": content, **more}


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.\nBe \"exact\" & <quick>.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": " Where, e.g. Köln "},
                "days": {"type": "integer", "default": 3},
                "unit": {"type": "string", "enum": ["°C", "°F"]},
                "spots": {"type": "array", "items": {"type": "number"}},
                "other": {"type": ["string", "null"]},
            },
            "required": ["city"],
        },
    },
}


def call(identifier, city):
    return {"id": identifier, "type": "function", "function": {"name": "weather", "arguments": {"city": city, "days": 2}}}


SYSTEM = message("system", "Be brief.")
CALLING = [
    message("user", "Weather?"),
    message("assistant", "", tool_calls=[call("abcdefgh1", "Köln")]),
    message("tool", "{\"sky\": \"clear\"}", tool_call_id="abcdefgh1", name="weather"),
]
BOTH = [
    message("user", "Both?"),
    message("assistant", "Let me see.", tool_calls=[call("abcdefgh1", "Rom"), call("abcdefgh2", "Oslo")]),
    message("tool", "sun", tool_call_id="abcdefgh1"),
    message("tool", "snow", tool_call_id="abcdefgh2"),
    message("assistant", "Sun and snow."),
    message("user", "Thanks"),
]
THOUGHT = "<think>\nOne and one.\n</think>\n\n Two. "

# Name: (what a template must speak of to be rendered with it, context)
CONTEXTS = {
    "user": ("", {"messages": [message("user", "Hi")], "add_generation_prompt": True}),
    "system": ("", {"messages": [SYSTEM, message("user", "Hi")], "add_generation_prompt": True}),
    "turns": ("", {"messages": [SYSTEM, message("user", " Hi "), message("assistant", "\nYo\n"), message("user", "x\n\ny")],
                   "add_generation_prompt": True}),
    "answered": ("", {"messages": [message("user", "Hi"), message("assistant", "Yo")], "add_generation_prompt": False}),
    "odd": ("", {"messages": [message("user", "\u00a0é日本🎉 <|im_end|>'\"\\n</s>\r\n{{ x }} ")], "add_generation_prompt": True}),
    "disorder": ("", {"messages": [message("user", "a"), message("user", "b"), message("system", "c")]}),
    "blocks": ("'type'", {"messages": [message("user", [{"type": "text", "text": " a "}, {"type": "image"}, {"type": "text", "text": "b"}])],
                          "add_generation_prompt": True}),
    "tools": ("tool", {"messages": [SYSTEM, message("user", "Weather?")], "tools": [TOOL], "add_generation_prompt": True}),
    "call": ("tool", {"messages": CALLING, "tools": [TOOL], "add_generation_prompt": True}),
    "calls": ("tool", {"messages": [SYSTEM] + BOTH, "tools": [TOOL, TOOL], "add_generation_prompt": True}),
    "builtin": ("builtin_tools", {"messages": BOTH[:1] + CALLING[1:2], "tools": None, "builtin_tools": ["code_interpreter", "weather"],
                                  "date_string": "1 Jan 2025"}),
    "thought": ("think", {"messages": [message("user", "1+1?"), message("assistant", THOUGHT), message("user", "And?")],
                          "add_generation_prompt": True, "enable_thinking": False}),
    "thinking": ("think", {"messages": [message("user", "1+1?"), message("assistant", THOUGHT)], "enable_thinking": True}),
    "reasoning": ("reasoning_content", {"messages": [message("user", "1+1?"), message("assistant", "2", reasoning_content="\nIt is.\n")]}),
    "documents": ("documents", {"messages": [message("user", "Hi")], "documents": [{"doc_id": 1, "title": "T", "text": "x"}, {"doc_id": "b", "text": "y"}],
                                "controls": {"citations": True}, "add_generation_prompt": True}),
}


def family_cases():
    constants = {"bos_token": "<s>", "eos_token": "</s>"}
    expected = {}
    for path in sorted(FOLDER.glob("*.jinja")):
        source = path.read_text()
        expected[path.stem] = {
            name: render(source, {"tools": None, "documents": None, **context, **constants})
            for name, (word, context) in CONTEXTS.items()
            if word in source
        }
    contexts = {
        name: tagged({"tools": None, "documents": None, **context, **constants}) for name, (_, context) in CONTEXTS.items()
    }
    return {"contexts": contexts, "expected": expected}


# What Python prints of objects says where they are in memory.
ADDRESS = re.compile(r"(?i)<[^<>]*(object|method|function|generator|iterator|class)[^<>]*>|0x[0-9a-f]{6}")


def random_cases(good, bad):
    cases, failures = [], []
    seed = 0
    while len(cases) < good or len(failures) < bad:
        seed += 1
        generator = Generator(seed)
        template = generator.template() if seed % 3 == 0 else generator.statement(1)
        if len(template) > 400:
            continue
        result = render(template, CONTEXT)
        if "error" in result:
            if len(failures) < bad and result["error"] in ("undefined", "operation"):
                failures.append({"template": template, "error": result["error"]})
        elif len(cases) < good and len(result["output"]) <= 400 and not ADDRESS.search(result["output"]):
            cases.append({"template": template, "output": result["output"]})
    return {"context": tagged(CONTEXT), "cases": cases + failures}


def tagged(value):
    """A value as JSON that keeps what readers may lose: the order of members, and that 2.0 is no integer."""
    if isinstance(value, dict):
        return {"object": [[name, tagged(member)] for name, member in value.items()]}
    if isinstance(value, list):
        return [tagged(element) for element in value]
    return {"float": repr(value)} if isinstance(value, float) else value


def write(name, value):
    # A line for each case.
    lines = json.dumps(value, ensure_ascii=False).replace('}, {"template"', '},\n{"template"').replace('}, "', '},\n"')
    (FOLDER / name).write_text(lines + "\n")


if __name__ == "__main__":
    write("expected.json", family_cases())
    write("random.json", random_cases(400, 60))
