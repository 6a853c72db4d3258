"""Writes conversations in tokens, as transformers does.

    python make_chat_fixtures.py

writes Fixtures/tokens.json and its two tokenizers, with some of the templates of TemplatesTests. Needs transformers and tokenizers
(made with transformers 5 and tokenizers 0.23).
"""

import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"
TEMPLATES = pathlib.Path(__file__).parents[2] / "TemplatesTests" / "Fixtures"

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
            tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
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


if __name__ == "__main__":
    # A line for each case.
    lines = json.dumps(token_cases(), ensure_ascii=False).replace('}, "', '},\n"').replace('}, {"turns"', '},\n{"turns"')
    (FOLDER / "tokens.json").write_text(lines + "\n")
