"""The kinds of tokenizers that the tests compare with the `tokenizers` package, and texts to compare them on.

A few small vocabularies are trained on generated text, over whole texts rather than words, so that their merges cross
every border that a pre-tokenizer may draw, and a border drawn elsewhere shows in the tokens. Each kind then puts a
well-known family's normalizer, pre-tokenizer and decoder around one of them.
"""

import base64
import functools
import io
import json
import random
import tempfile
import unicodedata

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
# Added tokens that are not special, each with one of the flags, and one that needs the normalizer.
WORDS = [
    AddedToken("solo", single_word=True, normalized=False), AddedToken("[left]", lstrip=True, normalized=False),
    AddedToken("[right]", rstrip=True, normalized=False), AddedToken("[rig", normalized=False),
    AddedToken("new york", normalized=True), AddedToken("new", normalized=True, single_word=True),
]
MARKED = SPECIALS + [word.content for word in WORDS] + ["<|end", "|>", "<s>", "</s>", "<unk>", "<0x0A>"]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGH", "0123456789", "éàüßñçøœ", "абвгдежз", "αβγδεζ", "你好世界漢字", "こんにちは",
    "안녕하세요", "مرحبا", "שלום", "नमस्ते", "ไทย", "٠١٢٣", "½²Ⅷ一", "🎉😀👩‍👩‍👧🇫🇷", "e\u0301a\u0308n\u0303",
    "\u00c5\u212b\u03a9\u2126A\u030a", ".,;:!?-_()[]{}'\"`~@#$%^&*+=/\\|<>", "\u00a0\u2003\u3000\u2028\u0085",
    "\u0000\u0001\u001f\u007f\u200b\ufeff", "𝒜𝓑", "\u1100\u1161\u11a8각\uac00", "ÀÉÎÕŠžǅǈ", "\u0300\u0301\u0323\u0334\u0345",
    "\u017f\u212a\u0130ıﬁﬆß", "‘’“”…。，、।۔،！？", "ΑΒΓὰΐᾳ", "ｱｲｳＡＢ１２", "\u0915\u094d\u0937\u0958\u09dc", "©®™\u200d\ufe0f\u20e3",
    "\u0600\u06dd\u070fa\u0308", "一龥鿿ぁゟ゠ヿㄅ㐀", "\r\n\t\v\f",
]
SPACES = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", " \n ", "\r\n", "", "     ", "\n \n", "\u3000", " \t"]
PHRASES = [
    "it's", "don't", "we'll", "I'M", "they've", "'re", "'S'T'LL", "she'D've", "The quick brown fox",
    "def f(x):\n    return x", "1,234.56", "a  b", "\u0301\u0302", " \u0301", "'l", "x'", "'\u017f", "HelloWorld camelCase",
    "HTTPServer2Go", "12345678901", "<|user|>x<|end|>", "``quoted''", "a/b//c", "...\n\n", " !?\r\n", "ＡＢＣ'Ｓ", "<0x41>",
    "http://example.com/a?b=c&d=1", "\u0958\u0301", "\u1e9b\u0323", "한국어 텍스트", "日本語のテキスト、です。", "Ångström", "naïve café",
]


@functools.cache
def blocks():
    """Stretches of assigned characters, about one for each script and kind."""
    result, current = [], []
    for number in range(0x110000):
        known = not 0xD800 <= number < 0xE000 and unicodedata.category(chr(number)) not in ("Cn", "Co", "Cs")
        if known:
            current.append(chr(number))
        if current and (not known or len(current) == 128):
            result.append("".join(current))
            current = []
    return result


def text(dice):
    parts = []
    for _ in range(dice.choice([1, 1, 2, 3, 4, 6])):
        kind = dice.random()
        if kind < 0.15:
            parts.append(dice.choice(PHRASES))
        elif kind < 0.25:
            parts.append(dice.choice(MARKED))
        elif kind < 0.4:
            block = dice.choice(blocks())
            parts.append("".join(dice.choice(block) for _ in range(dice.randint(1, 7))))
        elif kind < 0.44:
            number = dice.randrange(0x110000 - 0x800)
            parts.append(chr(number if number < 0xD800 else number + 0x800))
        elif kind < 0.46:
            parts.append(dice.choice(dice.choice(ALPHABETS)) * dice.choice([2, 3, 9, 40, 70, 200]))
        else:
            alphabet = dice.choice(ALPHABETS[:3] if dice.random() < 0.4 else ALPHABETS)
            parts.append("".join(dice.choice(alphabet) for _ in range(dice.randint(1, 7))))
        parts.append(dice.choice(SPACES))
    return "".join(parts)


