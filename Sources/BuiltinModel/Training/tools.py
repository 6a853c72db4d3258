"""Conversations with tools: a list of tools in the system turn, questions, calls, results and what is said of them."""

import json
import re

from families import FAMILIES, UNSEEN
from facts import UNKNOWN
from results import result
from values import VALUES, number
from words import word

class Tool:
    """A tool, and the questions that ask for it."""

    def __init__(self, name, description, parameters, asks, topic):
        # parameters: (name, kind of value, type, enum values or None, required)
        self.name, self.description, self.parameters, self.asks, self.topic = name, description, parameters, asks, topic
        self.order = list(range(len(parameters)))

    def definition(self):
        properties = {}
        for i in self.order:
            key, _, kind, values, _ = self.parameters[i]
            properties[key] = {"type": "string", "enum": values} if values else {} if kind == "any" else {"type": kind}
        schema = {"type": "object", "properties": properties, "required": [self.parameters[i][0] for i in self.order if self.parameters[i][4]]}
        function = {"name": self.name, "parameters": schema}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}

    def line(self):
        """What chat_template.jinja writes for it."""
        shown = []
        for i in self.order:
            key, _, kind, values, required = self.parameters[i]
            kind = "|".join(json.dumps(v, ensure_ascii=False) for v in values) if values else kind
            shown.append(f"{key}{'' if required else '?'}: {kind}")
        return f"- {self.name}({', '.join(shown)})" + (f": {self.description}" if self.description else "")

    def call(self, arguments):
        return call_text(self.name, {self.parameters[i][0]: arguments[i] for i in self.order if i in arguments})

    def fallback(self, i):
        """What stands for a value that nobody named."""
        _, _, kind, values, _ = self.parameters[i]
        return values[0] if values else {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}.get(kind, "unknown")

    def request(self, rng, held):
        """(question, arguments by number)"""
        if self.parameters and rng.random() < 0.07:
            return self.named_request(rng, held)
        ask = rng.choice(self.asks)
        arguments = self.draw(rng, held, {int(i) for i in re.findall(r"\{(\d)\}", ask)})
        shown = {f"name{i}": p[0].replace("_", " ") for i, p in enumerate(self.parameters)}
        return ask.format(*[arguments.get(i, "") for i in range(len(self.parameters))], **shown), self.complete(arguments)

    def draw(self, rng, held, wanted):
        arguments = {}
        for i in sorted(wanted):
            _, kind, type, values, _ = self.parameters[i]
            if values:
                arguments[i] = rng.choice(values)
            else:
                value = VALUES[kind](rng, held)
                if type == "number" and kind == "int" and rng.random() < 0.35:
                    value = number(rng, held)
                while value in arguments.values() and kind not in ("int", "small"):
                    value = VALUES[kind](rng, held)
                arguments[i] = value
        return arguments

    def complete(self, arguments):
        for i, (_, _, _, _, required) in enumerate(self.parameters):
            if required and i not in arguments:
                arguments[i] = self.fallback(i)
        return arguments

    def named_request(self, rng, held):
        """A question that names the tool, and perhaps the parameters."""
        wanted = {i for i, p in enumerate(self.parameters) if p[4] or rng.random() < 0.5}
        arguments = self.draw(rng, held, wanted)
        parts = [f"{self.parameters[i][0]} {arguments[i]}" for i in self.order if i in arguments]
        if len(parts) == 1 and rng.random() < 0.5:
            return rng.choice(["Use {} for {}.", "Call {} with {}.", "Use the tool {} with {}", "Please call {} for {}"]).format(self.name, *arguments.values()), arguments
        told = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
        return rng.choice(["Use {} with {}.", "Call {} with {}.", "Use the {} tool with {}", "Please call {} with {}."]).format(self.name, told), arguments


def call_text(name, arguments):
    return f"<tool_call>{name}\n{json.dumps(arguments, ensure_ascii=False)}</tool_call>"


def known_tool(rng, topic, family):
    parameters = []
    for names, kind, type in family["parameters"]:
        key = rng.choice(names.split("|"))
        required = not key.endswith("?") and "?" not in names
        key = key.rstrip("?")
        if kind == "enum":
            values = type.split("|")
            if values == ["celsius", "fahrenheit"] and rng.random() < 0.3:
                values = ["c", "f"]
                required = rng.random() < 0.6
            parameters.append((key, kind, "string", values, required))
        else:
            parameters.append((key, kind, rng.choice(type.split("|")), None, required))
    asks = family["asks"]
    if len(parameters) > 1 and not parameters[-1][4] and rng.random() < 0.5:
        # Without its last, optional parameter.
        parameters.pop()
        asks = [a for a in asks if f"{{{len(parameters)}}}" not in a]
    tool = Tool(rng.choice(family["names"].split()), rng.choice(family["descriptions"]), parameters, asks, topic)
    if family.get("shuffle") and rng.random() < 0.4:
        tool.order.reverse()
    return tool


