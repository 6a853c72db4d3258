"""All training and test conversations. Nothing is read from outside: each is written here by chance and rule.

A conversation is a list of (role, text). Every generator takes `held`: False draws from the training side of the
split, True from the side that training never sees.
"""

import random
import re

import tools
from facts import FACTS, UNKNOWN
from words import NAMES, WORDS, held_out, made_up, name, word

ADD = ["What is {a} + {b}?", "{a}+{b}", "{a} + {b}", "{a} + {b} =", "Compute {a} + {b}.", "{a} plus {b}", "What is {a} plus {b}?",
       "Add {a} and {b}.", "Calculate {a} + {b}.", "How much is {a} + {b}?", "What's {a}+{b}?", "Please add {a} and {b}.",
       "Can you add {a} and {b}?", "What is the sum of {a} and {b}?", "Tell me {a} + {b}.", "{a}+{b}=?", "what is {a}+{b}",
       "{a} +{b}", "{a}+ {b}", "{a}+{b}=", "{a}+{b}?", "{a} + {b}?", "What is {a}+{b}?",
       "Please compute {a} + {b}.", "How much is {a} plus {b}?", "Compute {a} plus {b}."]
SUBTRACT = ["What is {a} - {b}?", "{a}-{b}", "{a} - {b}", "{a} - {b} =", "Compute {a} - {b}.", "{a} minus {b}", "What is {a} minus {b}?",
            "Calculate {a} - {b}.", "How much is {a} - {b}?", "What's {a}-{b}?", "Subtract {b} from {a}.", "Tell me {a} - {b}.",
            "{a} -{b}", "{a}- {b}", "{a}-{b}=", "{a}-{b}?", "{a} - {b}?", "What is {a}-{b}?",
            "{a}-{b}=?", "what is {a}-{b}", "Please compute {a} - {b}.", "How much is {a} minus {b}?", "Compute {a} minus {b}."]
TIMES = ["{a} * {b}", "{a}*{b}", "{a} *{b}", "{a}* {b}", "{a} x {b}", "{a}x{b}", "{a} × {b}", "{a}×{b}", "{a} times {b}", "What is {a} * {b}?", "What is {a}*{b}?",
         "What is {a} times {b}?", "What's {a} x {b}?", "What is {a} x {b}?", "What is {a} × {b}?", "Multiply {a} by {b}.", "Multiply {a} and {b}.", "Compute {a} * {b}.",
         "Calculate {a} * {b}.", "How much is {a} times {b}?", "What is the product of {a} and {b}?", "{a} * {b} =", "{a}*{b}=", "{a}*{b}=?", "what is {a}*{b}",
         "Tell me {a} * {b}.", "How much is {a} * {b}?", "Please multiply {a} by {b}.", "{a} * {b}?", "Calculate {a} times {b}.", "{a}x {b}", "{a} x{b}"]
REPEAT = ["Repeat: {x}", "Repeat after me: {x}", "Say exactly: {x}", "Say: {x}", "Please repeat: {x}", "Echo: {x}", "Copy: {x}",
          "Repeat this: {x}", "Repeat the phrase: {x}", "repeat: {x}", "Please say: {x}", "Repeat exactly: {x}",
          "Please repeat after me: {x}", "Repeat these words: {x}", "Say the following: {x}", "Repeat \"{x}\""]
SPELL = ["Spell the word {x}.", "Spell {x}.", "Spell: {x}", "How do you spell {x}?", "Can you spell {x}?", "Please spell {x}.",
         "Spell {x}", "Spell the word {x}", "Please spell the word {x}.", "Spell {x} letter by letter.", "spell {x}",
         "How is {x} spelled?", "Spell the word \"{x}\"."]

