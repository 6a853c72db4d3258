"""Asks transformers what it makes of the files beside a tokenizer.json: which tokens are special, where they are found.

    python make_file_fixtures.py

writes Fixtures/files.json. Needs transformers and tokenizers (made with transformers 5.24, tokenizers 0.23).
"""

import json
import pathlib
import tempfile

import transformers

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} | flags


TOKENIZER = {
    "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": None, "post_processor": None,
    "decoder": {"type": "Fuse"},
    "added_tokens": [{"id": 0} | token("<s>", special=False), {"id": 2} | token("<a>", special=False, normalized=True)],
    "model": {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
        "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "merges": [],
        "vocab": {text: number for number, text in enumerate(
            ["<s>", "</s>", "<a>", "a", "b", "<", ">", "s", "/", "e", "<e>", " ", "n", "w", "z"])},
    },
}
CLASS = {"tokenizer_class": "PreTrainedTokenizerFast"}
MAP, CONFIGURATION, LIST = "special_tokens_map.json", "tokenizer_config.json", "added_tokens.json"

# Name: the files beside tokenizer.json.
CASES = {
    "nothing": {CONFIGURATION: CLASS},
    "no configuration": {MAP: {"bos_token": "<s>", "eos_token": "</s>"}},
    "named in the map alone": {
        CONFIGURATION: CLASS, MAP: {"bos_token": "<s>", "eos_token": {key: value for key, value in token("</s>", rstrip=True).items() if key != "special"}}},
    "the map against the configuration": {CONFIGURATION: CLASS | {"bos_token": "<a>"}, MAP: {"bos_token": "<s>", "eos_token": "</s>"}},
    "flags of a token that is there": {CONFIGURATION: CLASS | {"added_tokens_decoder": {"2": token("<a>", rstrip=True)}}},
    "a description silences the map": {
        CONFIGURATION: CLASS | {"added_tokens_decoder": {"2": token("<a>")}}, MAP: {"bos_token": "<s>", "eos_token": "</s>"}, LIST: {"<z>": 20}},
    "described and named": {
        CONFIGURATION: CLASS | {"bos_token": "<s>", "eos_token": "</s>", "added_tokens_decoder": {
            "2": token("<a>"), "40": token("<new>"), "30": token("<e>", special=False)}}},
    "described without its flag, and named": {
        CONFIGURATION: CLASS | {"eos_token": "<e>", "added_tokens_decoder": {"10": token("<e>", special=False, lstrip=True)}}},
    "named, and there without its flag": {CONFIGURATION: CLASS | {"eos_token": "<a>"}},
    "others": {CONFIGURATION: CLASS | {"additional_special_tokens": ["<e>", "<a>"]}},
    "others by the older name, the newer empty": {
        CONFIGURATION: CLASS | {"extra_special_tokens": {}, "additional_special_tokens": ["<e>"], "added_tokens_decoder": {}}},
    "others in the map": {CONFIGURATION: CLASS, MAP: {"extra_special_tokens": ["<e>", {"content": "<z>"}]}},
    "named by the model": {CONFIGURATION: CLASS | {"image_token": "<e>"}},
    "named in a mapping": {CONFIGURATION: CLASS | {"extra_special_tokens": {"image_token": "<e>"}}},
    "listed": {CONFIGURATION: CLASS, LIST: {"<e>": 10, "<z>": 40, "<a>": 2}},
    "listed and named": {CONFIGURATION: CLASS | {"eos_token": "<e>"}, LIST: {"<e>": 10, "<z>": 40}},
}
TEXTS = ["a<a>b<s></s><e>", "<new> <z>", "a <e> </s> <a> b"]


def answer(files):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, value in {"tokenizer.json": TOKENIZER, "config.json": {"model_type": "llama"}, **files}.items():
            (folder / name).write_text(json.dumps(value))
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoded = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS]
    return {
        "special": {name: text for name, text in tokenizer.special_tokens_map.items() if isinstance(text, str)},
        "encoded": encoded,
        "decoded": [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in encoded],
    }


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    cases = [{"name": name, "files": {file: json.dumps(value) for file, value in files.items()}, **answer(files)}
             for name, files in CASES.items()]
    text = json.dumps({"tokenizer": json.dumps(TOKENIZER), "texts": TEXTS, "cases": cases}, ensure_ascii=False)
    (FOLDER / "files.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")
