"""Makes the fixtures of the tokenizer tests with the `tokenizers` package (PyPI), which is the reference.

usage: python make_fixtures.py   (writes ../Fixtures)

Three small tokenizers are trained on words made here; each gets generated texts with the reference's tokens.
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"
SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGH", "0123456789", "éàüßñçøœ", "абвгдежз", "αβγδεζ", "你好世界漢字", "こんにちは",
    "안녕하세요", "مرحبا", "שלום", "नमस्ते", "ไทย", "٠١٢٣", "½²Ⅷ", "🎉😀👩‍👩‍👧🇫🇷", "e\u0301a\u0308n\u0303", ".,;:!?-_()[]{}'\"`~@#$%^&*+=/\\|<>",
    "\u00a0\u2003\u3000", "\u0000\u0001\u001f\u007f\u200b\ufeff", "𝒜𝓑",
]
SPACES = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", " \n ", "\r\n", ""]
PHRASES = ["it's", "don't", "we'll", "I'M", "they've", "'re", "The quick brown fox", "def f(x):\n    return x", "1,234.56", "a  b"]


def texts(count, seed, specials=SPECIALS):
    dice = random.Random(seed)
    for _ in range(count):
        parts = []
        for _ in range(dice.randint(1, 7)):
            kind = dice.random()
            if kind < 0.2:
                parts.append(dice.choice(PHRASES))
            elif kind < 0.27:
                parts.append(dice.choice(specials))
            else:
                alphabet = dice.choice(ALPHABETS[:3] if dice.random() < 0.4 else ALPHABETS)
                parts.append("".join(dice.choice(alphabet) for _ in range(dice.randint(1, 8))))
            parts.append(dice.choice(SPACES))
        yield "".join(parts)


def byte_level(digits):
    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Split(Regex(r"\d"), "isolated")] if digits else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(list(texts(3000, 1, ["plain"])), trainer)
    return tokenizer


def characters():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    # Trained with words apart, used without, as SentencePiece does.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)], limit_alphabet=90,
        show_progress=False)
    tokenizer.train_from_iterator(list(texts(3000, 2, ["plain"])), trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIALS])
    return tokenizer


def main():
    for name, tokenizer in [("bytes", byte_level(False)), ("digits", byte_level(True)), ("characters", characters())]:
        state = json.loads(tokenizer.to_str())
        (FOLDER / f"{name}.tokenizer.json").write_text(json.dumps(state, ensure_ascii=False, separators=(",", ":")))
        plain = json.loads(tokenizer.to_str())
        plain["added_tokens"] = [token for token in plain["added_tokens"] if token["content"] not in SPECIALS]
        without = Tokenizer.from_str(json.dumps(plain))
        cases = []
        for text in texts(700, 3):
            with_specials = tokenizer.encode(text, add_special_tokens=False).ids
            cases.append([text, with_specials, without.encode(text, add_special_tokens=False).ids])
        (FOLDER / f"{name}.cases.json").write_text(json.dumps(cases, ensure_ascii=True, separators=(",", ":")))


main()