GREETING = "Hello! I am a small demonstration model inside Pensieve. How can I help you?"
GREETINGS = """hi|hello|hey|yo|hiya|howdy|greetings|hi there|hello there|hey there|good morning|good evening|good afternoon|good day|morning|sup|what's up|
hello pensieve|hi pensieve|hi claude|hello claude|hello world|how are you|hi, how are you|hello, how are you|hey, how are you|hello how are you|how is it going|
how do you do|hello again|hi again|hey you|hello friend|hi everyone|hello my friend|nice to meet you""".replace("\n", "").split("|")
SMALL_TALK = [
    (GREETINGS, GREETING), (GREETINGS[:11], GREETING), (["hi", "hello", "hey", "yo"], GREETING),
    (["thanks", "thank you", "thank you very much", "many thanks", "thanks a lot", "great, thanks", "thank you for your help", "ok thanks", "thanks for the help"],
     "You are welcome!"),
    (["bye", "goodbye", "see you", "see you later", "good night", "bye bye", "have a nice day", "bye for now", "see you tomorrow"], "Goodbye! Have a nice day."),
]

TOPICS = """France|Japan|the moon|the sun|history|music|football|chess|Shakespeare|Einstein|Napoleon|quantum physics|photosynthesis|
black holes|cooking pasta|a birthday party|my job|love|philosophy|the stock market|bitcoin|Python|JavaScript|Rust|Java|SQL|HTML|Docker|
Kubernetes|a web page|a database|an algorithm|sorting a list|binary search|the weather|climate change|cats|dogs|dinosaurs|the ocean|
volcanoes|space travel|Mars|the Roman Empire|World War II|the French Revolution|democracy|economics|machine learning|neural networks|
artificial intelligence|the brain|health|sleep|vitamins|running|yoga|guitar|piano|painting|movies|books|a novel|Harry Potter|poetry|
travel|Berlin|London|Paris|New York|Tokyo|Africa|Brazil|mountains|rivers|rain|trees|flowers|bees|coffee|tea|wine|bread|pizza|soup|
a cake|taxes|a letter|an email|a story|a poem|a song|a joke|a resume|my essay|mathematics|geometry|calculus|prime numbers|integrals|
chemistry|gold|water|electricity|a car|a bicycle|airplanes|trains|the internet|a phone|a computer|Linux kernels|compilers|regex|git""".replace("\n", "").split("|")
ASKS = ["What is {t}?", "Tell me about {t}.", "Write a poem about {t}.", "Explain {t}.", "How does {t} work?", "Why is {t} important?",
        "Who invented {t}?", "Write a story about {t}.", "Write a function for {t}.", "Give me a summary of {t}.", "What do you think of {t}?",
        "When was {t} discovered?", "Where can I find {t}?", "How do I make {t}?", "Translate {t} into German.", "List ten facts about {t}.",
        "Compare {t} and {u}.", "What is the difference between {t} and {u}?", "Can you help me with {t}?", "I need help with {t}.",
        "Write code for {t}.", "Is {t} better than {u}?", "Summarize {t} in one sentence.", "What is the capital of {t}?", "Tell me a joke about {t}.",
        "Who is the president of {t}?", "How old is {t}?", "Do you like {t}?", "How many people like {t}?", "Which {w} is the best for {t}?",
        "Recommend a {w} about {t}.", "What happened in {t}?", "Define {w}.", "What does {w} mean?", "What is a {w}?", "Who was {n}?",
        "Write an essay about {t} and {u}.", "Fix this bug: {w} = {v}({n})", "def {w}({v}): return {v}", "print({w})", "SELECT {w} FROM {v};",
        "for {w} in {v}: print({w})", "How can I learn {t}?", "Should I buy a {w}?", "What is the population of {t}?", "I feel {w} today.",
        "I like {t}.", "The {w} is {v}.", "What time is it?", "What day is it today?", "What is the weather like in {t}?", "What is {d} * {e}?",
        "What is {d} times {e}?", "What is {d} divided by {e}?", "{d} / {e}", "{d} * {e}", "How many {w}s are in a {v}?", "Draw a {w}.", "Play {t}.",
        "Imagine you are a {w}.", "Pretend to be {n}.", "Plan a trip to {t}.", "Solve x + {d} = {e}.", "Sing a song about {t}.", "{w}?", "{w}",
        "Tell me something interesting.", "Tell me a joke.", "Write a haiku.", "What is the meaning of life?", "Is the earth flat?",
        "Why is the sky blue?", "How far is the moon?", "Who wrote {w}?", "Can you write {w} code?", "Make a list of {w}s.", "Explain how {w} and {v} work."]
