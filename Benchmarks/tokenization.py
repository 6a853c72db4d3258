"""Compares Pensieve's tokenizers with the `tokenizers` package: the same tokens, and how fast.

usage: swift build -c release --product tokenizer-probe
       python Benchmarks/tokenization.py equality [COUNT [KIND ...]]     default: 50000 texts for each kind
       python Benchmarks/tokenization.py patterns [COUNT]               random regular expressions, default: 1000
       python Benchmarks/tokenization.py speed [ROUNDS [FOLDER]]         with FOLDER: the vocabularies (.gguf) in it too

Needs `tokenizers` and `sentencepiece` (and for FOLDER `gguf`) from PyPI.
"""

import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/TokenizationTests/Scripts"))

import kinds  # noqa: E402
from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: E402

PROBE = ROOT / ".build/release/tokenizer-probe"


def packed(data):
    return struct.pack("<i", len(data)) + data


def packed_numbers(numbers):
    return struct.pack(f"<{len(numbers) + 1}i", len(numbers), *numbers)


class Answers:
    """What the probe wrote."""

    def __init__(self, data):
        self.data, self.position = data, 0

    def number(self):
        self.position += 4
        return struct.unpack_from("<i", self.data, self.position - 4)[0]

    def numbers(self):
        count = self.number()
        self.position += 4 * count
        return list(struct.unpack_from(f"<{count}i", self.data, self.position - 4 * count))

    def bytes(self):
        count = self.number()
        self.position += count
        return self.data[self.position - count:self.position]


def probe(mode, tokenizer, data, *more):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(tokenizer.to_str())
        file.flush()
        return subprocess.run([PROBE, mode, file.name, *more], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout


def report(kind, what, text, ours, theirs):
    print(f"  {kind}: {what} differ for {text!r}\n    ours   {ours}\n    theirs {theirs}")


def compare_tokens(kind, tokenizer, texts):
    """As plain text, and with special tokens recognised."""
    answers = Answers(probe("encode", tokenizer, b"".join(packed(text.encode()) for text in texts)))
    wrong = 0
    for text in texts:
        for plain, what in [(True, "plain tokens"), (False, "tokens")]:
            tokenizer.encode_special_tokens = plain
            theirs, ours = tokenizer.encode(text, add_special_tokens=False).ids, answers.numbers()
            if ours != theirs:
                wrong += 1
                if wrong <= 3:
                    report(kind, what, text, ours, theirs)
    return wrong


def compare_texts(kind, tokenizer, count, seed):
    """Of any tokens, so that the bytes are mostly no UTF-8."""
    dice = random.Random(seed)
    size = tokenizer.get_vocab_size()
    lists = [[dice.randrange(size) for _ in range(dice.randint(0, 12))] for _ in range(count)]
    answers = Answers(probe("decode", tokenizer, b"".join(map(packed_numbers, lists))))
    wrong = 0
    for tokens in lists:
        theirs, ours = tokenizer.decode(tokens), answers.bytes().decode()
        if ours != theirs:
            wrong += 1
            if wrong <= 3:
                report(kind, "texts", tokens, repr(ours), repr(theirs))
    return wrong


def equality(count, names):
    total = 0
    for name in names or kinds.KINDS:
        start = time.time()
        tokenizer = kinds.KINDS[name]()
        wrong = compare_tokens(name, tokenizer, kinds.texts(count, name))
        undone = compare_texts(name, tokenizer, count // 5, name)
        total += wrong + undone
        print(f"{name}: {count} texts, {wrong} with other tokens; {count // 5} lists of tokens, {undone} with another text "
              f"({time.time() - start:.0f} s)", flush=True)
    print("all equal" if total == 0 else f"{total} differences")
    sys.exit(total > 0)


ATOMS = [
    "a", "b", "s", "k", "E", " ", r"\s", r"\S", r"\d", r"\w", r"\W", r"\p{L}", r"\p{Lu}", r"\P{L}", r"\p{^N}", r"\p{M}", ".", r"\n",
    "[a-e]", "[^a-e]", r"[\p{L}\d_]", r"[^\s\p{L}]", r"[a-z&&[^aeiou]]", "[[:space:]x]", r"\x{301}", "é", r"[\w&&\P{Lu}]", "一",
    r"\h", r"\R", "(?i:s)", "(?i:kA)", r"(?i:[b-t])", r"(?i:[^b-t])",
]
QUANTIFIERS = ["", "", "", "?", "*", "+", "??", "*?", "+?", "?+", "*+", "++", "{2}", "{1,3}", "{2,}", "{,2}", "{1,2}?", "{2}?", "{3,1}"]
ASSERTIONS = ["^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z", r"(?!\S)", r"(?=\s)", "(?=a+b)", "(?<=a)", "(?<!b)", r"(?<=\w\s)", "(?!.*b)"]


def pattern(dice, depth=0):
    """A pattern of those that are understood."""
    branches = []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        terms = []
        for _ in range(dice.randint(1, 3)):
            kind = dice.random()
            if kind < 0.12:
                terms.append(dice.choice(ASSERTIONS))
            elif kind < 0.35 and depth < 3:
                opening = dice.choice(["(", "(?:", "(?>", "(?:", "(?i:", "(?m:"])
                terms.append(opening + pattern(dice, depth + 1) + ")" + dice.choice(QUANTIFIERS))
            else:
                terms.append(dice.choice(ATOMS) + dice.choice(QUANTIFIERS))
        branches.append("".join(terms))
    return "|".join(branches)


def patterns(count):
    """Random patterns, random ways to split, and the pieces they make of texts; both what matches and what does not."""
    dice = random.Random(count)
    texts = [text for text in kinds.texts(400, "patterns") if text]
    texts += ["".join(dice.choice("aabbsSkK E\n1éx\u017f\u212a一") for _ in range(dice.randint(1, 25))) for _ in range(400)]
    compared = refused = wrong = 0
    while compared < count:
        source = pattern(dice)
        behavior = dice.choice(["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"])
        inverted = dice.random() < 0.3
        try:
            splitter = pre_tokenizers.Split(Regex(source), behavior, inverted)
        except Exception:
            continue
        tokenizer = Tokenizer(models.BPE({"a": 0}, [], unk_token="a"))
        tokenizer.pre_tokenizer = splitter
        sample = dice.sample(texts, 60)
        try:
            answers = Answers(probe("pieces", tokenizer, b"".join(packed(text.encode()) for text in sample)))
        except subprocess.CalledProcessError:
            refused += 1
            continue
        compared += 1
        for text in sample:
            theirs = [piece for piece, _ in splitter.pre_tokenize_str(text)]
            ours = [answers.bytes().decode() for _ in range(answers.number())]
            if ours != theirs:
                wrong += 1
                report(source, f"pieces ({behavior}{', inverted' * inverted})", text, ours, theirs)
                break
    print(f"{compared} patterns on 60 texts each, {wrong} with other pieces; {refused} more were refused")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "equality":
        equality(int(rest[0]) if rest else 50_000, rest[1:])
    elif mode == "patterns":
        patterns(int(rest[0]) if rest else 1000)
    else:
        sys.exit(__doc__)
