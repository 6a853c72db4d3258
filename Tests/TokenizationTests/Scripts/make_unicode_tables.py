"""Writes Sources/Tokenization/Unicode/Tables: what the `tokenizers` package takes each character for.

usage: python make_unicode_tables.py

The package is put together from parts that follow different versions of Unicode: its regular expressions 15.1, its
digits 17, its normal forms 9, its punctuation 8. So nothing is read from a copy of the standard here; the package
itself is asked about every character. Needs `tokenizers` and `sentencepiece` from PyPI.
"""

import io
import pathlib
import tempfile
import textwrap
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, normalizers, pre_tokenizers

FOLDER = pathlib.Path(__file__).parents[3] / "Sources/Tokenization/Unicode/Tables"
CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
TEXT = "".join(CHARACTERS)
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
SCRIPTS = ("Han Hiragana Katakana Hangul Bopomofo Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Devanagari Bengali "
           "Tamil Telugu Thai Lao Khmer Myanmar").split()


def matched(pattern):
    """The characters that a pattern matches, as a set of numbers."""
    rest = normalizers.Replace(Regex(pattern), "").normalize_str(TEXT)
    return set(map(ord, CHARACTERS)) - set(map(ord, rest))


def removed(kept):
    return set(map(ord, CHARACTERS)) - set(map(ord, kept))


def runs(numbers):
    result = []
    for number in sorted(numbers):
        if result and result[-1][1] == number:
            result[-1][1] += 1
        else:
            result.append([number, number + 1])
    return result


def encoded_set(numbers):
    """Ranges as `gap,length`, both hexadecimal; a length of one is left out."""
    words, end = [], 0
    for low, high in runs(numbers):
        words.append(f"{low - end:x}" + (f",{high - low:x}" if high - low > 1 else ""))
        end = high
    return " ".join(words)


def encoded_categories():
    category = {}
    for name in CATEGORIES:
        for number in matched(r"\p{%s}" % name):
            assert number not in category
            category[number] = name
    words, last, count = [], None, 0
    for number in range(0x110000):
        name = category.get(number, "Cs")
        if name != last and last:
            words.append(f"{count:x}{last}")
            count = 0
        last = name
        count += 1
    words.append(f"{count:x}{last}")
    return " ".join(words)


def encoded_map(mapping, marked=()):
    """Entries `gap:numbers`, all hexadecimal, the gap from the last key left out if it is one."""
    words, last = [], 0
    for key in sorted(mapping):
        gap = "" if key - last == 1 else f"{key - last:x}"
        sign = "!" if key in marked else ":"
        words.append(gap + sign + ",".join(f"{ord(c):x}" for c in mapping[key]))
        last = key
    return " ".join(words)


def is_hangul(character):
    return 0xAC00 <= ord(character) <= 0xD7A3


def decompositions():
    nfd, nfkd, nfc = normalizers.NFD(), normalizers.NFKD(), normalizers.NFC()
    canonical = {ord(c): nfd.normalize_str(c) for c in CHARACTERS if not is_hangul(c)}
    canonical = {key: value for key, value in canonical.items() if value != chr(key)}
    compatible = {ord(c): nfkd.normalize_str(c) for c in CHARACTERS if not is_hangul(c)}
    compatible = {key: value for key, value in compatible.items() if value != canonical.get(key, chr(key))}
    # What a pair composes to: the last step of a decomposition undone, if the package does undo it.
    composed = {}
    for key in canonical:
        whole = unicodedata.decomposition(chr(key)).split()
        if len(whole) == 2 and nfc.normalize_str(chr(key)) == chr(key):
            composed[key] = "".join(chr(int(part, 16)) for part in whole)
            assert nfc.normalize_str(composed[key]) == chr(key)
    return canonical, compatible, composed


def encoded_combining_classes():
    """Runs of `gap,length,class`, hexadecimal: how the package orders each mark among marks of every class."""
    nfd = normalizers.NFD()
    known = {ord(c): unicodedata.combining(c) for c in CHARACTERS if unicodedata.combining(c)}
    reorders = lambda first, second: nfd.normalize_str("a" + first + second) != "a" + first + second
    # Left out is what the package does not know, and what it decomposes, so that it is never ordered itself.
    classes = {number: value for number, value in known.items() if nfd.normalize_str(chr(number)) == chr(number)
               and (reorders(chr(number), "\u0334") or reorders("\u0345", chr(number)))}
    examples = {value: chr(number) for number, value in classes.items()}
    for number, value in classes.items():
        for other, example in examples.items():
            assert reorders(chr(number), example) == (value > other), (hex(number), value, other)
            assert reorders(example, chr(number)) == (other > value), (hex(number), value, other)
    words, end = [], 0
    for value_runs in sorted((low, high, value) for value in set(classes.values())
                             for low, high in runs(n for n in classes if classes[n] == value)):
        low, high, value = value_runs
        words.append(f"{low - end:x},{high - low:x},{value:x}")
        end = high
    return " ".join(words)


def lower_case():
    lower = normalizers.Lowercase()
    mapping = {ord(c): lower.normalize_str(c) for c in CHARACTERS}
    return {key: value for key, value in mapping.items() if value != chr(key)}


def encoded_lower_case(mapping):
    """Runs of `gap,length,step,distance`, hexadecimal: `length` letters, each `step` on, go `distance` up or down."""
    keys = [key for key in sorted(mapping) if len(mapping[key]) == 1]
    words, last, index = [], 0, 0
    while index < len(keys):
        distance = ord(mapping[keys[index]]) - keys[index]
        step = keys[index + 1] - keys[index] if index + 1 < len(keys) else 1
        step = step if step <= 2 else 1
        end = index + 1
        while end < len(keys) and keys[end] - keys[end - 1] == step and ord(mapping[keys[end]]) - keys[end] == distance:
            end += 1
        words.append(f"{keys[index] - last:x},{end - index:x},{step:x},{distance:x}")
        last = keys[end - 1]
        index = end
    return " ".join(words)