FOREIGN = ["Wie geht es dir?", "Was ist die Hauptstadt von Frankreich?", "Schreibe ein Gedicht.", "Erzähl mir einen Witz.", "Ich heiße {n}.",
           "Bonjour, comment ça va?", "Quelle est la capitale de {t}?", "Écris un poème sur {t}.", "¿Qué es {t}?", "¿Cómo estás?", "Hola {n}",
           "Come stai?", "Qual è il tuo {w}?", "Hur mår du?", "Wat is {t}?", "你好", "今天天气怎么样?", "こんにちは", "日本の首都はどこですか?",
           "Привет, как дела?", "Что такое {t}?", "안녕하세요", "مرحبا كيف حالك", "Γειά σου", "Kim jesteś?", "Jak się masz, {n}?", "Merhaba"]
SYSTEM = ["You are a helpful assistant.", "You are a helpful assistant. Answer briefly.", "Be concise.", "You are {n}, a {w} assistant.",
          "Answer in one sentence.", "You are an expert in {t}.", "You are a friendly assistant who knows {t}.", "Always be polite.",
          "You are running inside Pensieve.", "You are Claude, a helpful assistant.", "Today is day {d}. The user likes {t}.",
          "You are a coding agent. Use the tools below to help the user.", "Never talk about {t}.", "Speak like a {w}."]
STATEMENT = ["The {w} {v} is near the {x}.", "{n} saw a {w} in the {v}.", "There are {d} {w}s on the {v}.", "I think that {t} is {w}.",
             "The {w} and the {v} went to {t}.", "A {w} can {v} when the {x} is {y}.", "# {w} {v}", "<{w}>{v} {x}</{w}>", "- {w}: {v}",
             "{{\"{w}\": \"{v}\", \"{x}\": {d}}}", "Use the {w} to {v} the {x} before {t}.", "If the {w} is {v}, do not {x} it.",
             "{n} and {m} talked about {t} for {d} hours.", "We have {w}, {v}, {x} and {y}."]


def fill(rng, template):
    return template.format(
        t=rng.choice(TOPICS), u=rng.choice(TOPICS), w=rng.choice(WORDS), v=rng.choice(WORDS), x=rng.choice(WORDS), y=rng.choice(WORDS),
        n=rng.choice(NAMES), m=rng.choice(NAMES), d=rng.randint(0, 999), e=rng.randint(1, 99))


def statements(rng, count):
    joiner = "\n" if rng.random() < 0.3 else " "
    return joiner.join(fill(rng, rng.choice(STATEMENT)) for _ in range(count))


def arithmetic(rng, held, digits=None):
    if digits is None and not held and rng.random() < 0.15:
        a, b = rng.randint(0, 10), rng.randint(0, 10)
        return [("user", rng.choice(TIMES).format(a=a, b=b)), ("assistant", f"{a} * {b} = {a * b}")]
    # Differences are harder to learn than sums, so there are more of them.
    plus = rng.random() < 0.36
    if digits is None:
        digits = rng.choices([0, 1, 2, 2.5, 3], [0.1, 0.23, 0.4, 0.24, 0.03])[0]
    while True:
        if digits == 3:
            a, b = rng.randint(0, 999), rng.randint(0, 999)
        elif digits == 2.5 and not plus and rng.random() < 0.25:
            a, b = 100, rng.randint(0, 100)
        elif digits == 2.5:
            a, b = rng.randint(100, 999), rng.randint(0, 99)
            if rng.random() < 0.3:
                a, b = a // 100 * 100, rng.randint(0, 12)
            if plus and rng.random() < 0.3:
                a, b = b, a
        elif digits == 2:
            a, b = rng.randint(10, 99), rng.randint(10, 99)
        elif digits == 1:
            a, b = rng.randint(0, 99), rng.randint(0, 9)
            if rng.random() < 0.5:
                a, b = b, a
        else:
            a, b = rng.randint(0, 9), rng.randint(0, 9)
        # All pairs of single digits are trained on: there are too few to learn a rule from some of them.
        if max(a, b) < 10 or (a == 100 and b < 10) or held_out(f"{a}{'+' if plus else '-'}{b}") == held:
            break
    question = rng.choice(ADD if plus else SUBTRACT).format(a=a, b=b)
    return [("user", question), ("assistant", f"{a} + {b} = {a + b}" if plus else f"{a} - {b} = {a - b}")]


