"""Conversations in tokens, and rows of them to train on."""

import random
import re

import numpy as np

import data
from words import ALONE, NAMES, WORDS, held_out, made_up

CALL = ["<tool_call>", "</tool_call>"]
SPECIALS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", *CALL, "<|tool|>"]


class Encoder:
    """Encodes conversations piece by piece, exactly as the server does."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.ids = {s: tokenizer.token_to_id(s) for s in SPECIALS}
        self.find_words_alone()
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

    def answer(self, text):
        """(tokens, their weights): a call's tool weighs more than what is copied, for it is few tokens and hard to choose."""
        if "<tool_call>" not in text:
            tokens = self.cached(text)
            return tokens, [1] * len(tokens)
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        names = [m.span(1) for m in re.finditer(r"<tool_call>([^\n]*\n)", text)]
        keys = [m.span(1) for m in re.finditer(r'"(\w+)":', text)]
        inside = lambda spans, at: any(a <= at < b for a, b in spans)
        return encoding.ids, [4 if inside(names, at) else 3 if inside(keys, at) else 1 for at, _ in encoding.offsets]

    def conversation(self, turns):
        """(tokens, the weight of each that the model must learn to say, or 0)"""
        tokens, said = [], []
        # With tools, the first token decides whether there is a call at all.
        first = 4 if turns[0][0] == "system" and "Tools:\n" in turns[0][1] else 1
        for role, text in turns:
            if role == "assistant":
                # A pair is an answer whose beginning was not the model's choice.
                given, text = text if isinstance(text, tuple) else ("", text)
                answer, weights = self.answer(text)
                answer, weights = answer + [self.ids["<|end|>"]], weights + [1]
                if not given:
                    weights[0] = first
                head = [self.ids["<|assistant|>"]] + self.newline + self.text(given)
                tokens += head + answer + self.newline
                said += [0] * len(head) + weights + [0] * len(self.newline)
            else:
                body = [self.ids[f"<|{role}|>"]] + self.text("\n" + text) + [self.ids["<|end|>"]] + self.newline
                tokens += body
                said += [0] * len(body)
        return tokens, said

    def drill(self, system, branches, room):
        """(tokens, weights, branch numbers, positions) of a drill: the system turn is branch 0, which all others see."""
        tokens, said = self.conversation([system])
        prefix = len(tokens)
        numbers, places = [0] * prefix, list(range(prefix))
        for number, (question, answer, whole) in enumerate(branches, 1):
            head = self.text("\n" + question) + [self.ids["<|end|>"]] + self.newline
            head = [self.ids["<|user|>"]] + head + [self.ids["<|assistant|>"]] + self.newline
            answer, weights = self.answer(answer)
            weights = [4] + weights[1:]
            if whole:
                answer, weights = answer + [self.ids["<|end|>"]], weights + [1]
            else:
                # To the end of the tool's name, or to where it is clear that there is no call.
                length = answer.index(self.newline[0]) + 1 if answer[0] == self.ids["<tool_call>"] else 2
                answer, weights = answer[:length], weights[:length]
            if len(tokens) + len(head) + len(answer) > room:
                break
            places += range(prefix, prefix + len(head) + len(answer))
            numbers += [number] * (len(head) + len(answer))
            tokens, said = tokens + head + answer, said + [0] * len(head) + weights
        return tokens, said, numbers, places

    def prompt(self, turns):
        return self.conversation(turns)[0] + [self.ids["<|assistant|>"]] + self.newline


def rows(encoder, rng, count, length, shares, long_share=0.0, gap_share=0.1):
    """`count` packed rows of `length`: tokens, targets (-100 where nothing is learned), their weights, document numbers,
    branch numbers, positions."""
    tokens = np.zeros((count, length), np.int64)
    targets = np.full((count, length), -100, np.int64)
    weights = np.zeros((count, length), np.float32)
    documents = np.full((count, length), -1, np.int64)
    branches = np.zeros((count, length), np.int64)
    positions = np.zeros((count, length), np.int64)
    waiting = []

    def drawn():
        if long_share and rng.random() < long_share:
            turns = data.long_conversation(rng, rng.randint(length // 40, max(length // 20, 2)), shares)
        elif data.is_drill(rng, shares):
            return encoder.drill(*data.drill(rng), length)
        else:
            turns = data.conversation(rng, shares)
        t, s = encoder.conversation(turns)
        place = np.arange(len(t))
        if rng.random() < gap_share:
            begins = [i for i in range(1, len(t)) if t[i] == encoder.ids["<|user|>"]]
            if begins:
                place[rng.choice(begins):] += rng.randint(1, 4000)
        return t, s, [0] * len(t), place

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
            t, s, branch, place = found
            n = len(t)
            tokens[r, at:at + n] = t
            targets[r, at:at + n - 1] = np.where(np.array(s[1:]) > 0, t[1:], -100)
            weights[r, at:at + n - 1] = s[1:]
            documents[r, at:at + n] = document
            branches[r, at:at + n] = branch
            positions[r, at:at + n] = np.array(place) + rng.randint(0, 8000)
            at, document = at + n, document + 1
    return tokens, targets, weights, documents, branches, positions
