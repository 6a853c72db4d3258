"""Conversations in tokens, and rows of them to train on."""

import random
import re
from bisect import bisect_right

import numpy as np

import data
from words import ALONE, NAMES, PIECES, WORDS, held_out, made_up

CALL = ["<tool_call>", "</tool_call>"]
SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", *CALL, "<|tool|>"]


class Piece:
    """A text inside a conversation: its tokens, and where they stand."""

    def __init__(self, tokenizer, text, start):
        encoding = tokenizer.encode(text, add_special_tokens=False)
        self.text, self.start, self.ids, self.begins = text, start, encoding.ids, [a for a, _ in encoding.offsets]

    def place(self, at):
        """The place in the conversation of the token that holds character `at`."""
        return self.start + bisect_right(self.begins, at) - 1


def copied(call, listing, question):
    """{character of the calls of an answer: (the piece that it is copied from, the character there)}: names of tools and parameters
    are copied from the list of tools, values from the question."""
    found = {}

    def copy(at, text, piece, begin):
        for i in range(len(text)):
            found[at + i] = piece, begin + i

    for match in re.finditer(r"<tool_call>([^\n]*)\n(.*?)</tool_call>", call, re.S):
        line = re.search(rf"^- ({re.escape(match[1])})\(.*$", listing.text, re.M)
        if line is None:
            continue
        copy(match.start(1), match[1], listing, line.start(1))
        for part in re.finditer(r'"((?:[^"\\]|\\.)*)"(:)?|(-?\d[\d.]*)', match[2]):
            group = 1 if part[1] is not None else 3
            text, at = part[group], match.start(2) + part.start(group)
            if part[2]:
                key = re.search(rf"[( ]({re.escape(text)})\??:", line[0][len(match[1]):])
                if key:
                    copy(at, text, listing, line.start() + len(match[1]) + key.start(1))
            elif text:
                places = list(re.finditer(rf"(?<![\w.]){re.escape(text)}(?!\w)", question.text))
                if len(places) == 1:
                    copy(at, text, question, places[0].start())
    return found