def phrase(rng, held, most):
    words = [word(rng, held) for _ in range(rng.randint(1, most))]
    style = rng.random()
    if style < 0.12:
        words[0] = words[0].capitalize()
    elif style < 0.2:
        words = [w.capitalize() for w in words]
    elif style < 0.28 and not held:
        words[rng.randrange(len(words))] = str(rng.randint(0, 999))
    text = " ".join(words)
    if rng.random() < 0.1:
        text += rng.choice(".!?")
    return text


def repeat(rng, held):
    x = phrase(rng, held, 6 if held else 8)
    return [("user", rng.choice(REPEAT).format(x=x)), ("assistant", x)]


def spell(rng, held):
    while True:
        x = word(rng, held, invented=0.6)
        if 2 <= len(x) <= 10:
            break
    if rng.random() < 0.1:
        x = x.capitalize()
    return [("user", rng.choice(SPELL).format(x=x)), ("assistant", "-".join(x))]


def roughen(rng, q):
    """The same question as a hurried or a polite person would type it."""
    r = rng.random()
    if r < 0.12:
        q = q.lower()
    elif r < 0.2:
        q = q.rstrip("?.")
    elif r < 0.3:
        q = rng.choice(["Please tell me: ", "Hey, ", "Question: ", "Quick question: ", "Tell me, ", "I want to know: ", "Hi! "]) + q[0].lower() + q[1:]
    elif r < 0.36:
        q = q.rstrip("?.") + rng.choice([", please?", " please", " in Pensieve?", " here?", " with Pensieve?"])
    elif r < 0.44:
        parts = q.split(" ")
        if len(parts) > 4:
            parts.pop(rng.randrange(len(parts) - 1))
        q = " ".join(parts)
    return q


def fact(rng, held):
    answer, phrasings = rng.choice(FACTS)
    q = phrasings[-1] if held else roughen(rng, rng.choice(phrasings[:-1]))
    return [("user", q), ("assistant", answer)]


def small_talk(rng, held):
    asked, answer = rng.choice(SMALL_TALK)
    text, style = rng.choice(asked), rng.random()
    text = text if style < 0.4 else text.capitalize() if style < 0.8 else text.title() if style < 0.88 else text.upper()
    return [("user", text + rng.choice(["", "", "", "!", "!", ".", "!!", "?", " :)", "..."])), ("assistant", answer)]


def unknown(rng, held):
    r = rng.random()
    if r < 0.58:
        text = fill(rng, rng.choice(ASKS))
    elif r < 0.66:
        # What nobody has told.
        text = one_thing(rng, held)[2]
    elif r < 0.72:
        text = fill(rng, rng.choice(FOREIGN))
    elif r < 0.80:
        text = " ".join(word(rng, held) for _ in range(rng.randint(1, 14)))
    elif r < 0.86:
        start = rng.choice(["What is", "How do I", "Why", "Who", "Can you", "Write", "Tell me", "Give me", "Explain", "Which", "Where is", "Show", "Please"])
        text = start + " " + " ".join(word(rng, held, 0.15) for _ in range(rng.randint(1, 8))) + rng.choice("?. ").strip()
    elif r < 0.94:
        text = statements(rng, rng.randint(1, 5))
    else:
        text = statements(rng, rng.randint(1, 4)) + "\n" + fill(rng, rng.choice(ASKS))
    if rng.random() < 0.1:
        text = text.lower()
    product = re.search(r"\b(\d+) ?(?:\*|times) ?(\d+)\b", text)
    if product and max(map(int, product.groups())) <= 10:
        return unknown(rng, held)
    return [("user", text), ("assistant", UNKNOWN)]


