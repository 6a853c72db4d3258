"""Values of tools' parameters, on either side of the split."""

from families import CITIES, COMMANDS, CURRENCIES, DAYS, EXTENSIONS, LANGUAGES, ROOMS, UNITS
from words import held_out, name, word


def from_list(rng, held, values, invented=0.0):
    """One of a list on the asked side of the split, or, where the list has none there, a made-up name."""
    for _ in range(20):
        value = rng.choice(values)
        if rng.random() < invented:
            break
        if held_out(value.lower()) == held:
            return value
    return name(rng, held)


def phrase(rng, held, low=1, high=3):
    return " ".join(word(rng, held) for _ in range(rng.randint(low, high)))


def identifier(rng, held):
    style = rng.random()
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 5)))
    if style < 0.4:
        return digits
    if style < 0.7:
        return rng.choice("ABCDEFGHKLMNPRSTXYZ") + rng.choice(["", "-"]) + digits
    return rng.choice(["ord", "id", "user", "item", "no", word(rng, held)]) + rng.choice("-_") + digits


def path(rng, held):
    file = word(rng, held) + "." + rng.choice(EXTENSIONS)
    style = rng.random()
    if style < 0.55:
        return file
    if style < 0.8:
        return word(rng, held) + "/" + file
    return rng.choice(["/tmp/", "./", "/home/", "src/", "docs/"]) + file


def command(rng, held):
    return rng.choice(COMMANDS).format(w=word(rng, held), v=word(rng, held), e=rng.choice(EXTENSIONS))


def email(rng, held):
    user = name(rng, held).lower() if rng.random() < 0.7 else word(rng, held)
    return user + "@" + rng.choice(["example.com", "example.org", word(rng, held) + ".com", word(rng, held) + ".org"])


def expression(rng, held):
    operator = rng.choice(["+", "-", "*", "/", "*"])
    space = rng.choice(["", " "])
    text = f"{rng.randint(0, 999)}{space}{operator}{space}{rng.randint(1, 99)}"
    if rng.random() < 0.15:
        text = f"({text}){space}{rng.choice('*/+-')}{space}{rng.randint(2, 12)}"
    return text


def integer(rng, held):
    while True:
        value = rng.randint(0, 10 ** rng.randint(1, 4) - 1)
        if value < 10 or held_out(f"number{value}") == held:
            return value


def number(rng, held):
    return integer(rng, held) if rng.random() < 0.75 else round(rng.random() * 10 ** rng.randint(1, 3), rng.randint(1, 2))


VALUES = {
    "city": lambda r, h: from_list(r, h, CITIES, 0.4), "person": lambda r, h: name(r, h) + (" " + name(r, h) if r.random() < 0.15 else ""),
    "word": lambda r, h: word(r, h), "phrase": phrase, "text": lambda r, h: phrase(r, h, 1, 4), "int": integer, "number": number,
    "small": lambda r, h: r.randint(1, 99), "id": identifier, "path": path, "command": command, "email": email, "expression": expression,
    "folder": lambda r, h: r.choice([word(r, h), "/" + word(r, h), "/tmp/" + word(r, h), word(r, h) + "/" + word(r, h), "."]) if not h else word(r, h) + "/" + word(r, h),
    "currency": lambda r, h: r.choice(CURRENCIES), "unit": lambda r, h: r.choice(UNITS), "language": lambda r, h: r.choice(LANGUAGES),
    "room": lambda r, h: r.choice(ROOMS), "time": lambda r, h: r.choice([f"{r.randint(0, 23)}:{r.randint(0, 59):02}", f"{r.randint(1, 12)} am", f"{r.randint(1, 12)} pm", "noon"]),
    "date": lambda r, h: r.choice(DAYS + [f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}"] * 4),
}