# A parameter's names, kind and type for tools that are made up.
FIELDS = [("city location place town country", "city", "string"), ("name user person customer owner author", "person", "string"),
          ("word item product title topic key color label team planet animal", "word", "string"), ("title subject phrase text note", "phrase", "string"),
          ("id order_id code number_id ref", "id", "string"), ("number count size level age limit amount year id", "int", "integer"),
          ("value weight price score ratio", "number", "number"), ("path file filename", "path", "string"), ("email address", "email", "string"),
          ("date day", "date", "string")]
GET_NAMES = ["get_{n}", "get_{n}", "find_{n}", "lookup_{n}", "fetch_{n}", "{n}_lookup", "{n}", "read_{n}", "{n}_of", "show_{n}", "get-{n}", "get{N}", "check_{n}"]
GET_DESCRIPTIONS = ["Get the {n} of a {p}.", "Returns the {n} for a {p}.", "Look up the {n} of the given {p}.", "Finds the {n} of one {p}.", "Get the {n} for a {p}",
                    "The {n} of a {p}.", "Tells the {n} of a {p}."]
GET_ASKS = ["What is the {n} of {0}?", "What is the {n} for {0}?", "Tell me the {n} of {0}.", "Get the {n} of {0}.", "Find the {n} for {0}.", "Look up the {n} of {0}.",
            "{n} of {0}?", "Show the {n} of {0}", "I need the {n} of {0}.", "Can you find the {n} of {0}?", "What's the {n} of {0}?", "Get me the {n} for {0}",
            "What is the {n} of {p} {0}?", "Which {n} has {0}?", "What {n} does {0} have?"]
PAIRS = ["start end", "origin destination", "from to", "source target", "first second", "old new", "left right"]
PAIR_ASKS = ["What is the {n} from {0} to {1}?", "Get the {n} from {0} to {1}.", "{n} from {0} to {1}?", "Find the {n} between {0} and {1}.", "{n} from {0} to {1}",
             "What is the {n} between {0} and {1}?", "Show the {n} of {0} and {1}."]
VERBS = "create make open close start stop build clean paint move count check send order book cancel print scan lock unlock update save publish test sort pack".split()
DO_ASKS = ["{v} the {n} {0}.", "{v} {n} {0}", "Please {v} the {n} {0}.", "Can you {v} the {n} {0}?", "{v} the {n} called {0}.", "I want to {v} the {n} {0}."]


def new_parameter(rng, used, held):
    while True:
        names, kind, type = rng.choice(FIELDS)
        key = rng.choice(names.split())
        if rng.random() < 0.12:
            key, kind, type = word(rng, held), "word", "string"
        if key not in used:
            return (key, kind, type, None, True)


def noun(rng, held):
    return word(rng, held, invented=0.35)