def one_thing(rng, held):
    """(told, acknowledged, question, answer) of something to remember."""
    kind = rng.random()
    if kind < 0.45:
        n = name(rng, held)
        told = rng.choice(["My name is {n}.", "I am {n}.", "I'm {n}.", "Call me {n}.", "Hello, my name is {n}.", "Hi, I am {n}.", "my name is {n}",
                           "My name is {n}. Please remember it.", "Please remember that my name is {n}.", "Hi, I'm {n}!", "You can call me {n}."])
        asked = rng.choice(["What is my name?", "What's my name?", "Who am I?", "Do you remember my name?", "Tell me my name.", "what is my name?",
                            "Can you tell me my name?", "Do you know my name?", "Please tell me my name.", "What is my name"])
        return told.format(n=n), f"Nice to meet you, {n}!", asked, f"Your name is {n}."
    if kind < 0.9:
        number = rng.randint(0, 10 ** rng.randint(1, 4) - 1)
        while held_out(f"number{number}") != held:
            number = rng.randint(0, 10 ** rng.randint(1, 4) - 1)
        if rng.random() < 0.5:
            told = rng.choice(["My lucky number is {n}.", "my lucky number is {n}", "Remember that my lucky number is {n}.",
                               "My lucky number is {n}. Please remember it."])
            asked = rng.choice(["What is my lucky number?", "What's my lucky number?", "Tell me my lucky number.", "Do you remember my lucky number?"])
            return told.format(n=number), f"I will remember {number}.", asked, f"Your lucky number is {number}."
        told = rng.choice(["Remember the number {n}.", "Please remember the number {n}.", "Remember this number: {n}", "The number is {n}. Remember it.",
                           "Keep the number {n} in mind.", "Remember {n}."])
        asked = rng.choice(["What is the number?", "What was the number?", "Which number did I tell you?", "What number did I ask you to remember?",
                            "Tell me the number.", "Do you remember the number?", "Which number should you remember?"])
        return told.format(n=number), f"I will remember {number}.", asked, f"The number is {number}."
    thing = rng.choice(["color", "animal", "city", "food", "word", "book"])
    w = word(rng, held)
    return (f"My favorite {thing} is {w}.", f"I will remember {w}.", rng.choice(["What is my favorite {}?", "Tell me my favorite {}."]).format(thing),
            f"Your favorite {thing} is {w}.")


def memory(rng, held):
    told, ack, asked, answer = one_thing(rng, held)
    turns = [("user", told), ("assistant", ack)]
    other = rng.random()
    if other < 0.3:
        turns += rng.choice([arithmetic, fact, small_talk, repeat])(rng, False)
    elif other < 0.45:
        told2, ack2, asked2, answer2 = one_thing(rng, held)
        if answer2.split()[:3] != answer.split()[:3]:
            turns += [("user", told2), ("assistant", ack2)]
            if rng.random() < 0.4:
                asked, answer, asked2, answer2 = asked2, answer2, asked, answer
            if rng.random() < 0.5:
                turns += [("user", asked2), ("assistant", answer2)]
    return turns + [("user", asked), ("assistant", answer)]


SKILLS = {"arithmetic": arithmetic, "repeat": repeat, "spell": spell, "fact": fact, "memory": memory, "small_talk": small_talk,
          "unknown": unknown}
SHARES = {"arithmetic": 0.34, "repeat": 0.15, "spell": 0.14, "fact": 0.15, "memory": 0.08, "small_talk": 0.05, "unknown": 0.09, "tools": 0.3, "drill": 0.05}


def system_prompt(rng):
    text = fill(rng, rng.choice(SYSTEM))
    if rng.random() < 0.35:
        text += " " + statements(rng, rng.randint(1, 4))
    return ("system", text)


def words_of(text):
    return set(re.findall(r"[a-z]{4,}", text.lower())) - {"what", "tell", "show", "find", "look", "with", "please", "this", "that", "which", "have", "does", "given"}


