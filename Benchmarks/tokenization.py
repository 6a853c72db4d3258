"""Compares Pensieve's tokenizers with the `tokenizers` package: the same tokens, and how fast.

usage: swift build -c release --product tokenizer-probe
       python Benchmarks/tokenization.py equality [COUNT [KIND ...]]     default: 50000 texts for each kind
       python Benchmarks/tokenization.py patterns [COUNT]               random regular expressions, default: 1000
       python Benchmarks/tokenization.py linear                         megabytes of one letter, of spaces, of marks
       python Benchmarks/tokenization.py memory                         while large vocabularies are read, and afterwards
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
import patterns  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402

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
    forgery = kinds.Forgery(tokenizer)
    wrong = forged = 0
    for text in texts:
        for plain, what in [(True, "plain tokens"), (False, "tokens")]:
            tokenizer.encode_special_tokens = plain
            theirs, ours = tokenizer.encode(text, add_special_tokens=False).ids, answers.numbers()
            # Where the vocabulary leads to a special token, the reference lets a text forge it; ours must not.
            if plain and forgery.is_in(text, theirs):
                forged += 1
                same = forgery.special.isdisjoint(ours)
            else:
                same = ours == theirs
            if not same:
                wrong += 1
                if wrong <= 3:
                    report(kind, what, text, ours, theirs)
    return wrong, forged


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
        wrong, forged = compare_tokens(name, tokenizer, kinds.texts(count, name))
        undone = compare_texts(name, tokenizer, count // 5, name)
        total += wrong + undone
        print(f"{name}: {count} texts, {wrong} with other tokens; {count // 5} lists of tokens, {undone} with another text; "
              f"{forged} texts that may forge a special token in the reference and must not here "
              f"({time.time() - start:.0f} s)", flush=True)
    print("all equal" if total == 0 else f"{total} differences")
    sys.exit(total > 0)


def compare_patterns(count):
    """Random patterns, random ways to split, and the pieces they make of texts."""
    dice = random.Random(count)
    texts = kinds.texts(400, "patterns")[1:] + [patterns.letters(dice) for _ in range(400)]
    compared = refused = wrong = 0
    for source, behavior, inverted, splitter in patterns.splitters(dice):
        if compared == count:
            break
        tokenizer = Tokenizer(models.BPE({"a": 0}, [], unk_token="a"))
        tokenizer.pre_tokenizer = splitter
        sample = dice.sample(texts, 60)
        try:
            answers = Answers(probe("pieces", tokenizer, b"".join(packed(text.encode()) for text in sample)))
        except subprocess.CalledProcessError as error:
            assert error.returncode == 3, (source, error)
            refused += 1
            continue
        compared += 1
        for text in sample:
            theirs = patterns.pieces(splitter, text)
            ours = [answers.bytes().decode() for _ in range(answers.number())]
            if ours != theirs and theirs is not None:
                wrong += 1
                report(source, f"pieces ({behavior}{', inverted' * inverted})", text, ours, theirs)
                break
    print(f"{compared} patterns on 60 texts each, {wrong} with other pieces; {refused} more were refused")
    sys.exit(wrong > 0)


def corpus():
    """A megabyte of English and code: the documentation that comes with Python, and its library."""
    library = pathlib.Path(os.__file__).parent
    files = [library / "pydoc_data/topics.py", *sorted(library.glob("*.py"))]
    text = "".join(file.read_text().replace("\\n", "\n") for file in files[:60])
    return text[:1 << 20]


def from_gguf(path):
    """A `tokenizer.json` of the vocabulary in a GGUF file."""
    import gguf

    fields = gguf.GGUFReader(path).fields
    value = lambda name: fields["tokenizer.ggml." + name].contents()
    tokens, types = value("tokens"), value("token_type")
    vocab = {token: number for number, token in enumerate(tokens)}
    added = [dict(id=number, content=tokens[number], special=types[number] == 3, normalized=False, single_word=False,
                  lstrip=False, rstrip=False) for number in range(len(tokens)) if types[number] in (3, 4)]
    if value("model") == "gpt2":
        pattern = {"llama-bpe": kinds.LLAMA3, "qwen2": kinds.QWEN2, "gpt-2": kinds.GPT2}[value("pre")]
        model = dict(type="BPE", vocab=vocab, merges=value("merges"), ignore_merges=value("pre") == "llama-bpe")
        parts = dict(pre_tokenizer=kinds.sequence("pretokenizers", kinds.split(pattern), kinds.byte_level()),
                     decoder=kinds.byte_level(), normalizer=kinds.part("NFC") if value("pre") == "qwen2" else None)
    else:
        scores = value("scores")
        normal = {token: number for token, number in vocab.items() if types[number] in (1, 5)}
        merges = sorted((-scores[number], number, cut) for token, number in normal.items() for cut in range(1, len(token))
                        if token[:cut] in normal and token[cut:] in normal)
        pairs = [(tokens[number][:cut], tokens[number][cut:]) for _, number, cut in merges]
        model = dict(type="BPE", vocab=vocab, merges=pairs, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
        parts = dict(normalizer=kinds.sequence("normalizers", kinds.part("Prepend", prepend="▁"), kinds.MARK),
                     decoder=kinds.STRIPPED)
    return Tokenizer.from_str(json.dumps(dict(version="1.0", added_tokens=added, model=model, **parts)))


def ours(tokenizer, texts):
    """Seconds, once what the tokenizer remembers is warm."""
    out = probe("time", tokenizer, b"".join(packed(text.encode()) for text in texts), "3").split()
    return int(out[-2]) / 1e9


def theirs(encode):
    start = time.perf_counter()
    encode()
    return time.perf_counter() - start


def speed(rounds, folder):
    page = corpus()
    dice = random.Random(1)
    chats = []
    for _ in range(100):
        places = [dice.randrange(len(page) - 600) for _ in range(2)]
        said, answered = (page[place:place + dice.randint(100, 600)] for place in places)
        chats.append(f"<|user|>\n{said}<|end|>\n<|assistant|>\n{answered}<|end|>\n<|assistant|>\n")
    names = ["bytes", "llama3", "qwen2", "gpt4o", "tekken", "deepseek3", "characters", "gemma", "t5", "xlm-r"]
    tokenizers = {name: kinds.KINDS[name] for name in names}
    for path in sorted(pathlib.Path(folder).glob("*.gguf")) if folder else []:
        tokenizers[path.stem] = lambda path=path: from_gguf(path)
    print("one thread, medians of", rounds, "rounds; MB/s of a document, and milliseconds for 100 chats")
    print(f"{'vocabulary':24}{'document: ours':>16}{'encode':>9}{'fast':>9}{'ratio':>8}   {'chats: ours':>12}{'encode':>9}{'fast':>9}{'ratio':>8}")
    for name, make in tokenizers.items():
        tokenizer = make()
        row = f"{name.removeprefix('ggml-vocab-'):24}"
        for texts, width in [([page], 16), (chats, 15)]:
            size = sum(len(text.encode()) for text in texts)
            times = ([], [], [])
            for _ in range(rounds):
                times[0].append(ours(tokenizer, texts))
                times[1].append(theirs(lambda: [tokenizer.encode(text, add_special_tokens=False) for text in texts]))
                times[2].append(theirs(lambda: [tokenizer.encode_batch_fast([text], add_special_tokens=False) for text in texts]))
            medians = [statistics.median(column) for column in times]
            shown = [size / median / 1e6 if len(texts) == 1 else median * 1e3 for median in medians]
            row += f"{shown[0]:{width}.1f}{shown[1]:9.1f}{shown[2]:9.1f}{min(medians[1:]) / medians[0]:7.1f}x"
        print(row, flush=True)


def linear():
    """Milliseconds for a megabyte of one thing, and how many times as long two megabytes take."""
    units = {"a": "a", "space": " ", "mark": "\u0301", "breaks": "\n ", "digit": "1", "ideograph": "一", "jamo": "\u1100", "'s": "'s"}
    print(f"{'':16}" + "".join(f"{name:>16}" for name in units))
    for kind, make in kinds.KINDS.items():
        tokenizer = make()
        row = f"{kind:16}"
        for unit in units.values():
            count = (1 << 20) // len(unit.encode())
            one, two = (ours(tokenizer, [unit * (times * count)]) for times in (1, 2))
            row += f"{one * 1e3:9.0f}{two / one:6.1f}x"
        print(row, flush=True)


def large(size, alphabet, shown=()):
    """A vocabulary of random merges."""
    dice = random.Random(size)
    tokens = list(alphabet)
    vocab = {token: number for number, token in enumerate([*shown, *alphabet])}
    merges = []
    while len(vocab) < size:
        left, right = dice.choice(dice.choice([tokens, tokens[:2000]])), dice.choice(tokens[:2000])
        if len(left + right) <= 12 and left + right not in vocab:
            vocab[left + right] = len(vocab)
            tokens.append(left + right)
            merges.append((left, right))
    return vocab, merges


def memory():
    """Of files as they are published, and with merges written as they were at first."""
    # Memory that is freed goes back at once, so that what is measured does not live in what was there before.
    returning = {"MALLOC_MMAP_THRESHOLD_": "32768", "MALLOC_TRIM_THRESHOLD_": "32768"}

    def size(name, tokenizer, change=None):
        state = json.loads(tokenizer.to_str())
        if change:
            change(state["model"])
        for indent in [2, None]:
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(state, file, ensure_ascii=False, indent=indent)
                file.flush()
                probe = subprocess.run([PROBE, "memory", file.name], env=os.environ | returning, stdout=subprocess.PIPE, check=True)
                file, peak, kept = map(int, probe.stdout.split())
            print(f"{name + ', indented' * bool(indent):40}{file / 1e6:8.2f}{peak / 1e6:8.2f}{peak / file:6.2f}x{kept / 1e6:8.2f}", flush=True)

    def old(model):
        model["merges"] = [" ".join(merge) for merge in model["merges"]]

    print(f"{'MB':40}{'file':>8}{'peak':>8}{'':7}{'after':>8}")
    for count in [128_000, 151_000]:
        tokenizer = Tokenizer(models.BPE(*large(count, sorted(pre_tokenizers.ByteLevel.alphabet()))))
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        size(f"bytes, {count} tokens", tokenizer)
        size(f"bytes, {count} tokens, old merges", tokenizer, old)
    letters = [chr(number) for first, last in [(33, 127), (0xA1, 0x180), (0x400, 0x460), (0x4E00, 0x4F00)] for number in range(first, last)]
    characters = large(32_000, ["▁", *letters], ["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)])
    size("characters, 32000 tokens", Tokenizer(models.BPE(*characters, unk_token="<unk>", byte_fallback=True, fuse_unk=True)))
    dice = random.Random(1)
    words = sorted({"▁" * dice.randrange(2) + "".join(dice.choices(letters[:26] * 9 + letters, k=dice.randint(2, 10))) for _ in range(250_000)})
    size(f"unigram, {len(words)} tokens", Tokenizer(models.Unigram([("<unk>", 0.0)] + [(word, -15 * dice.random()) for word in words], 0)))


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "equality":
        equality(int(rest[0]) if rest else 50_000, rest[1:])
    elif mode == "patterns":
        compare_patterns(int(rest[0]) if rest else 1000)
    elif mode == "linear":
        linear()
    elif mode == "memory":
        memory()
    elif mode == "speed":
        speed(int(rest[0]) if rest else 7, rest[1] if len(rest) > 1 else None)
    else:
        sys.exit(__doc__)