def made_up_tool(rng, held):
    """A tool with a name and a description that were never seen; the words of the question decide."""
    style, n = rng.random(), noun(rng, held)
    opaque = rng.random() < 0.12
    if style < 0.48:
        parameter = new_parameter(rng, [n], held)
        shown = parameter[0].replace("_", " ")
        called = rng.choice(GET_NAMES).format(n=n, N=n.capitalize()) if not opaque else word(rng, held) + rng.choice(["", "_tool", "_1"])
        description = rng.choice(GET_DESCRIPTIONS).format(n=n, p=shown) if opaque or rng.random() < 0.88 else ""
        return Tool(called, description, [parameter], [a.replace("{n}", n).replace("{p}", shown) for a in GET_ASKS], n)
    verb = rng.choice(VERBS)
    if style < 0.64:
        parameter = new_parameter(rng, [n], held)
        asks = [a.replace("{n}", n).replace("{v}", verb) for a in DO_ASKS]
        description = rng.choice(["{v} a {n}.", "{v} the given {n}.", "{v} one {n} by its {p}"]).format(v=verb.capitalize(), n=n, p=parameter[0].replace("_", " "))
        return Tool(word(rng, held) if opaque else f"{verb}_{n}", description, [parameter], [a[0].upper() + a[1:] for a in asks], n)
    if style < 0.71:
        target, value = new_parameter(rng, [n, "value"], held), ("value", "small", "integer", None, True)
        asks = [f"Set the {n} of {{0}} to {{1}}.", f"Change the {n} of {{0}} to {{1}}.", f"Set the {n} of {{0}} to {{1}}", f"Make the {n} of {{0}} {{1}}."]
        return Tool(rng.choice([f"set_{n}", f"change_{n}", f"update_{n}"]), rng.choice([f"Set the {n} of a {target[0]}.", f"Changes the {n}."]), [target, value], asks, n)
    if style < 0.80:
        kind = rng.choice(["city", "person", "word"])
        pair = [(key, kind, "string", None, True) for key in rng.choice(PAIRS).split()]
        description = rng.choice(["Get the {n} between two {k}s.", "Returns the {n} from one {k} to another.", "Get the {n}."]).format(n=n, k=kind)
        return Tool(rng.choice(["get_{n}", "{n}", "find_{n}"]).format(n=n), description, pair, [a.replace("{n}", n) for a in PAIR_ASKS], n)
    if style < 0.86:
        asks = rng.choice([[f"Get the {n}.", f"What is the {n}?", f"Show me the {n}.", f"{n}?", f"Tell me the {n}"], [f"{verb.capitalize()} the {n}.", f"{verb} the {n}", f"Please {verb} the {n}."]])
        called = f"get_{n}" if asks[0].startswith("Get") else f"{verb}_{n}"
        return Tool(called, asks[0] if rng.random() < 0.8 else "", [], asks, n)
    return tool_with_fields(rng, held, verb, n)


def tool_with_fields(rng, held, verb, n):
    """Several parameters, each named in the question."""
    parameters, used = [], [n]
    for _ in range(rng.choice([1, 2, 2, 2, 2, 3, 3])):
        r = rng.random()
        if r < 0.13:
            key, values = rng.choice(["mode", "state", "size", "kind", "style"]), []
            while len(values) < rng.randint(2, 4):
                values.append(word(rng, held))
            values = list(dict.fromkeys(values))
            parameter = (key, "enum", "string", values, rng.random() < 0.6)
        elif r < 0.17:
            parameter = (rng.choice(["verbose", "force", "active", "public"]), "flag", "boolean", None, True)
        elif r < 0.21:
            parameter = (rng.choice(["tags", "names", "items", "words"]), "list", "array", None, True)
        else:
            parameter = new_parameter(rng, used, held)
            parameter = (*parameter[:4], rng.random() < 0.8)
        if parameter[0] not in used:
            parameters.append(parameter)
            used.append(parameter[0])
    description = rng.choice(["{v} a {n}.", "{v} a new {n}.", "{v} the {n}.", "Tool to {w} a {n}"]).format(v=verb.capitalize(), w=verb, n=n)
    return FieldTool(f"{verb}_{n}", description, parameters, [f"{verb} a {n}", f"{verb} the {n}", f"Please {verb} a {n}", f"{verb} a new {n}"], n)