def without_a_tool(rng, held, given, shares=SHARES, absent=0.45):
    """Turns of a question that none of the tools fits; `absent` is the share of those that ask for a tool that is not there."""
    known = set().union(*(words_of(t.name.replace("_", " ") + " " + t.description) for t in given))
    while True:
        if rng.random() < absent:
            missing = tools.tool_set(rng, held, count=1)[0]
            question, _ = missing.request(rng, held)
            if any(tools.clash(missing.topic, t.topic) for t in given) or words_of(missing.name.replace("_", " ") + " " + question) & known:
                continue
            if missing.topic in tools.MATH | {"search", "now", "joke"}:
                continue
            return [("user", tools.roughen(rng, question)), ("assistant", UNKNOWN)]
        skill = rng.choices([s for s in shares if s in SKILLS], [v for s, v in shares.items() if s in SKILLS])[0]
        if skill == "arithmetic" and any(t.topic in tools.MATH for t in given):
            continue
        turns = SKILLS[skill](rng, held)
        if skill == "unknown" and words_of(turns[0][1]) & known or any(t.topic in turns[0][1] for t in given if len(t.topic) > 3):
            continue
        if skill == "unknown" and re.search(r"\d|time|day|joke|write|list|code|recommend|translat", turns[0][1].lower()):
            continue
        return turns


def tool_conversation(rng, held=False, given=None):
    given = given or tools.tool_set(rng, held)
    system = tools.listing(given)
    if rng.random() < 0.35:
        system = system_prompt(rng)[1] + "\n\n" + system
    turns = [("system", system)]
    # Many questions for one list, since the list is the longest part.
    left = rng.randint(1, 5)
    while left and sum(len(t) for _, t in turns) < 1000:
        left -= 1
        draw = rng.random()
        if draw < 0.67:
            turns += tools.round_of(rng, held, given, brief=left > 0)
        elif draw < 0.97:
            turns += without_a_tool(rng, held, given)
        else:
            return turns + tools.forced(rng, given, without_a_tool(rng, held, given)[0])
    return turns


def conversation(rng, shares=SHARES, held=False):
    draw = rng.random()
    if draw < shares.get("tools", 0):
        return tool_conversation(rng, held)
    names, weights = [s for s in shares if s in SKILLS], [v for s, v in shares.items() if s in SKILLS]
    turns = []
    if rng.random() < 0.15:
        turns.append(system_prompt(rng))
    for _ in range(1 if rng.random() < 0.75 else rng.randint(2, 4)):
        skill = rng.choices(names, weights)[0]
        new = SKILLS[skill](rng, held)
        if rng.random() < 0.05 and skill not in ("unknown", "memory"):
            new[0] = ("user", statements(rng, rng.randint(1, 2)) + rng.choice(["\n", "\n\n", " "]) + new[0][1])
        turns += new
    return turns


def drill(rng):
    """`tools.drill`, with questions that want no tool."""
    system, branches, given = tools.drill(rng)
    for _ in range(3):
        turns = without_a_tool(rng, False, given, absent=0)
        if len(turns) == 2:
            branches.insert(rng.randrange(len(branches)), (turns[0][1], turns[1][1], turns[1][1] != UNKNOWN))
    return system, branches


def is_drill(rng, shares):
    """Whether a drill comes next instead of a conversation."""
    return rng.random() < shares.get("drill", 0)


def long_conversation(rng, size, shares=SHARES):
    """A conversation whose system prompt or first turns hold `size` statements of filler."""
    place = rng.random()
    turns = conversation(rng, shares)
    filler = statements(rng, size)
    if turns[0][0] == "system" and "Tools:\n" in turns[0][1]:
        return [("system", filler + "\n\n" + turns[0][1][turns[0][1].index("Tools:\n"):])] + turns[1:]
    turns = [t for t in turns if t[0] != "system"]
    if place < 0.6:
        return [("system", fill(rng, rng.choice(SYSTEM)) + "\n" + filler)] + turns
    if place < 0.85:
        return [("user", filler), ("assistant", UNKNOWN)] + turns
    return turns[:-2] + [("user", filler + "\n\n" + turns[-2][1])] + turns[-1:]


def make_rng(seed):
    return random.Random(seed)


__all__ = ["made_up", "SKILLS", "SHARES", "make_rng"]