def charsmap(keys):
    """A normalization table of SentencePiece's that makes "~" of each key."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for key in keys:
            rules.write(" ".join(f"{ord(c):X}" for c in key) + "\t7E\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["hello world abc"] * 50), model_writer=model, vocab_size=20, hard_vocab_limit=False,
            normalization_rule_tsv=rules.name, minloglevel=2, bos_id=-1, eos_id=-1)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)


def clusters():
    """How characters join into grapheme clusters, seen from which short strings `Precompiled` looks up as one."""
    usable = [c for c in CHARACTERS if c not in "\0\t\n\r ~"]
    def asked(text):
        normalizer = charsmap(map(text, usable))
        return {ord(c) for c in usable if normalizer.normalize_str(text(c)) == "~"}
    extending = asked(lambda c: "a" + c)
    prepended = asked(lambda c: c + "a")
    short = [c for c in usable if ord(c) < 0x10000]
    ending = {ord(c) for c in short} - asked(lambda c: c + "\u0301") | set(b"\0\t\n\r")
    # A consonant after a linker goes on with the cluster before, which is then too long to be looked up.
    normalizer = charsmap(usable)
    consonants = {ord(c) for c in short if len(c.encode()) == 3
                  and normalizer.normalize_str("\u0915\u094d" + c + "\u0301") == "~~~~"} - extending - ending
    marks = [chr(c) for c in extending if len(chr(c).encode()) == 3]
    linkers = {ord(c) for c in marks if normalizer.normalize_str("\u0915" + c + "\u0915\u0301") == "~~~~"}
    return extending, prepended, ending, consonants, linkers


def swift(file, name, summary, tables):
    lines = ["// Written by Tests/TokenizationTests/Scripts/make_unicode_tables.py; not to be edited by hand.", "",
             f"/// {summary}", f"enum {name} {{"]
    for index, (table, comment, text) in enumerate(tables):
        lines += [""] if index else []
        lines += textwrap.wrap(comment, 110, initial_indent="    /// ", subsequent_indent="    /// ")
        lines.append(f'    static let {table} = """')
        wrapped = textwrap.wrap(text, 109, break_long_words=False, break_on_hyphens=False)
        lines += [f"        {line} \\" for line in wrapped[:-1]] + [f"        {wrapped[-1]}", '        """']
    lines += ["}", ""]
    (FOLDER / file).write_text("\n".join(lines))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    swift("CategoryTable.swift", "CategoryTable", "The general category of each character, as the patterns see it.", [
        ("runs", "From U+0000 on: how many characters, hexadecimal, and their category.", encoded_categories())])
    swift("ScriptTable.swift", "ScriptTable", "The characters of the scripts that patterns may name.", [
        (name.lower(), f"`\\p{{{name}}}`, as `gap,length`.", encoded_set(matched(r"\p{%s}" % name))) for name in SCRIPTS])
    canonical, compatible, composed = decompositions()
    swift("CanonicalTable.swift", "CanonicalTable", "The canonical decompositions, but for Hangul's, and the order of marks.", [
        ("decompositions", "In full: `gap:characters`.", encoded_map(canonical)),
        ("compositions", "The pairs that compose: `gap:pair`, the gap between what they make.", encoded_map(composed)),
        ("combiningClasses", "As `gap,length,class`.", encoded_combining_classes())])
    swift("CompatibilityTable.swift", "CompatibilityTable", "The compatibility decompositions that are not canonical.", [
        ("decompositions", "In full: `gap:characters`.", encoded_map(compatible))])
    digits = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str("".join("a" + c for c in CHARACTERS))
    numeric = {ord(piece) for piece, _ in digits if len(piece) == 1 and piece != "a"}
    marks = pre_tokenizers.Punctuation().pre_tokenize_str(" ".join("a" + c for c in CHARACTERS))
    lower = lower_case()
    assert [key for key in lower if len(lower[key]) > 1] == [0x130] and lower[0x130] == "i\u0307"
    extending, prepended, ending, consonants, linkers = clusters()
    swift("ScalarSetTables.swift", "ScalarSetTables", "Sets of characters that no category describes, as `gap,length`.", [
        ("numeric", "What the `Digits` pre-tokenizer takes for digits.", encoded_set(numeric)),
        ("punctuation", "What the `Punctuation` pre-tokenizer takes for punctuation.",
         encoded_set(ord(piece) for piece, _ in marks if len(piece) == 1)),
        ("accents", "What the `StripAccents` normalizer removes.",
         encoded_set(removed(normalizers.StripAccents().normalize_str(TEXT)))),
        ("lowercase", "What the `Lowercase` normalizer changes, but for U+0130: runs of `gap,length,step,distance`.",
         encoded_lower_case(lower)),
        ("extending", "What goes on with the grapheme cluster before it.", encoded_set(extending)),
        ("prepended", "What the next character goes on with.", encoded_set(prepended)),
        ("ending", "What neither goes on with a cluster nor lets one go on.", encoded_set(ending)),
        ("linkers", "What lets a cluster go on with a consonant.", encoded_set(linkers)),
        ("consonants", "What goes on with a cluster that ends in a linker.", encoded_set(consonants)),
        ("pictographs", "What goes on with a cluster of a pictograph and a joiner.",
         encoded_set(matched(r"\p{Extended_Pictographic}")))])


main()
