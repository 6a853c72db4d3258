"""Makes the fixtures of the tokenizer tests with the `tokenizers` package, which is the reference.

usage: python make_fixtures.py   (writes ../Fixtures; needs `tokenizers` and `sentencepiece` from PyPI)

For each kind of `kinds.py` a few hundred texts with the reference's tokens, and tokens with the reference's texts; for
random regular expressions the pieces they make; for a model of SentencePiece's own what it makes of the texts.
`Benchmarks/tokenization.py` compares many more.
"""

import io
import json
import pathlib
import random

import kinds
import patterns

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"
COUNT = 240


def dump(name, value):
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def texts():
    """Short ones, one of each kind of part at least."""
    short = [text for text in kinds.texts(2000, "fixtures") if len(text) < 60]
    return short[:COUNT - 20] + kinds.texts(20, "long")


def write_tokenizer(name, tokenizer, vocabularies):
    """The file without its vocabulary, which many kinds share, and without the table of replacements."""
    state = json.loads(tokenizer.to_str())
    vocabulary = {key: state["model"].pop(key) for key in ("vocab", "merges") if key in state["model"]}
    if "merges" in vocabulary and name == "digits":  # the older spelling
        vocabulary["merges"] = [" ".join(merge) for merge in vocabulary["merges"]]
    fragment = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))[1:-1]
    state["model"]["vocabulary"] = vocabularies.setdefault(fragment, name)
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / f"{name}.tokenizer.json").write_text(text.replace(kinds.charsmap(), "@charsmap"))


def write_cases(name, tokenizer, sample):
    """Where the reference lets a text forge a special token there is no answer to compare with: null."""
    forgery = kinds.Forgery(tokenizer)
    plain, parsed = [], {}
    for index, text in enumerate(sample):
        tokenizer.encode_special_tokens = True
        plain.append(tokenizer.encode(text, add_special_tokens=False).ids)
        tokenizer.encode_special_tokens = False
        recognised = tokenizer.encode(text, add_special_tokens=False).ids
        if forgery.is_in(text, plain[-1]):
            plain[-1] = None
        if recognised != plain[-1]:
            parsed[index] = recognised
    framed = tokenizer.encode("a").ids
    inner = tokenizer.encode("a", add_special_tokens=False).ids
    start = next(k for k in range(len(framed)) if framed[k:k + len(inner)] == inner)
    # Any tokens, so that the bytes are mostly no UTF-8.
    dice = random.Random(name)
    lists = [[dice.randrange(tokenizer.get_vocab_size()) for _ in range(dice.randint(1, 12))] for _ in range(COUNT // 6)]
    dump(f"{name}.cases.json", dict(
        plain=plain, parsed=parsed, before=framed[:start], after=framed[start + len(inner):],
        decoded=[dict(text=tokenizer.decode(tokens), tokens=tokens) for tokens in lists]))


def write_sentencepiece(sample):
    """A byte-pair model that the `sentencepiece` package trained, in the values that a GGUF file has of it."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(kinds.training_texts(varied=False)), model_writer=model, model_type="bpe", vocab_size=800,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2,
        user_defined_symbols=["<|user|>", "[left]"])
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    numbers = range(processor.vocab_size())
    types = [2 if processor.is_unknown(n) else 3 if processor.is_control(n) else 6 if processor.is_byte(n)
             else 4 if processor.id_to_piece(n) in ("<|user|>", "[left]") else 1 for n in numbers]
    # SentencePiece takes a zero for the end of a text, and puts no space before its own symbols.
    sample = [text for text in sample if "\0" not in text and "<|user|>" not in text and "[left]" not in text]
    dump("sentencepiece.json", dict(
        tokens=[processor.id_to_piece(n) for n in numbers], scores=[processor.get_score(n) for n in numbers], kinds=types,
        texts=sample, encoded=[processor.encode(text) for text in sample]))


def main():
    kinds.has_few_rules = True
    FOLDER.mkdir(exist_ok=True)
    for old in [*FOLDER.glob("*.json"), *FOLDER.glob("*.txt")]:
        old.unlink()
    sample = texts()
    dump("texts.json", sample)
    (FOLDER / "charsmap.txt").write_text(kinds.charsmap())
    vocabularies = {}
    for name, make in kinds.KINDS.items():
        tokenizer = make()
        write_tokenizer(name, tokenizer, vocabularies)
        write_cases(name, tokenizer, sample)
    for fragment, name in vocabularies.items():
        (FOLDER / f"{name}.vocabulary.json").write_text(fragment)
    dump("patterns.json", patterns.cases(200, sample))
    write_sentencepiece(sample)


main()
