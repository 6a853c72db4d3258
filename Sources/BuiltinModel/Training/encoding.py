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
        names = [m.span(1) for m in re.finditer(r'\{"name": "([^"]*)"', text)]
        keys = [m.span(1) for m in re.finditer(r'"(\w+)":', text)]
        inside = lambda spans, at: any(a <= at < b for a, b in spans)
        return encoding.ids, [4 if inside(names, at) else 3 if inside(keys, at) else 1 for at, _ in encoding.offsets]

    def conversation(self, turns):
        """(tokens, the weight of each that the model must learn to say, or 0)"""
        tokens, said = [], []
        for role, text in turns:
            if role == "assistant":
                # A pair is an answer whose beginning was not the model's choice.
                given, text = text if isinstance(text, tuple) else ("", text)
                answer, weights = self.answer(text)
                answer, weights = answer + [self.ids["<|end|>"]], weights + [1]
                head = [self.ids["<|assistant|>"]] + self.newline + self.text(given)
                tokens += head + answer + self.newline
                said += [0] * len(head) + weights + [0] * len(self.newline)
            else:
                body = [self.ids[f"<|{role}|>"]] + self.text("\n" + text) + [self.ids["<|end|>"]] + self.newline
                tokens += body
                said += [0] * len(body)
        return tokens, said

    def prompt(self, turns):
        return self.conversation(turns)[0] + [self.ids["<|assistant|>"]] + self.newline


def rows(encoder, rng, count, length, shares, long_share=0.0, gap_share=0.1):
    """`count` packed rows of `length`: tokens, targets (-100 where nothing is learned), their weights, document numbers, positions."""
    tokens = np.zeros((count, length), np.int64)
    targets = np.full((count, length), -100, np.int64)
    weights = np.zeros((count, length), np.float32)
    documents = np.full((count, length), -1, np.int64)
    positions = np.zeros((count, length), np.int64)
    waiting = []

    def fitting(room):
        """A waiting conversation of at most `room` tokens, or None when several draws gave none."""
        for i, w in enumerate(waiting):
            if len(w[0]) <= room:
                return waiting.pop(i)
        while len(waiting) < 6:
            if long_share and rng.random() < long_share:
                drawn = data.long_conversation(rng, rng.randint(length // 40, max(length // 20, 2)), shares)
            else:
                drawn = data.conversation(rng, shares)
            drawn = encoder.conversation(drawn)
            if len(drawn[0]) <= room:
                return drawn
            if len(drawn[0]) <= length:
                waiting.append(drawn)
        return None

    for r in range(count):
        at, document = 0, 0
        while (found := fitting(length - at)) is not None:
            t, s = found
            n = len(t)
            tokens[r, at:at + n] = t
            targets[r, at:at + n - 1] = np.where(np.array(s[1:]) > 0, t[1:], -100)
            weights[r, at:at + n - 1] = s[1:]
            documents[r, at:at + n] = document
            place = np.arange(n) + rng.randint(0, 8000)
            if rng.random() < gap_share:
                begins = [i for i in range(1, n) if t[i] == encoder.ids["<|user|>"]]
                if begins:
                    place[rng.choice(begins):] += rng.randint(1, 4000)
            positions[r, at:at + n] = place
            at, document = at + n, document + 1
    return tokens, targets, weights, documents, positions