def texts(count, seed):
    dice = random.Random(seed)
    return [""] + [text(dice) for _ in range(count - 1)]


def document(size, seed):
    """Mostly words of a language, as documents are: a few thousand of them, the frequent ones often."""
    dice = random.Random(seed)
    syllables = [a + b for a in "b c d f g h l m n p r s t v th st".split() for b in "a e i o u ai er on".split()]
    words = ["".join(dice.choice(syllables) for _ in range(dice.randint(1, 4))) for _ in range(20_000)]
    parts, length = [], 0
    while length < size:
        word = words[min(int(dice.paretovariate(0.7)) - 1, len(words) - 1)]
        if dice.random() < 0.08:
            word = word.capitalize()
        if dice.random() < 0.03:
            word = str(dice.randrange(10 ** dice.randint(1, 6)))
        part = word + dice.choices([" ", ", ", ". ", "\n", "\n\n", "'s ", " (", ") "], [80, 7, 6, 2, 1, 2, 1, 1])[0]
        parts.append(part)
        length += len(part)
    return "".join(parts)


def edited(tokenizer, **parts):
    """A copy with parts of its file replaced."""
    state = json.loads(tokenizer.to_str())
    model = parts.pop("model", {})
    state.update(parts)
    state["model"].update(model)
    return Tokenizer.from_str(json.dumps(state))


class Forgery:
    """Tells whether a text became a special token in the reference, though it was to be plain.

    The unknown token is special too, but also stands for what has none; there the text tells.
    """

    def __init__(self, tokenizer):
        added = json.loads(tokenizer.to_str())["added_tokens"]
        self.special = {token["id"] for token in added if token["special"] and token["content"] != "<unk>"}
        self.has_unknown = any(token["content"] == "<unk>" for token in added)

    def is_in(self, text, tokens):
        return not self.special.isdisjoint(tokens) or (self.has_unknown and "<unk>" in text)


def training_texts(varied=True):
    """Without special tokens, so that merges do not lead to any."""
    dice = random.Random(1)
    pages = [document(4000, seed) for seed in range(3)]
    result = ["".join(dice.choice(PHRASES + ["the", "and", "world"]) + dice.choice(SPACES) for _ in range(5)) for _ in range(1500)]
    result += [page[k:k + 60] for page in pages for k in range(0, 4000, 60)] + texts(1200, 2) * varied
    return [text for text in result if not any(special in text for special in SPECIALS + ["<s>", "</s>", "<unk>"])]


