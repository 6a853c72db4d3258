"""Measures the exported (quantised) model on prompts that training never sees, with greedy decoding."""

import torch
from tokenizers import Tokenizer

import data
import encoding
import quantise
import tools
from facts import FACTS
from model import Config, Phi3


def load(folder):
    import json
    import os

    with open(os.path.join(folder, "config.json")) as f:
        values = json.load(f)
    config = Config(**{k: values[k] for k in Config.__dataclass_fields__})
    return quantise.read(Phi3(config), folder).eval(), Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))


@torch.no_grad()
def answer(model, encoder, conversations, most=120):
    """Greedy answers to conversations that end with a user turn; prompts are padded on the left."""
    prompts = [encoder.prompt(turns) for turns in conversations]
    width, ends = max(map(len, prompts)), (encoder.ids["<|end|>"], encoder.ids["<|endoftext|>"])
    tokens = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    real = torch.tensor([[False] * (width - len(p)) + [True] * len(p) for p in prompts])
    places = (real.cumsum(1) - 1).clamp(min=0)
    caches = [{} for _ in model.model.layers]
    mask = (real[:, None, :] & torch.ones(width, width, dtype=torch.bool).tril()) | torch.eye(width, dtype=torch.bool)
    logits = model.lm_head(model.hidden(tokens, places, mask[:, None], caches)[:, -1])
    out, rows, place, ended = [[] for _ in prompts], torch.arange(len(prompts)), places[:, -1], set()
    for _ in range(most):
        chosen = logits.argmax(-1)
        for i, t in zip(rows.tolist(), chosen.tolist()):
            if t in ends:
                ended.add(i)
            elif i not in ended:
                out[i].append(t)
        if len(ended) == len(prompts):
            break
        still = torch.tensor([i not in ended for i in rows.tolist()])
        if still.float().mean() < 0.7:
            # Goes on with the unfinished rows alone.
            rows, chosen, place, real = rows[still], chosen[still], place[still], real[still]
            caches = [{name: value[still] for name, value in cache.items()} for cache in caches]
        place = place + 1
        real = torch.cat([real, torch.ones(len(rows), 1, dtype=torch.bool)], 1)
        logits = model(chosen[:, None], place[:, None], real[:, None, None, :], caches)[:, -1]
    return [encoder.tokenizer.decode(o, skip_special_tokens=False) + ("" if i in ended else " [no end]") for i, o in enumerate(out)]


def measure(model, encoder, name, conversations, show=3, size=100):
    """Every conversation ends with the expected answer; an answer counts when it is the same to the letter."""
    got = []
    for i in range(0, len(conversations), size):
        got += answer(model, encoder, [c[:-1] for c in conversations[i:i + size]])
    wrong = [(c[-2][1], g, c[-1][1]) for c, g in zip(conversations, got) if g != c[-1][1]]
    right = len(conversations) - len(wrong)
    print(f"{name:44} {right:5}/{len(conversations):<5} {100 * right / len(conversations):5.1f} %", flush=True)
    for question, g, expected in wrong[:show]:
        print(f"      {question[-90:]!r} -> {g[:90]!r}, not {expected[:90]!r}")
    return right / len(conversations)


def only(rng, held, generator, count, accept=lambda turns: True):
    found = []
    while len(found) < count:
        turns = generator(rng, held)
        if accept(turns):
            found.append(turns)
    return found


def with_system(rng, turns, size):
    return [("system", "You are a helpful assistant.\n" + data.statements(rng, size))] + turns