class Encoder:
    """Encodes conversations piece by piece, exactly as the server does."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.ids = {s: tokenizer.token_to_id(s) for s in SPECIALS}
        self.find_words_alone()
        PIECES[:] = sorted(t for t in tokenizer.get_vocab() if re.fullmatch("[a-z]{2,}", t))
        self.newline = self.text("\n")
        self.known = {}

    def find_words_alone(self):
        rng = random.Random(2)
        words = WORDS + NAMES + [made_up(rng) for _ in range(20000)]
        tokens = lambda w: set(self.text(w) + self.text(" " + w))
        trained = set().union(*(tokens(w) for w in words if not held_out(w.lower())))
        ALONE.update(w.lower() for w in WORDS + NAMES if not tokens(w) <= trained)

    def text(self, s):
        return self.tokenizer.encode(s, add_special_tokens=False).ids

    def cached(self, s):
        found = self.known.get(s)
        if found is None:
            found = self.text(s)
            if len(self.known) < 20000:
                self.known[s] = found
        return found

    def answer(self, text, listing=None, question=None):
        """(tokens, their weights, the places that they are copied from or -1): a call's tool weighs more than what is copied, for it
        is few tokens and hard to choose."""
        if "<tool_call>" not in text:
            tokens = self.cached(text)
            return tokens, [1] * len(tokens), [-1] * len(tokens)
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        names = [m.span(1) for m in re.finditer(r"<tool_call>([^\n]*\n)", text)]
        keys = [m.span(1) for m in re.finditer(r'"(\w+)":', text)]
        inside = lambda spans, at: any(a <= at < b for a, b in spans)
        weights = [4 if inside(names, at) else 3 if inside(keys, at) else 1 for at, _ in encoding.offsets]
        origin = copied(text, listing, question) if listing and question else {}
        sources = [origin[at][0].place(origin[at][1]) if at in origin else -1 for at, _ in encoding.offsets]
        return encoding.ids, weights, sources

    def conversation(self, turns):
        """(tokens, the weight of each that the model must learn to say, or 0)"""
        return self.conversation_and_sources(turns)[:2]

    def conversation_and_sources(self, turns):
        """(tokens, weights, the place that each is copied from or -1)"""
        tokens, said, sources, pieces = [], [], [], {}
        # With tools, the first token decides whether there is a call at all.
        first = 4 if turns[0][0] == "system" and "Tools:\n" in turns[0][1] else 1
        for role, text in turns:
            if role == "assistant":
                # A pair is an answer whose beginning was not the model's choice.
                given, text = text if isinstance(text, tuple) else ("", text)
                answer, weights, places = self.answer(text, pieces.get("system"), pieces.get("user"))
                answer, weights, places = answer + [self.ids["<|end|>"]], weights + [1], places + [-1]
                if not given:
                    weights[0] = first
                head = [self.ids["<|assistant|>"]] + self.newline + self.text(given)
                tokens += head + answer + self.newline
                said += [0] * len(head) + weights + [0] * len(self.newline)
                sources += [-1] * len(head) + places + [-1] * len(self.newline)
            else:
                piece = pieces[role] = Piece(self.tokenizer, "\n" + text, len(tokens) + 1)
                body = [self.ids[f"<|{role}|>"]] + piece.ids + [self.ids["<|end|>"]] + self.newline
                tokens += body
                said += [0] * len(body)
                sources += [-1] * len(body)
        return tokens, said, sources

    def drill(self, system, branches, room):
        """(tokens, weights, sources, branch numbers, positions) of a drill: the system turn is branch 0, which all others see."""
        tokens, said, sources = self.conversation_and_sources([system])
        listing, prefix = Piece(self.tokenizer, "\n" + system[1], 1), len(tokens)
        numbers, places = [0] * prefix, list(range(prefix))
        for number, (question, answer, whole) in enumerate(branches, 1):
            asked = Piece(self.tokenizer, "\n" + question, len(tokens) + 1)
            head = [self.ids["<|user|>"]] + asked.ids + [self.ids["<|end|>"]] + self.newline + [self.ids["<|assistant|>"]] + self.newline
            answer, weights, origins = self.answer(answer, listing, asked)
            weights = [4] + weights[1:]
            if whole:
                answer, weights, origins = answer + [self.ids["<|end|>"]], weights + [1], origins + [-1]
            else:
                # To the end of the tool's name, or to where it is clear that there is no call.
                length = answer.index(self.newline[0]) + 1 if answer[0] == self.ids["<tool_call>"] else 2
                answer, weights, origins = answer[:length], weights[:length], origins[:length]
            if len(tokens) + len(head) + len(answer) > room:
                break
            places += range(prefix, prefix + len(head) + len(answer))
            numbers += [number] * (len(head) + len(answer))
            tokens, said, sources = tokens + head + answer, said + [0] * len(head) + weights, sources + [-1] * len(head) + origins
        return tokens, said, sources, numbers, places

    def prompt(self, turns):
        return self.conversation(turns)[0] + [self.ids["<|assistant|>"]] + self.newline


def rows(encoder, rng, count, length, shares, long_share=0.0, gap_share=0.1):
    """`count` packed rows of `length`: tokens, targets (-100 where nothing is learned), their weights, document numbers,
    branch numbers, positions, and for each token the place in the row that the next one is copied from, or -1."""
    tokens = np.zeros((count, length), np.int64)
    targets = np.full((count, length), -100, np.int64)
    weights = np.zeros((count, length), np.float32)
    documents = np.full((count, length), -1, np.int64)
    branches = np.zeros((count, length), np.int64)
    positions = np.zeros((count, length), np.int64)
    sources = np.full((count, length), -1, np.int64)
    waiting = []

    def drawn():
        if long_share and rng.random() < long_share:
            turns = data.long_conversation(rng, rng.randint(length // 40, max(length // 20, 2)), shares)
        elif data.is_drill(rng, shares):
            return encoder.drill(*data.drill(rng), length)
        else:
            turns = data.conversation(rng, shares)
        t, s, origins = encoder.conversation_and_sources(turns)
        place = np.arange(len(t))
        if rng.random() < gap_share:
            begins = [i for i in range(1, len(t)) if t[i] == encoder.ids["<|user|>"]]
            if begins:
                place[rng.choice(begins):] += rng.randint(1, 4000)
        return t, s, origins, [0] * len(t), place

    def fitting(room):
        """What waits and has at most `room` tokens, or None when several draws gave none."""
        for i, w in enumerate(waiting):
            if len(w[0]) <= room:
                return waiting.pop(i)
        while len(waiting) < 6:
            new = drawn()
            if len(new[0]) <= room:
                return new
            if len(new[0]) <= length:
                waiting.append(new)
        return None

    for r in range(count):
        at, document = 0, 0
        while (found := fitting(length - at)) is not None:
            t, s, origins, branch, place = found
            n = len(t)
            tokens[r, at:at + n] = t
            targets[r, at:at + n - 1] = np.where(np.array(s[1:]) > 0, t[1:], -100)
            weights[r, at:at + n - 1] = s[1:]
            documents[r, at:at + n] = document
            branches[r, at:at + n] = branch
            positions[r, at:at + n] = np.array(place) + rng.randint(0, 8000)
            sources[r, at:at + n - 1] = [at + origin if origin >= 0 else -1 for origin in origins[1:]]
            at, document = at + n, document + 1
    return tokens, targets, weights, documents, branches, positions, sources
