"""Makes the fixtures of the tokenizer tests with the `tokenizers` package (PyPI), which is the reference.

usage: python make_fixtures.py   (writes ../Fixtures)

Three small tokenizers are trained on words made here, and a few variants are derived from them. Each gets generated
texts with the reference's tokens, and tokens with the reference's texts.
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"
SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
# Added tokens that are not special, each with one of the flags, and one that needs the normalizer.
WORDS = [
    AddedToken("solo", single_word=True, normalized=False), AddedToken("[left]", lstrip=True, normalized=False),
    AddedToken("[right]", rstrip=True, normalized=False), AddedToken("[rig", normalized=False),
    AddedToken("new york", normalized=True), AddedToken("new", normalized=True, single_word=True),
]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGH", "0123456789", "éàüßñçøœ", "абвгдежз", "αβγδεζ", "你好世界漢字", "こんにちは",
    "안녕하세요", "مرحبا", "שלום", "नमस्ते", "ไทย", "٠١٢٣", "½²Ⅷ一", "🎉😀👩‍👩‍👧🇫🇷", "e\u0301a\u0308n\u0303", "\u00c5\u212b\u03a9\u2126A\u030a",
    ".,;:!?-_()[]{}'\"`~@#$%^&*+=/\\|<>", "\u00a0\u2003\u3000\u2028\u0085", "\u0000\u0001\u001f\u007f\u200b\ufeff", "𝒜𝓑",
]
SPACES = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", " \n ", "\r\n", ""]
PHRASES = ["it's", "don't", "we'll", "I'M", "they've", "'re", "The quick brown fox", "def f(x):\n    return x", "1,234.56",
           "a  b", "\u0301\u0302", " \u0301", "'l", "x'"]
MARKED = SPECIALS + ["solo", "[left]", "[right]", "new york", "new", "<|end", "|>"]


def texts(count, seed, marked):
    dice = random.Random(seed)
    for _ in range(count):
        parts = []
        for _ in range(dice.randint(1, 6)):
            kind = dice.random()
            if kind < 0.2:
                parts.append(dice.choice(PHRASES))
            elif kind < 0.32:
                parts.append(dice.choice(marked))
            else:
                alphabet = dice.choice(ALPHABETS[:3] if dice.random() < 0.4 else ALPHABETS)
                parts.append("".join(dice.choice(alphabet) for _ in range(dice.randint(1, 7))))
            parts.append(dice.choice(SPACES))
        yield "".join(parts)


def edited(tokenizer, edit):
    state = json.loads(tokenizer.to_str())
    edit(state)
    return Tokenizer.from_str(json.dumps(state))


def byte_level(digits):
    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Split(Regex(r"\d"), "isolated")] if digits else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(list(texts(3000, 1, ["plain"])), trainer)
    if not digits:
        tokenizer.add_tokens(WORDS)
    return tokenizer


def characters():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    # Trained with words apart, used without, as SentencePiece does.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=640, special_tokens=["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)], limit_alphabet=120,
        show_progress=False)
    tokenizer.train_from_iterator(list(texts(3000, 2, ["plain"])), trainer)

    def edit(state):
        state["pre_tokenizer"] = None
        state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]

    tokenizer = edited(tokenizer, edit)
    # As in Phi-3's file, most special tokens take the white space after them along.
    tokenizer.add_special_tokens([AddedToken(text, rstrip=text != "<|endoftext|>", normalized=False) for text in SPECIALS])
    tokenizer.add_tokens(WORDS)
    return tokenizer


def variants(plain, digits, pieces):
    """Other pre-tokenizers over the vocabularies above."""
    level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)

    def steps(*parts, **model):
        def edit(state):
            state["pre_tokenizer"] = dict(type="Sequence", pretokenizers=list(parts)) if parts else None
            state["model"].update(model)
        return edit

    def split(pattern, behavior="Isolated"):
        return dict(type="Split", pattern=dict(Regex=pattern), behavior=behavior, invert=False)

    gpt2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    single = dict(type="Digits", individual_digits=True)
    yield "digits-prefixed", edited(digits, steps(single, {**level, "add_prefix_space": True, "use_regex": True}))
    yield "digits-runs", edited(plain, steps(dict(type="Digits", individual_digits=False), level))
    yield "ascii-whole", edited(plain, steps(split("[0-9]"), level, ignore_merges=True))
    yield "threes", edited(plain, steps(split(r"\p{N}{1,3}"), level))
    yield "contiguous", edited(plain, steps(split(r"\d", "Contiguous"), level))
    yield "explicit", edited(plain, steps(split(gpt2), level))
    yield "fused", edited(pieces, steps(single, byte_fallback=False))
    yield "unfused", edited(pieces, steps(byte_fallback=False, fuse_unk=False, ignore_merges=True))


def dump(name, value):
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def write(name, tokenizer, count, seed, spaced=False):
    state = json.loads(tokenizer.to_str())
    if spaced:
        state["model"]["merges"] = [" ".join(merge) for merge in state["model"]["merges"]]
    dump(f"{name}.tokenizer.json", state)
    cases = []
    for text in [""] + list(texts(count - 1, seed, MARKED)):
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append([text, plain] if parsed == plain else [text, plain, parsed])
    # Any tokens, so that the bytes are mostly no UTF-8. Byte fallback is left out of it: the reference looks at a whole
    # run of bytes at once, which nothing that streams can do.
    dice = random.Random(seed)
    bytes_apart = [i for t, i in tokenizer.get_vocab().items() if not t.startswith("<0x")]
    decoded = []
    for _ in range(count // 10):
        ids = [dice.choice(bytes_apart) for _ in range(dice.randint(1, 12))]
        decoded.append([tokenizer.decode(ids), ids])
    dump(f"{name}.cases.json", dict(encoded=cases, decoded=decoded))


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    plain, digits, pieces = byte_level(False), byte_level(True), characters()
    write("bytes", plain, 1000, 3)
    write("digits", digits, 1000, 4, spaced=True)
    write("characters", pieces, 1000, 5)
    for index, (name, tokenizer) in enumerate(variants(plain, digits, pieces)):
        write(name, tokenizer, 80, 10 + index)


main()