def report(folder, count=200):
    model, tokenizer = load(folder)
    encoder, rng = encoding.Encoder(tokenizer), data.make_rng(99)
    two = lambda r, h: data.arithmetic(r, h, digits=2)
    three = lambda r, h: data.arithmetic(r, h, digits=3)
    plus = lambda turns: "+" in turns[1][1]
    minus = lambda turns: "+" not in turns[1][1]
    run = lambda name, conversations, **more: measure(model, encoder, name, conversations, **more)
    run("two-digit addition, held-out pairs", only(rng, True, two, count, plus))
    run("two-digit subtraction, held-out pairs", only(rng, True, two, count, minus))
    run("three-digit addition, held-out pairs", only(rng, True, three, count, plus), show=1)
    run("three-digit subtraction, held-out pairs", only(rng, True, three, count, minus), show=1)
    run("repeat a phrase, held-out words", only(rng, True, data.repeat, count))
    run("spell, held-out words", only(rng, True, data.spell, count))
    run("questions on Pensieve, held-out phrasings", [[("user", q[-1]), ("assistant", a)] for a, q in FACTS], show=10)
    run("questions on Pensieve, trained phrasings", [[("user", q), ("assistant", a)] for a, qs in FACTS for q in qs[:-1]], show=4)
    run("memory, held-out names and numbers", only(rng, True, data.memory, count))
    run("greetings, thanks, goodbyes", only(rng, True, data.small_talk, count))
    run("anything else is declined", only(rng, True, data.unknown, count))
    mixed = lambda n, size: [with_system(rng, data.SKILLS[rng.choice(["arithmetic", "repeat", "spell", "fact", "memory"])](rng, True), size)
                             for _ in range(n)]
    run("any skill after a short system prompt", mixed(count // 2, 3))
    run("any skill after a system prompt of ~1k tokens", mixed(24, 60))
    report_tools(model, encoder, rng, count)
    return model, encoder, rng


def report_tools(model, encoder, rng, count):
    """Calls and answers with tools, arguments and results that training never sees."""
    run = lambda name, conversations, **more: measure(model, encoder, name, conversations, **more)

    def calls(draw, both=0.0, wanted=1):
        found = []
        while len(found) < count:
            given = draw()
            turns = tools.round_of(rng, True, given[:1] if both == 0 else given, both)
            if turns[1][1].count("<tool_call>") == wanted:
                rng.shuffle(given)
                found.append([("system", tools.listing(given))] + turns[:2])
        return found

    def told(draw):
        return [[("system", tools.listing(given := draw()))] + tools.round_of(rng, True, given) for _ in range(count)]

    made_up = lambda: tools.tool_set(rng, True, rng.randint(1, 4), made_up=True)
    known = lambda: tools.tool_set(rng, True, rng.randint(1, 4), known=True)
    unseen = lambda: tools.tool_set(rng, True, rng.randint(1, 4), unseen=True)
    run("call: unseen made-up tools", calls(made_up))
    run("call: known tools, unseen arguments", calls(known))
    run("call: real tools never trained on", calls(unseen))
    run("two calls in one answer", calls(made_up, 1.0, 2))
    run("answer from results", told(made_up))
    other = lambda given, absent: [("system", tools.listing(given))] + data.without_a_tool(rng, True, given, absent=absent)
    run("no tool fits: any other skill", [other(tools.tool_set(rng, True), 0) for _ in range(count)])
    run("no tool fits: asks for a missing tool", [other(tools.tool_set(rng, True), 1) for _ in range(count)])


def report_arithmetic(folder):
    """Every sum, difference and product that the model is said to know, with and without spaces."""
    model, tokenizer = load(folder)
    encoder, small = encoding.Encoder(tokenizer), range(100)
    kinds = [("+", lambda a, b: a + b, [(a, b) for a in small for b in small]), ("-", lambda a, b: a - b, [(a, b) for a in small for b in small]),
             ("-", lambda a, b: a - b, [(a, b) for a in range(100, 1000, 7) for b in range(0, 20)]),
             ("-", lambda a, b: a - b, [(100, b) for b in range(100)]),
             ("+", lambda a, b: a + b, [(a, b) for a in range(100, 1000, 7) for b in range(0, 20)]),
             ("*", lambda a, b: a * b, [(a, b) for a in range(11) for b in range(11)])]
    for sign, answer_of, pairs in kinds:
        signs = [sign] if sign != "*" else ["*", "x", "×", "times"]
        for shown in signs:
            for pattern in ["{a}{s}{b}", "{a} {s} {b}", "{a} {s}{b}", "{a}{s} {b}", "What is {a} {s} {b}?"]:
                if shown == "times" and " {s} " not in pattern:
                    continue
                asked = [[("user", pattern.format(a=a, b=b, s=shown)), ("assistant", f"{a} {sign} {b} = {answer_of(a, b)}")] for a, b in pairs]
                measure(model, encoder, f"{pairs[0]} to {pairs[-1]}, as {pattern.format(a='a', b='b', s=shown)}", asked, size=500)


def report_long(folder, sizes=(2000, 4000, 8000, 12000)):
    """Long prompts: finite logits, and the question at their end is still answered."""
    model, tokenizer = load(folder)
    encoder, rng = encoding.Encoder(tokenizer), data.make_rng(7)
    questions = ["What is 23 + 45?", "Repeat: lantern drapok forest", "Spell the word apple.", "What is the default port?", "Hello"]
    for size in sizes:
        for question in questions:
            count = 10
            while len(encoder.prompt([("system", filler := data.statements(rng, count)), ("user", question)])) < size:
                count = count * 5 // 4 + 5
            prompt = encoder.prompt([("system", filler), ("user", question)])
            with torch.no_grad():
                x = model.hidden(torch.tensor([prompt]), torch.arange(len(prompt))[None], None)
                finite = bool(torch.isfinite(model.lm_head(x)).all())
            said = answer_one(model, encoder, prompt)
            print(f"{len(prompt):6} tokens, finite {finite}: {question!r} -> {said!r}", flush=True)


@torch.no_grad()
def answer_one(model, encoder, prompt, most=60):
    caches, out = [{} for _ in model.model.layers], []
    logits = model.lm_head(model.hidden(torch.tensor([prompt]), torch.arange(len(prompt))[None], None, caches)[:, -1])
    for i in range(most):
        t = logits.argmax(-1).item()
        if t == encoder.ids["<|end|>"]:
            return encoder.tokenizer.decode(out)
        out.append(t)
        everything = torch.ones(1, 1, 1, len(prompt) + i + 1, dtype=torch.bool)
        logits = model(torch.tensor([[t]]), torch.tensor([[len(prompt) + i]]), everything, caches)[:, -1]
    return encoder.tokenizer.decode(out) + " [no end]"