@functools.cache
def trained_bytes(words=False):
    """A byte-level vocabulary; its merges cross borders unless `words`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=words)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(training_texts(), trainer)
    tokenizer.add_tokens(WORDS)
    return tokenizer


@functools.cache
def trained_characters():
    """A vocabulary of characters with byte fallback, as SentencePiece's for BPE; spaces are marked."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)],
        limit_alphabet=150, show_progress=False)
    tokenizer.train_from_iterator(training_texts(), trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    # As in Phi-3's file, most special tokens take the white space after them along.
    tokenizer.add_special_tokens([AddedToken(text, rstrip=text != "<|endoftext|>", normalized=False) for text in SPECIALS])
    tokenizer.add_tokens(WORDS)
    return tokenizer


@functools.cache
def trained_spans():
    """A vocabulary of characters whose merges cross everything; what it lacks is unknown."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>"] + SPECIALS, limit_alphabet=200, show_progress=False)
    tokenizer.train_from_iterator(training_texts(), trainer)
    tokenizer.add_tokens(WORDS)
    return tokenizer


@functools.cache
def trained_unigram(fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    specials = ["<unk>", "<s>", "</s>"] + SPECIALS + [f"<0x{byte:02X}>" for byte in range(256)] * fallback
    trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(training_texts(varied=False), trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    state["model"]["byte_fallback"] = bool(fallback)
    return Tokenizer.from_str(json.dumps(state))


# Rules of every sort for a small table of replacements, where SentencePiece's own is too large to keep.
FEW_RULES = {
    "ﬁ": "fi", "e\u0301": "é", "n\u0303": "ñ", "\u3000": " ", "\t": " ", "\u00a0": " ", "½": "1⁄2", "Ⅷ": "VIII", "ｱ": "ア", "Ａ": "A",
    "\u0001": "", "\u200b": "", "\u0958": "\u0915\u093c", "©": "(c)", "\r\n": "\n", "ß": "ss", "\u212b": "Å", "𝒜": "A", "\ufeff": "",
}
has_few_rules = False


@functools.cache
def charsmap():
    """SentencePiece's own table of replacements, which comes with the `sentencepiece` package; or one of a few rules."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    options = dict(normalization_rule_name="nmt_nfkc")
    if has_few_rules:
        rules = tempfile.NamedTemporaryFile("w", suffix=".tsv")
        for old, new in FEW_RULES.items():
            rules.write("\t".join(" ".join(f"{ord(c):X}" for c in side) for side in (old, new)) + "\n")
        rules.flush()
        options = dict(normalization_rule_tsv=rules.name)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello world abc"] * 50), model_writer=model, vocab_size=20, hard_vocab_limit=False,
        minloglevel=2, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def part(kind, **fields):
    return dict(type=kind, **fields)


def sequence(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return part("Split", pattern={kind: pattern}, behavior=behavior, invert=invert)


def byte_level(regex=False, prefix=False):
    return part("ByteLevel", add_prefix_space=prefix, trim_offsets=True, use_regex=regex)


def metaspace(scheme, splits):
    return part("Metaspace", replacement="▁", prepend_scheme=scheme, split=splits)


def template(before, after=()):
    pieces = [part_of("SpecialToken", name) for name, _ in before] + [part_of("Sequence", "A")] + [
        part_of("SpecialToken", name) for name, _ in after]
    return part("TemplateProcessing", single=pieces, pair=pieces + [part_of("Sequence", "B")], special_tokens={
        name: dict(id=name, ids=[token], tokens=[name]) for name, token in [*before, *after]})


def part_of(kind, name):
    return {kind: dict(id=name, type_id=0)}


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + REST
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SLASHED = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LEAD = r"[^\r\n\p{L}\p{N}]?"
GPT4O = f"{LEAD}{UPPER}*{LOWER}+{CONTRACTIONS}?|{LEAD}{UPPER}+{LOWER}*{CONTRACTIONS}?|" + r"\p{N}{1,3}|" + SLASHED
TEKKEN = f"{LEAD}{UPPER}*{LOWER}+|{LEAD}{UPPER}+{LOWER}*|" + r"\p{N}|" + SLASHED
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
          r"|\s+(?!\S)|\s")
DEEPSEEK3 = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
             r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" "\r\n" r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["
             "\r\n" r"]*|\s*[" "\r\n" r"]+|\s+(?!\S)|\s+"]
DEEPSEEK_CODER = ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}"]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
KIMI = (r"[\p{Han}]+|" + LEAD + r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        + CONTRACTIONS + "?|" + LEAD + r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        + CONTRACTIONS + r"?|\p{N}{1,3}|" + REST)
EXAONE_MOE = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"
              r"|\s*[\r\n]|\s+(?!\S)|\s+")
JAIS2 = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)"
         r"|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}")


def over_bytes(*steps, words=False, **parts):
    return lambda: edited(trained_bytes(words), pre_tokenizer=sequence("pretokenizers", *steps), **parts)


def over_characters(pre_tokenizer, decoder, **parts):
    return lambda: edited(trained_characters(), pre_tokenizer=pre_tokenizer, decoder=decoder, **parts)


def over_spans(*steps, **parts):
    return lambda: edited(
        trained_spans(), pre_tokenizer=sequence("pretokenizers", *steps), decoder=part("Fuse"), **parts)


def over_unigram(*steps, fallback=False, **parts):
    return lambda: edited(
        trained_unigram(fallback), pre_tokenizer=sequence("pretokenizers", *steps) if steps else None, **parts)


MARK = part("Replace", pattern=dict(String=" "), content="▁")
UNMARK = part("Replace", pattern=dict(String="▁"), content=" ")
UNMARKED = sequence("decoders", UNMARK, part("ByteFallback"), part("Fuse"))
STRIPPED = sequence("decoders", UNMARK, part("ByteFallback"), part("Fuse"), part("Strip", content=" ", start=1, stop=0))
PRECOMPILED = lambda: part("Precompiled", precompiled_charsmap=charsmap())