class FieldTool(Tool):
    def request(self, rng, held):
        wanted = [i for i, p in enumerate(self.parameters) if p[4] or rng.random() < 0.5]
        arguments = {}
        for i in wanted:
            _, kind, _, values, _ = self.parameters[i]
            arguments[i] = (rng.choice(values) if values else rng.random() < 0.5 if kind == "flag" else
                            [word(rng, held) for _ in range(rng.randint(1, 3))] if kind == "list" else VALUES[kind](rng, held))
        told = list(arguments)
        if rng.random() < 0.25:
            rng.shuffle(told)
        parts = [f"{self.parameters[i][0].replace('_', ' ')} {shown(arguments[i])}" for i in told]
        question = rng.choice(self.asks)
        question = question[0].upper() + question[1:] if rng.random() < 0.8 else question
        if len(parts) > 1 and rng.random() < 0.2:
            question += f" for {shown(arguments[told[0]])}"
            parts.pop(0)
        if parts:
            question += " with " + (", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0])
        return question + rng.choice([".", ".", ""]), arguments


def shown(value):
    if isinstance(value, bool):
        return json.dumps(value)
    return " ".join(value) if isinstance(value, list) else str(value)


MATH = {"add", "subtract", "multiply", "divide", "calculate"}
NEAR = [MATH, {"weather", "forecast"}, {"time", "now"}, {"email", "message"}, {"search", "user", "define"}, {"write_file", "note"}, {"timer", "alarm", "reminder"},
        {"price", "currency", "unit"}, {"translate", "define"}, {"weather", "temperature"}, {"music", "run"}, {"calculate", "unit", "currency", "price", "add", "translate"},
        {"read_file", "list_files", "run", "summary", "grep"}, {"search", "stock_news", "movie", "book", "recipe", "user", "define"}, {"user", "age", "book", "call"}, {"route", "flight", "distance"},
        {"write_file", "delete_file", "copy_file"}, {"search", "grep"}, {"now", "joke"}, {"price", "stock"}, {"invoice", "pay", "message", "email"}, {"temperature", "volume"},
        {"hotel", "restaurant"}, {"movie", "music"}, {"calculate", "square", "tax"}, {"order", "ping"}, {"note", "ticket", "commit"}, {"population", "score", "age"}]
# Of these, two at once can be told apart by the question.
APART = [{"add", "subtract"}, {"add", "multiply"}, {"multiply", "divide"}, {"subtract", "divide"}, {"read_file", "list_files"}, {"email", "message"}, {"timer", "alarm"}]


def clash(one, other):
    pair = {one, other}
    return one == other or (any(pair <= near for near in NEAR) and not any(pair <= apart for apart in APART))


def tool_set(rng, held, count=None, made_up=False, known=False, unseen=False):
    """One to four tools that a question can be told apart by; the first is of the wanted sort, if one is wanted."""
    count = count or rng.choices([1, 2, 3, 4, 5, 7], [0.14, 0.25, 0.27, 0.29, 0.03, 0.02])[0]
    tools = []
    while len(tools) < count:
        families = UNSEEN if unseen and not tools else FAMILIES
        if not tools and made_up:
            tool = made_up_tool(rng, held)
        elif not tools and (unseen or known) or rng.random() < 0.5:
            topic = rng.choice(list(families))
            tool = known_tool(rng, topic, families[topic])
        else:
            tool = made_up_tool(rng, held)
        if not any(clash(tool.topic, t.topic) or t.name == tool.name for t in tools):
            tools.append(tool)
    return tools


def listing(tools):
    return "Tools:\n" + "\n".join(t.line() for t in tools)


def roughen(rng, question):
    r = rng.random()
    if r < 0.07:
        return question.rstrip("?.")
    if r < 0.13:
        return rng.choice(["Please tell me: ", "Hey, ", "Question: ", "Hi! ", "Hello. ", "Now: ", "And then: "]) + question
    if r < 0.17:
        return question[0].lower() + question[1:]
    return question


def round_of(rng, held, tools, both=0.14, brief=False):
    """Turns of one question: the call or calls, the results, what is said of them."""
    tool = rng.choice(tools)
    question, arguments = tool.request(rng, held)
    question, calls = roughen(rng, question), [tool.call(arguments)]
    if rng.random() < both and arguments:
        first = arguments[0] if 0 in arguments else None
        second = tool.draw(rng, held, {0}).get(0) if len(tool.parameters) == 1 and type(tool) is Tool else None
        if second is not None and first != second and question.count(str(first)) == 1 and isinstance(first, str) and tool.parameters[0][1] not in ("text", "phrase", "command"):
            joiner = rng.choice([" and ", " and ", " and in " if f" in {first}" in question else " and "])
            question, calls = question.replace(first, first + joiner + second), calls + [tool.call({0: second})]
        elif len(tools) > 1:
            other = rng.choice(tools)
            if other is not tool:
                more, arguments = other.request(rng, held)
                question = question.rstrip("?.") + rng.choice([" and ", " and ", ", and then "]) + more[0].lower() + more[1:]
                calls.append(other.call(arguments))
    results = [result(rng, held, brief) for _ in calls]
    turns = [("user", question), ("assistant", "\n".join(calls))] + [("tool", r) for r, _ in results]
    return turns + [("assistant", " ".join(said for _, said in results))]


def terse_tool(rng, verb):
    """A tool that has mostly one parameter or none, and seldom a description."""
    n = noun(rng, False)
    if rng.random() < 0.2:
        return tool_with_fields(rng, False, verb if verb in VERBS else rng.choice(VERBS), n)
    parameter = [] if rng.random() < 0.35 else [new_parameter(rng, [n], False)]
    if verb is None and rng.random() < 0.5:
        verb = rng.choice(VERBS)
    if verb:
        called = f"{verb}_{n}"
        asks = [a.replace("{n}", n).replace("{v}", verb) for a in DO_ASKS] if parameter else [f"{verb} {n}", f"{verb} the {n}.", f"Please {verb} the {n}.", f"Can you {verb} a {n}?"]
        asks = [a[0].upper() + a[1:] for a in asks]
        description = f"{verb.capitalize()} the {n}."
    else:
        called = rng.choice(GET_NAMES).format(n=n, N=n.capitalize())
        asks = ([a.replace("{n}", n) for a in GET_ASKS if "{p}" not in a] + [f"{n} {{0}}"] if parameter else
                [f"get {n}", f"Get the {n}.", f"What is the {n}?", n, f"{n}?", f"The {n}, please.", f"Show me the {n}", f"Find the {n}."])
        description = rng.choice(GET_DESCRIPTIONS).format(n=n, p=parameter[0][0]) if parameter else f"Get the {n}."
    return Tool(called, "" if rng.random() < 0.6 else description, parameter, asks, n)


# Words of tools' names and descriptions that say nothing of what a tool is for.
COMMON = set("get the for and from with one some into another given find finds look lookup check set send create make show tell tells returns new add its what how many".split()) | set(VERBS)


def drill(rng):
    """(system turn, branches, tools): a list of terse tools and many questions for it, each seen with the list alone. Here choosing
    the tool is nearly all there is to learn. A branch is (question, answer, whether the answer is learned to its end)."""
    tools, verb = [], rng.choice(["get", "find", "show", "check", "open", "make", "read", "count"])
    same = rng.random() < 0.5
    for _ in range(rng.randint(1, 6)):
        draw = rng.random()
        if draw < 0.35:
            topic = rng.choice(list(FAMILIES))
            tool = known_tool(rng, topic, FAMILIES[topic])
        elif draw < 0.65:
            tool = made_up_tool(rng, False)
        else:
            tool = terse_tool(rng, verb if same else None)
        if not any(clash(tool.topic, t.topic) or t.name == tool.name for t in tools):
            tools.append(tool)
    branches = []
    for _ in range(6 + len(tools)):
        draw = rng.random()
        if draw < 0.18:
            branches.append((roughen(rng, absent(rng, tools, verb if same else None)), UNKNOWN, False))
        elif draw < 0.40:
            (_, question), (_, calls) = round_of(rng, False, tools, both=1.0)[:2]
            branches.append((question, calls, True))
        else:
            tool = rng.choice(tools)
            question, arguments = tool.request(rng, False)
            branches.append((roughen(rng, question), tool.call(arguments), rng.random() < 0.4))
    return ("system", listing(tools)), branches, tools


def absent(rng, tools, verb, held=False):
    """A question for a tool that is not in the list, though its verb may be."""
    told = set().union(*(set(re.findall(r"[a-z]{3,}", f"{t.name} {t.description}".replace("_", " ").lower())) for t in tools))
    near = [t for t in tools if t.topic not in FAMILIES]
    while True:
        draw = rng.random()
        if near and rng.random() < 0.6:
            # A question for a tool of the list but for the one word that says which.
            tool, other = rng.choice(near), noun(rng, held)
            question = tool.request(rng, held)[0]
            swapped = re.sub(rf"\b{tool.topic}\b", other, question, flags=re.I)
            if other not in told and swapped != question and not any(t.name in swapped for t in tools):
                return swapped
            continue
        if draw < 0.35:
            topic = rng.choice([t for t in FAMILIES if t not in MATH | {"search", "now", "joke", "define", "square", "tax"}])
            missing = known_tool(rng, topic, FAMILIES[topic])
            own = set(re.findall(r"[a-z]{3,}", f"{topic} {missing.name} {missing.description}".replace("_", " ").lower())) - COMMON
        else:
            missing = made_up_tool(rng, held) if draw < 0.65 else terse_tool(rng, verb)
            own = {missing.topic}
        if not own & told and not any(clash(missing.topic, t.topic) for t in tools):
            return missing.request(rng, held)[0]


def forced(rng, tools, other):
    """A call that only a decoder can have begun: what the question does not say is filled with what stands for nothing."""
    tool = rng.choice(tools)
    arguments = tool.complete({})
    whole = tool.call(arguments)
    cut = whole.index("\n") + 1
    return [other, ("assistant", (whole[:cut], whole[cut:]))]


__all__ = ["MATH", "tool_set", "listing", "round_of", "forced", "roughen"]
