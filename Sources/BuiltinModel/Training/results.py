"""What tools return, and what is said of it."""

import json

from families import CITIES
from values import from_list, integer
from words import name, word

SENTENCES = ["It is {w} in {c}.", "The {w} is {v}.", "The weather in {c} is {w}, {d} degrees.", "{n} has {d} {w}s.", "The {w} of {c} is {d}.", "Sent the {w} to {n}.",
             "The {w} {v} was saved.", "Found {d} {w}s.", "It is {d}:{e} in {c}.", "{c} has a {w} {v}.", "The price is {d} dollars.", "{n} lives in {c}.",
             "Order {d} has been sent to {c}.", "There are {d} {w}s and {e} {v}s.", "I found the {w} near the {v}!", "Sunny, {e} degrees.", "It is sunny and {e} degrees."]
SHORT = ["{d}", "{d}", "{d}", "{e}.{d}", "-{e}", "{e}%", "{e}°C", "${d}.{e}", "{d} {w}", "{w}", "{w}", "{n}", "{c}", "{w} {v}", "{w}, {e} degrees", "{c}: {w}", "{c}: {e} degrees, {w}",
         "{e}:{e}", "2026-05-{e}", "{w} {v} {x}", "{w}.txt", "{e} km", "sunny", "Sunny", "rainy, {e} degrees", "{d} {w} {v} {x}", "true", "false", "{c}: {e}°F and {w}"]
FAILURES = ["no such {w}", "{c} not found", "the {w} is not there", "not found", "timeout", "unknown {w} {v}", "permission denied", "{w} failed", "cannot read {w}.txt", "invalid {w}",
            "The {w} was not found.", "No connection.", "{w} is required"]
DONE = ["ok", "OK", "Ok", "done", "Done", "Done.", "success", "null", "", "sent", "saved", "None"]
KEYS = "temperature sky wind city name price total count status size age color time date humidity unit result value weather condition location country id title wind_speed".split()


def fill(rng, held, template):
    return template.format(w=word(rng, held), v=word(rng, held), x=word(rng, held), n=name(rng, held), c=from_list(rng, held, CITIES, 0.4), d=integer(rng, held), e=rng.randint(10, 99))


def json_result(rng, held):
    if rng.random() < 0.12:
        values = [word(rng, held) if rng.random() < 0.6 else integer(rng, held) for _ in range(rng.randint(1, 4))]
        text = json.dumps(values)
        return text, f"The result is {text}."
    values = {}
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
        key = rng.choice(KEYS) if rng.random() < 0.6 else word(rng, held)
        values[key] = rng.choice([lambda: integer(rng, held), lambda: word(rng, held), lambda: name(rng, held), lambda: round(rng.random() * 100, 1),
                                  lambda: fill(rng, held, "{w} {v}"), lambda: rng.random() < 0.5, lambda: from_list(rng, held, CITIES, 0.4)])()
    told = [f"the {key.replace('_', ' ')} is {json.dumps(v) if isinstance(v, (bool, float, int)) else v}" for key, v in values.items()]
    text = json.dumps(values) if rng.random() < 0.7 else json.dumps(values, separators=(",", ":"))
    return text, told[0][0].upper() + ", ".join(told)[1:] + "."


def result(rng, held, brief=False):
    """(what a tool returns, what is said of it). A sentence is said as it is, anything else in a sentence."""
    kind = rng.random()
    if brief and rng.random() < 0.6:
        kind = rng.choice([0.5, 0.9])
    if kind < 0.33:
        text = fill(rng, held, rng.choice(SENTENCES))
        if rng.random() < 0.15:
            text += " " + fill(rng, held, rng.choice(SENTENCES))
        return text, text
    if kind < 0.62:
        text = fill(rng, held, rng.choice(SHORT))
        return text, f"The result is {text}."
    if kind < 0.80:
        return json_result(rng, held)
    if kind < 0.88:
        why = fill(rng, held, rng.choice(FAILURES))
        if rng.random() < 0.08:
            return rng.choice(["Error", "Error", "error"]), "Sorry, the tool failed."
        return rng.choice(["Error: ", "Error: ", "error: ", "ERROR: ", "Error: Error: ", "Error executing tool: "]) + why, f"Sorry, the tool failed: {why}" + ("" if why.endswith(".") else ".")
    if kind < 0.94:
        return rng.choice(DONE), "Done."
    lines = [fill(rng, held, rng.choice(["{w}", "{w}.txt", "{w} {v}", "{n}", "{c}", "{w}.py"])) for _ in range(rng.randint(2, 5))]
    return "\n".join(lines), f"The result is {', '.join(lines)}."
