"""Random regular expressions of what is understood, and the pieces that the reference makes with them."""

import random

from tokenizers import Regex, pre_tokenizers

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


LETTERS = "aabbsSkK E\n1éx\u017f\u212a一"
BEHAVIORS = {"removed": "Removed", "isolated": "Isolated", "merged_with_previous": "MergedWithPrevious",
             "merged_with_next": "MergedWithNext", "contiguous": "Contiguous"}


def splitters(dice):
    """Endlessly a pattern, a behavior, whether it is inverted, and the reference's splitter."""
    while True:
        source, behavior, inverted = pattern(dice), dice.choice(list(BEHAVIORS)), dice.random() < 0.3
        try:
            yield source, BEHAVIORS[behavior], inverted, pre_tokenizers.Split(Regex(source), behavior, inverted)
        except Exception:  # The reference does not take it.
            continue


def letters(dice, longest=25):
    return "".join(dice.choice(LETTERS) for _ in range(dice.randint(1, longest)))


def pieces(splitter, text):
    """None where the reference gives up: its engine backtracks, and counts how often."""
    try:
        return [piece for piece, _ in splitter.pre_tokenize_str(text)]
    except BaseException as error:
        if "retry-limit" not in str(error):
            raise
        return None


def cases(count, texts):
    dice = random.Random(count)
    result = []
    for source, behavior, inverted, splitter in splitters(dice):
        sample = [letters(dice) for _ in range(5)] + [dice.choice(texts[1:]) for _ in range(3)]
        answers = [pieces(splitter, text) for text in sample]
        if None in answers:
            continue
        result.append(dict(pattern=source, behavior=behavior, inverted=inverted, texts=sample, pieces=answers))
        if len(result) == count:
            return result
