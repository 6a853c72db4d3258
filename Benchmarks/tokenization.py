"""Compares Pensieve's tokenizers with the `tokenizers` package: the same tokens, and how fast.

usage: swift build -c release --product tokenizer-probe
       python Benchmarks/tokenization.py equality [COUNT [KIND ...]]     default: 50000 texts for each kind
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
from tokenizers import Tokenizer, pre_tokenizers  # noqa: E402

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
        return subprocess.run([PROBE, mode, file.name, *more], input=data, stdout=subprocess.PIPE, check=True).stdout


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


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "equality":
        equality(int(rest[0]) if rest else 50_000, rest[1:])
    else:
        sys.exit(__doc__)