# The well-known families, and every part that a file may have in some kind or other.
KINDS = {
    # GPT-2, SmolLM and Llama 2.
    "bytes": over_bytes(byte_level(regex=True), words=True),
    "digits": over_bytes(part("Digits", individual_digits=True), byte_level(regex=True)),
    "llama3": over_bytes(split(LLAMA3), byte_level(), words=True, model=dict(ignore_merges=True),
                         post_processor=sequence("processors", byte_level(), template([("<|endoftext|>", 0)]))),
    "qwen2": over_bytes(split(QWEN2), byte_level(), normalizer=part("NFC")),
    "gpt4o": over_bytes(split(GPT4O), byte_level()),
    "tekken": over_bytes(split(TEKKEN), byte_level(), model=dict(ignore_merges=True)),
    "cl100k": over_bytes(split(CL100K, "Removed", invert=True), byte_level()),
    "deepseek3": over_bytes(*map(split, DEEPSEEK3), byte_level()),
    "deepseek-coder": over_bytes(*map(split, DEEPSEEK_CODER), part("Digits", individual_digits=True), byte_level()),
    "falcon": over_bytes(part("Punctuation", behavior="Contiguous"), byte_level(regex=True),
                         part("Digits", individual_digits=False), split("[0-9][0-9][0-9]")),
    "bloom": over_bytes(split(BLOOM), byte_level()),
    "kimi": over_bytes(split(KIMI), byte_level()),
    "exaone-moe": over_bytes(split(EXAONE_MOE), byte_level()),
    "jais2": over_bytes(split(JAIS2), byte_level()),
    "prefixed": over_bytes(byte_level(regex=True, prefix=True), post_processor=part(
        "RobertaProcessing", sep=["<|end|>", 4], cls=["<|user|>", 2], trim_offsets=True, add_prefix_space=True)),
    "byte-normalizer": over_bytes(split(r"Ġ?[^Ġ]+"), normalizer=part("ByteLevel")),
    "characters": over_characters(None, STRIPPED, normalizer=sequence("normalizers", part("Prepend", prepend="▁"), MARK),
                              post_processor=template([("<s>", 1)])),
    "first-space": over_characters(metaspace("first", False), STRIPPED, normalizer=None),
    "mistral": over_characters(metaspace("always", False), part("Metaspace", replacement="▁", prepend_scheme="always",
                                                                split=False), normalizer=None),
    "gemma": over_characters(split(" ", "MergedWithPrevious", kind="String"), UNMARKED, normalizer=MARK,
                             post_processor=template([("<s>", 1)], [("</s>", 2)])),
    "unfused": over_characters(split("▁+", "MergedWithNext"), STRIPPED, normalizer=MARK, model=dict(
        byte_fallback=False, fuse_unk=False, ignore_merges=True)),
    "fused": over_characters(split("[0-9]", "MergedWithPrevious"), UNMARKED, normalizer=MARK, model=dict(byte_fallback=False)),
    "t5": lambda: over_unigram(metaspace("always", True), normalizer=PRECOMPILED())(),
    "xlm-r": lambda: over_unigram(part("WhitespaceSplit"), metaspace("always", True), normalizer=sequence(
        "normalizers", PRECOMPILED(), part("Replace", pattern=dict(Regex=" {2,}"), content=" ")))(),
    "albert": lambda: over_unigram(metaspace("always", True), normalizer=sequence(
        "normalizers", part("Replace", pattern=dict(String="``"), content='"'),
        part("Replace", pattern=dict(String="''"), content='"'), part("NFKD"), part("StripAccents"), part("Lowercase"),
        PRECOMPILED()))(),
    "unigram-bytes": over_unigram(metaspace("first", False), fallback=True, normalizer=part(
        "Strip", strip_left=True, strip_right=True), decoder=UNMARKED),
    "unigram-whole": over_unigram(fallback=True, normalizer=part("NFKC"), decoder=UNMARKED),
    "nfd": over_spans(part("Whitespace"), part("Punctuation"), normalizer=sequence("normalizers", part("NFD"))),
    "nfkc": over_spans(part("Digits", individual_digits=False), normalizer=sequence(
        "normalizers", part("NFKC"), part("Lowercase"), part("Strip", strip_left=True, strip_right=False))),
    "nfkd": over_spans(part("WhitespaceSplit"), part("Punctuation", behavior="MergedWithNext"), normalizer=part("NFKD")),
    "splits": over_spans(split("e", "Contiguous", kind="String"), split("o", "MergedWithNext", kind="String"),
                         split(r"\bt\w", "MergedWithPrevious"), split("[aeiou]{2}?", "Removed"), normalizer=None),
    "inverted": over_spans(split(r"\w+|\s", "Contiguous", invert=True), split(r"\d+?", "MergedWithNext", invert=True),
                           split(r"(?<=[a-z])[A-Z]|(?<!\w)\S(?=\s|$)", "MergedWithPrevious", invert=True)),
    "empties": over_spans(split(r"(?=(\d{3})+(?!\d))"), split(r"\b|(?i:K+)|x*?"), split("", kind="String")),
}
