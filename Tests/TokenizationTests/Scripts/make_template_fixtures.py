"""Renders the templates of Fixtures/ChatTemplates, and random ones, as transformers does.

    python make_template_fixtures.py

writes Fixtures/ChatTemplates/expected.json, random.json, filters.json, and tokens.json with its two tokenizers. Needs transformers,
tokenizers and jinja2 (made with transformers 5, tokenizers 0.23 and jinja2 3.1.6).
"""

import copy
import datetime
import json
import pathlib
import re

import jinja2
import transformers.utils.chat_template_utils as reference
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from filter_fuzz import FILTER_CONTEXT, FilterGenerator
from template_fuzz import CONTEXT, Generator

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures" / "ChatTemplates"

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


def filter_cases(count):
    """Random uses of the filters that chat templates hardly ever need, with what is special to each."""
    generator = FilterGenerator(1)
    cases, seen = [], set()
    while len(cases) < count:
        template = generator.template()
        result = render(template, FILTER_CONTEXT)
        output = result.get("output")
        if template in seen or (output and (len(output) > 1500 or ADDRESS.search(output))):
            continue
        seen.add(template)
        # One error in ten cases is enough.
        if output is not None:
            cases.append({"template": template, "output": output})
        elif result["error"] in ("undefined", "operation") and generator.chance(0.1):
            cases.append({"template": template, "error": result["error"]})
    return {"context": tagged(FILTER_CONTEXT), "cases": cases}


def tagged(value):
    """A value as JSON that keeps what readers may lose: the order of members, and that 2.0 is no integer."""
    if isinstance(value, dict):
        return {"object": [[name, tagged(member)] for name, member in value.items()]}
    if isinstance(value, list):
        return [tagged(element) for element in value]
    return {"float": repr(value)} if isinstance(value, float) else value


TEXTS = [
    "Hello there, how are you?", " What is 23 + 45? ", "Two\nlines\n\nand more\n", "", "naïve café 日本語 🎉", "  indented code:\n    x = 1\n",
    "The quick brown fox jumps over the lazy dog.", "tabs\tand  spaces", "A", "\n\nleading breaks", "trailing space ", "it's don't we'll",
]

# Template, and the special tokens that it needs: (content, rstrip).
TOKEN_TEMPLATES = {
    "chatml": [("<|im_start|>", False), ("<|im_end|>", False)],
    "llama3": [("<|start_header_id|>", False), ("<|end_header_id|>", False), ("<|eot_id|>", False)],
    "phi3": [("<|system|>", True), ("<|user|>", True), ("<|assistant|>", True), ("<|end|>", True)],
    "gemma2": [("<start_of_turn>", False), ("<end_of_turn>", False)],
    "llama2": [],
    "qwen3-thinking": [("<|im_start|>", False), ("<|im_end|>", False)],
    "zephyr": [],
    "typed-parts": [("<|im_start|>", False), ("<|im_end|>", False)],
}
# Those that read a list of typed parts and nothing else.
PARTS = {"typed-parts"}
SPECIALS = sorted({token for tokens in TOKEN_TEMPLATES.values() for token in tokens} | {("<s>", False), ("</s>", False)})


def small_tokenizer(kind):
    """A byte-level vocabulary, as of Llama 3, or one of characters with byte fallback, as of Llama 2."""
    specials = [AddedToken(content, rstrip=rstrip, normalized=False, special=True) for content, rstrip in SPECIALS]
    extra = [AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)]
    corpus = TEXTS * 4 + ["user assistant system model You are brief. [INST] [/INST] <<SYS>> <|user|>"] * 4
    if kind == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet, shown = pre_tokenizers.ByteLevel.alphabet(), []
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
        alphabet, shown = [], ["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=len(shown) + 420, special_tokens=shown, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] == "<unk>"]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(specials)
    tokenizer.add_tokens(extra)
    return tokenizer


def conversations():
    """Roles and texts; the last may be an assistant's, to be continued."""
    yield [("user", TEXTS[0])]
    for index in range(0, len(TEXTS), 2):
        text = lambda offset: TEXTS[(index + offset) % len(TEXTS)]
        yield [("system", "You are brief."), ("user", text(0)), ("assistant", text(1)), ("user", text(2))]
        yield [("user", text(0)), ("assistant", text(1)), ("user", text(2))]
        if text(1).strip():
            yield [("user", text(0)), ("assistant", text(1))]


def token_cases():
    result = {}
    for kind in ["bytes", "characters"]:
        base = small_tokenizer(kind)
        (FOLDER / f"{kind}.tokenizer.json").write_text(base.to_str() + "\n")
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=base, bos_token="<s>", eos_token="</s>")
        for name in TOKEN_TEMPLATES:
            tokenizer.chat_template = (FOLDER / f"{name}.jinja").read_text()
            cases = []
            for turns in conversations():
                if name == "gemma2" and turns[0][0] == "system":
                    continue
                continues = turns[-1][0] == "assistant"
                content = lambda text: [{"type": "text", "text": text}] if name in PARTS else text
                tokens = tokenizer.apply_chat_template(
                    [{"role": role, "content": content(text)} for role, text in turns], tokenize=True, return_dict=False,
                    add_generation_prompt=not continues, continue_final_message=continues,
                )
                cases.append({"turns": [list(turn) for turn in turns], "tokens": tokens})
            result[f"{kind}/{name}"] = cases
    return result


def write(name, value):
    # A line for each case.
    lines = json.dumps(value, ensure_ascii=False).replace('}, {"template"', '},\n{"template"').replace('}, "', '},\n"')
    (FOLDER / name).write_text(lines.replace('}, {"turns"', '},\n{"turns"') + "\n")


if __name__ == "__main__":
    write("expected.json", family_cases())
    write("random.json", random_cases(400, 60))
    write("filters.json", filter_cases(400))
    write("tokens.json", token_cases())
