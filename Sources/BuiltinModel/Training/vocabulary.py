"""Makes tokenizer.json: a byte-level BPE in which a space joins only whole common words.

A rare word then has the same tokens with a space before it and without one, so that saying it again at the start of an
answer is plain copying.
"""

import json
import re
from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import data
import encoding
from words import NAMES, WORDS


def pre_tokenizer():
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\d"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ])


def build(path, size, joined=96):
    rng = data.make_rng(1)
    shares = dict(data.SHARES, fact=0.5, unknown=0.2)
    lines = [text for _ in range(12000) for _, text in data.conversation(rng, shares)]
    lines += [data.made_up(rng) for _ in range(16000)] + WORDS * 12 + NAMES * 4
    counts = Counter(w for line in lines for w in re.findall(r" ?[A-Za-z]+", line))
    plain = [" ".join(re.findall(r"[^\s]+", line)).replace(" ", "\n") for line in lines]

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - joined - len(encoding.SPECIALS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=8,
        show_progress=False)
    tokenizer.train_from_iterator(plain, trainer)
    document = json.loads(tokenizer.to_str())
    vocabulary, merges = document["model"]["vocab"], document["model"]["merges"]
    common = [w for w, _ in counts.most_common() if w[0] == " " and w[1:] in vocabulary and w[1:] not in NAMES and (len(w) > 2 or w in (" a", " I"))]
    for w in common:
        if len(vocabulary) >= size - len(encoding.SPECIALS):
            break
        vocabulary["Ġ" + w[1:]] = len(vocabulary)
        merges.append(["Ġ", w[1:]])
    assert len(vocabulary) == size - len(encoding.SPECIALS), len(vocabulary)
    document["added_tokens"] = []
    return write(document, path)


def extend(old, path):
    """The tokenizer of the file `old` with the special tokens that it lacks."""
    with open(old) as f:
        return write(json.load(f), path)


def write(document, path):
    added = document["added_tokens"]
    first = len(document["model"]["vocab"]) + len(added)
    missing = [s for s in encoding.SPECIALS if s not in {token["content"] for token in added}]
    # The marks of a call are text that the model says, so they are not "special": nobody leaves them out of what is decoded.
    added += [{"id": first + i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": s not in encoding.CALL}
              for i, s in enumerate(missing)]
    with open(path, "w") as f:
        json.dump(document, f, ensure_ascii=False, indent=1)
    return Tokenizer.from_file(path)
