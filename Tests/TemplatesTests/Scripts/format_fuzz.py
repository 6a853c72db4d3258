"""Random uses of Python's formatting languages: `%`, `str.format`, and the numbers that filters read and round."""

from template_fuzz import Generator

NUMBERS = [
    "0", "1", "-1", "7", "-42", "255", "1234567", "-9876543210", "2 ** 62", "true", "false", "0.0", "-0.0", "1.0", "0.5", "-2.5", "3.14159", "1e16",
    "1e15", "123456789.125", "1e-4", "1e-5", "2.5e-7", "99.995", "0.1 + 0.2",
    # Too large for an integer.
    "1e22", "1.5e300",
]
TEXTS = ["''", "'a'", "'Hello'", "'naïve Ω'", "'日本'", "'<b>'", "'it\\'s'", "'two\\nlines'"]
OTHERS = ["none", "[1, 'a']", "(1, 2)", "{'a': 1}", "missing", "'<'|safe"]
SPELLINGS = ["42", " 42 ", "-7", "+3", "1_000", "1__0", "_1", "0x1F", "0b101", "0o17", "1.5", ".5", "5.", "1e3", "1.e-2", "inf", "-Infinity", "nan", "", "x", "٣",
             "4.2.1", "0x", "1e", "--1", "12abc", "00", "0_0", "z9", "１２"]


class FormatGenerator(Generator):
    def template(self):
        return "{{ " + getattr(self, self.pick("percent", "percent", "braces", "braces", "number"))() + " }}"

    def value(self):
        return self.pick(*NUMBERS, *NUMBERS, *TEXTS, *TEXTS, *OTHERS)

    def maybe(self, *options):
        return self.pick("", "", *options)

    # `format % values`

    def conversion(self, name=""):
        flags = "".join(self.pick("-", "+", " ", "0", "#") for _ in range(self.pick(0, 0, 1, 1, 2)))
        width, precision = self.maybe("1", "6", "12"), self.maybe(".", ".0", ".1", ".3", ".10")
        return "%" + name + flags + width + precision + self.maybe("l", "h") + self.pick(*"sssrradddiuxXoeEfFgGc%", "q")

    def percent(self):
        parts = [self.conversion() for _ in range(self.pick(1, 1, 1, 2, 3))]
        text = self.quote(self.pick("", "<", "Ω ") + self.pick(" ", "|", "").join(parts) + self.pick("", ">", "|"))
        count = sum(not part.endswith("%") for part in parts) + self.pick(0, 0, 0, 0, 0, 1, -1)
        values = [self.value() for _ in range(max(0, count))]
        kind = self.pick("tuple", "tuple", "tuple", "one", "star", "named", "filter", "safe")
        if kind == "one":
            return f"{text} % ({self.value()})"
        if kind == "star":
            return f"{self.quote(self.pick('%*d|', '%-*d|', '%.*f|', '%*.*f|', '%*s|'))} % ({self.pick('5', '-8', '0', '2.5')}, {self.pick('3', '0', '-2')}, {self.pick('7', '1.5', self.value())})"
        if kind == "named":
            names = [self.conversion(f"({self.pick('a', 'b', 'a b', 'c(d)')})") for _ in range(2)]
            return f"{self.quote('|'.join(names))} % {{'a': {self.value()}, 'b': {self.value()}, 'a b': {self.value()}, 'c(d)': {self.value()}}}"
        if kind == "filter":
            return f"{text}|format({', '.join(values)})"
        if kind == "safe" and not set(text) & set("xXoc"):
            return f"({text}|safe) % ({''.join(value + ', ' for value in values)})"
        return f"{text} % ({''.join(value + ', ' for value in values)})"

    # `format.format(values)`

    def specification(self):
        fill = self.maybe("<", ">", "^", "=", "*<", "0>", "Ω^", "-=")
        return (fill + self.maybe("+", "-", " ") + self.maybe("#") + self.maybe("0") + self.maybe("1", "7", "12") + self.maybe(",", "_")
                + self.maybe(".0", ".1", ".3", ".10", ".") + self.maybe(*"bcdeEfFgGnosxX%", "q"))

    def field(self, names):
        name = self.pick(*names)
        return "{" + name + self.maybe("!r", "!s", "!a", "!q") + self.maybe(":" + self.specification(), ":" + self.specification()) + "}"

    def braces(self):
        kind = self.pick("automatic", "automatic", "numbered", "named", "parts", "nested", "odd", "safe", "map")
        count = self.pick(1, 1, 2)
        values = ", ".join(self.value() for _ in range(self.pick(count, count, count, 2)))
        if kind == "named":
            fields = self.pick(" ", "|").join(self.field(["a", "b"]) for _ in range(count))
            return f"{self.quote(fields)}.format(a={self.value()}, b={self.value()})"
        if kind == "map":
            fields = "|".join(self.field(["a", "b"]) for _ in range(count))
            return f"{self.quote(fields)}.format_map({{'a': {self.value()}, 'b': {self.value()}}})"
        if kind == "parts":
            return f"{self.quote(self.field(['0[a]', '0[1]', '0.real', '1[b][0]', '0[', '0.', '0[]', '1.x']))}.format({{'a': {self.value()}}}, {{'b': [{self.value()}]}})"
        if kind == "nested":
            return f"{self.quote('{:{}}{:{}{}}')}.format({self.value()}, {self.pick('5', repr('>9'), repr(''))}, {self.value()}, {self.pick(repr('<'), repr('^'))}, {self.pick('8', '3')})"
        if kind == "odd":
            return f"{self.quote(self.pick('{{}}', '{', '}', '{}}', '{{{}}}', '{!}', '{:}', '{0}{}', '{}{0}', '{a}', '{5}', '{!r:}', '{:{:{}}}', '{-1}'))}.format({values})"
        names = [""] if kind in ("automatic", "safe") else ["0", "1"]
        fields = self.quote(self.pick("", "{{x}} ") + "|".join(self.field(names) for _ in range(count)))
        return f"({fields}{'|safe' if kind == 'safe' else ''}).format({values})"

    # `int`, `float`, `round`

    def number(self):
        value = self.pick(self.pick(*NUMBERS[:-2], *TEXTS, *OTHERS), self.quote(self.pick(*SPELLINGS)), self.quote(self.pick(*SPELLINGS)))
        return f"({value})|" + self.pick(
            "int", "int(-1)", f"int(7, {self.pick(0, 2, 8, 10, 16, 36)})", "float", "float(1.5)", f"round({self.pick(-2, 0, 1, 2, 5)})",
            f"round({self.pick(0, 1, 2)}, {self.quote(self.pick('ceil', 'floor', 'common', 'x'))})", "abs", "string", "tojson",
        )
