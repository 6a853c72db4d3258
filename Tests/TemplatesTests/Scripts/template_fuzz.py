"""Random small chat templates, for comparing an interpreter with Jinja.

Expressions are made by type, so that most of them mean something, with a pinch of wrong types, undefined names and odd
spellings.
"""

import random

STRINGS = [
    "", " ", "a", "Hello", "hello World", "  padded\t\n", "line one\nline two\n\nline four", "a,b,,c", "x'y", 'say "hi"',
    "<|im_end|>", "naïve Ωμέγας", "ΟΔΥΣΣΕΥΣ", "日本語", "🎉 party", "MiXeD cAsE-word (one)", "tab\tand\\slash", "aXbXc", "42",
    "-3.5", "1_000", "0x1F", "%s and %d", "{} {0}", "</think>answer", "ß", "a\r\nb\rc", "\u00a0nbsp\u2028", "é", "ǆ ǅ",
]

CONTEXT = {
    "messages": [
        {"role": "system", "content": "You are  helpful.\n"},
        {"role": "user", "content": " Hi <b>there</b> & 'you' "},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello, \"friend\"", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": [2.5, None, True]}}}]},
        {"role": "tool", "content": "{\"sum\": 3}", "tool_call_id": "c1"},
        {"role": "user", "content": "日本 ünï 🎉"},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "description": "Adds\ntwo", "parameters": {
        "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["number", "null"], "enum": [1, 2]}},
        "required": ["a"]}}}],
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True,
    "n": 3, "zero": 0, "neg": -7, "f": 2.5, "big": 1e21, "small": 1.5e-7, "yes": True, "no": False, "nothing": None,
    "empty": "", "s": "Hello World", "t": "  trim me \n", "u": "naïve Ω", "nums": [3, 1, 2, 3], "mixed": [1, "a", None, 2.0, True],
    "words": ["banana", "Apple", "cherry", "apple"], "pairs": [["a", 1], ["b", 2]], "d": {"b": 1, "a": "x", "C": [1, 2]},
    "rows": [{"k": "x", "v": 2}, {"k": "Y", "v": 1}, {"k": "z"}],
    "people": [{"n": "a", "city": "Rome", "age": 3}, {"n": "b", "city": "oslo", "age": 1}, {"n": "c", "city": "rome", "age": 3},
               {"n": "d", "city": "Oslo", "age": 2.0}, {"n": "e", "age": 2, "at": {"zip": 7}}],
    "nested": {"p": {"q": {"r": "deep"}}}, "none_list": [],
}

NAMES = {
    "str": ["s", "t", "u", "empty", "bos_token", "eos_token", "messages[0].content", "messages[1]['content']",
            "messages[-1].role", "nested.p.q.r", "tools[0].function.name"],
    "int": ["n", "zero", "neg", "messages|length", "nums[0]"],
    "num": ["n", "f", "neg", "small", "zero"],
    "list": ["nums", "words", "messages", "mixed", "pairs", "rows", "none_list", "tools"],
    "dict": ["d", "nested", "messages[2]", "tools[0]", "rows[0]", "tools[0].function.parameters"],
    "bool": ["yes", "no", "add_generation_prompt"],
    "any": ["nothing", "missing", "d.nope", "messages[9]", "d['zz']", "x", "ns.v", "loop.index", "y"],
}


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.depth = 0
        self.loops = 0
        self.macros = 0
        self.callers = 0

    def pick(self, *options):
        return self.r.choice(options)

    def chance(self, p):
        return self.r.random() < p

    # Literals

    def quote(self, text):
        q = self.pick("'", '"')
        body = text.replace("\\", "\\\\").replace(q, "\\" + q)
        if self.chance(0.5):
            body = body.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        if self.chance(0.1):
            body = body.replace("é", "\\xe9").replace("Ω", "\\u03a9")
        return q + body + q

    def small(self):
        return str(self.r.randint(-4, 6))

    def expr(self, kind=None, depth=None):
        depth = self.depth if depth is None else depth
        if kind is None:
            kind = self.pick("str", "str", "str", "int", "num", "list", "dict", "bool", "any")
        elif self.chance(0.01):
            kind = self.pick("str", "int", "num", "list", "dict", "bool", "any")
        if depth >= 3 or self.chance(0.3):
            return self.atom(kind)
        return getattr(self, "make_" + kind)(depth + 1)

    def atom(self, kind):
        r = self.r
        if kind == "any":
            return self.pick(*NAMES["any"], "none", *NAMES["str"], *NAMES["num"])
        if self.chance(0.55):
            return r.choice(NAMES[kind])
        if kind == "str":
            return self.quote(r.choice(STRINGS))
        if kind == "int":
            return self.pick(self.small(), "1_0", "0x1f", "0b11", "0o17")
        if kind == "num":
            return self.pick(self.small(), "1.5", "0.1", "2e3", "1E-5", "100.0", "123456789.125")
        if kind == "bool":
            return self.pick("true", "false", "True", "False")
        if kind == "list":
            return self.pick("[]", "[1, 2, 3,]", "()", "(1,)", "('a', 'b')", "['b', 'A', 'c']", "range(4)", "range(5, 0, -2)")
        return self.pick("{}", "{'k': 1, 'z': 'y'}", "{1: 'one', 'two': 2, none: 3, 1.5: 4}", "dict(a=1, b='x')")

    # By type

    def make_str(self, d):
        e = lambda k=None: self.expr(k, d)
        s, i = lambda: self.expr("str", d), lambda: self.expr("int", d)
        options = [
            lambda: f"{s()} + {s()}",
            lambda: f"{e()} ~ {e()} ~ {e()}",
            lambda: f"({e()})|string",
            lambda: f"({s()})|{self.pick('trim', 'upper', 'lower', 'capitalize', 'title', 'e', 'escape', 'safe', 'string', 'forceescape', 'indent', 'reverse')}",
            lambda: f"({s()})|trim({self.quote(self.pick(' ', 'xa', '<>|', 'H'))})",
            lambda: f"({s()}).{self.pick('strip', 'lstrip', 'rstrip', 'upper', 'lower', 'title', 'capitalize', 'swapcase')}()",
            lambda: f"({s()}).{self.pick('strip', 'lstrip', 'rstrip')}({self.quote(self.pick(' d', chr(10), 'Hel', '<>'))})",
            lambda: f"({s()}).replace({self.quote(self.pick('l', '', ' ', 'a', 'Ω'))}, {s()}{self.pick('', ', 1', ', 2')})",
            lambda: f"({s()})|replace({self.quote(self.pick('l', '', ' ', 'a'))}, {s()}{self.pick('', ', 1')})",
            lambda: f"({s()})[{self.slice()}]",
            lambda: f"({s()})[{self.small()}]",
            lambda: f"({s()}).split({self.quote(self.pick(',', ' ', 'X', 'l', '</think>'))}{self.pick('', ', 1', ', maxsplit=1')})[{self.pick('0', '-1')}]",
            lambda: f"({self.expr('list', d)})|join({self.pick('', self.quote(', '), self.quote('-'))})",
            lambda: f"{self.quote(self.pick(', ', ''))}.join(words)",
            lambda: f"({e()})|tojson{self.pick('', '(indent=2)', '(ensure_ascii=true)', '(sort_keys=true)', '(indent=4, ensure_ascii=false)', '(separators=(%s, %s))' % (self.quote(','), self.quote(':')))}",
            lambda: f"({e()})|default({s()}{self.pick('', ', true', ', boolean=true')})",
            lambda: f"{s()} * {self.pick('0', '1', '2', '3', '-1')}",
            lambda: f"{self.quote(self.pick('%s', '<%s>', '%5s|', '%-5s|', '%r', '%.2s', '%%%s'))} % {self.pick(s(), f'({e()},)')}",
            lambda: f"{self.quote(self.pick('%d', '%05d', '%.2f', '%e', '%g', '%x', '%+d', '% d', '%i%%', '%8.3f|', '%-8d|', '%s'))} % {self.expr('num', d)}",
            lambda: f"{self.quote(self.pick('{}', '{:>8}|', '{!r}', '{0}{0}', '{:^7}|', '{:*<6}', '{{{}}}'))}.format({e('str')})",
            lambda: f"{self.quote(self.pick('{}', '{:05}', '{:,}', '{:.2f}', '{:+}', '{:e}', '{:x}', '{:8.3f}|', '{:<5}|', '{:%}'))}.format({self.expr('num', d)})",
            lambda: f"({s()}) if {self.expr('bool', d)} else ({s()})",
            lambda: f"({s()}) if {self.expr('bool', d)}",
            lambda: f"({s()}).{self.pick('removeprefix', 'removesuffix')}({self.quote(self.pick('He', 'ld', ''))})",
            lambda: f"({s()}).{self.pick('ljust', 'rjust', 'center')}({self.pick('7', '12')}{self.pick('', ', ' + self.quote('*'))})",
            lambda: f"({s()}).zfill({self.pick('5', '0')})",
            lambda: f"({self.expr('list', d)})|{self.pick('first', 'last')}",
            lambda: f"({self.expr('list', d)})[{self.small()}]",
            lambda: f"({self.expr('dict', d)}).{self.pick('a', 'k', 'role', 'name', 'content')}",
            lambda: f"({self.expr('dict', d)}).get({self.quote(self.pick('a', 'b', 'zz'))}{self.pick('', ', ' + self.quote('dflt'))})",
            lambda: f"({s()}).partition({self.quote(self.pick(' ', 'l'))})[{self.pick('0', '1', '2')}]",
            lambda: f"({s()})|truncate({self.pick('4', '8, true', '5, false, %s' % self.quote('.'), '9, leeway=0')})",
            lambda: f"({s()})|indent({self.pick('2', '2, true', '2, blank=true', self.quote('> '))})",
            lambda: f"({s()})|format({e()})",
            lambda: f"({self.pick(s(), e(), 'd', 'pairs', 'd.items()', '{%s: %s}' % (self.quote('a b/'), self.quote('c&d')))})|urlencode",
            lambda: f"strftime_now({self.quote(self.pick('%Y-%m-%d', '%d %b %Y', '%B %-d, %H:%M'))})",
            lambda: "m1(" + e() + self.pick("", ", " + e(), ", b=" + e()) + ")",
            lambda: f"loop.{self.pick('index', 'first', 'last', 'index0', 'revindex', 'revindex0', 'length', 'depth')}",
            lambda: f"loop.cycle({self.quote('a')}, {self.quote('b')})",
        ]
        return self.usable(options)

    def usable(self, options):
        """One of the options that speaks of nothing that is not there; now and then any of them."""
        while True:
            text = self.r.choice(options)()
            fits = ("loop" not in text or self.loops) and ("m1(" not in text or self.macros) and ("caller" not in text or self.callers)
            if fits or self.chance(0.02):
                return text

    def slice(self):
        part = lambda: self.pick("", "", self.small(), "n", "none")
        return part() + ":" + part() + self.pick("", "", ":" + self.pick("1", "2", "-1", "-2", ""))

    def make_int(self, d):
        i = lambda: self.expr("int", d)
        options = [
            lambda: f"{i()} {self.pick('+', '-', '*', '//', '%')} {i()}",
            lambda: f"({self.expr(None, d)})|{self.pick('length', 'count', 'int', 'int(-1)', 'wordcount')}",
            lambda: f"({self.expr('str', d)}).{self.pick('find', 'rfind', 'count', 'index')}({self.quote(self.pick('l', 'o', '', 'zz'))}{self.pick('', ', 2', ', 1, 4', ', -3')})",
            lambda: f"-{i()}", lambda: f"+{i()}", lambda: f"({i()})|abs", lambda: f"{self.pick('2', '3', '-2')} ** {self.pick('0', '2', '3')}",
            lambda: f"({self.expr('list', d)})|{self.pick('sum', 'min', 'max')}",
            lambda: f"(nums)|{self.pick('sum', 'min', 'max', 'sum(start=10)')}",
            lambda: f"({self.expr('num', d)})|{self.pick('round', 'round(1)', 'round(2)', 'int', 'round(method=%s)' % self.quote('ceil'), 'round(1, %s)' % self.quote('floor'), 'round(-1)')}",
            lambda: f"({self.expr('list', d)}).{self.pick('count', 'index')}({self.expr(None, d)})",
        ]
        return self.r.choice(options)()

    def make_num(self, d):
        x = lambda: self.expr("num", d)
        options = [
            lambda: f"{x()} {self.pick('+', '-', '*', '/', '//', '%')} {x()}", lambda: f"({self.expr('str', d)})|float",
            lambda: f"({x()})|round({self.pick('0', '1', '3')})", lambda: f"-{x()}", lambda: f"({x()})|abs", lambda: f"({x()})|float",
        ]
        return self.r.choice(options)()

    def make_list(self, d):
        e, l = lambda k=None: self.expr(k, d), lambda: self.expr("list", d)
        test = lambda: self.pick("'string'", "'defined'", "'none'", "'odd'", "'number'", "'mapping'", "'equalto', 2", "'eq', 'a'",
                                 "'in', nums", "'gt', 1", "'ne', 3", "'boolean'", "'lower'", "'divisibleby', 2")
        options = [
            lambda: f"[{e()}, {e()}]", lambda: f"({e()}, {e()})", lambda: f"({l()})[{self.slice()}]", lambda: f"{l()} + {l()}",
            lambda: f"({l()})|list", lambda: f"({l()})|reverse|list", lambda: f"({l()})|sort{self.pick('', '(reverse=true)', '(true)', '(case_sensitive=true)')}",
            lambda: f"words|{self.pick('sort', 'sort(reverse=true)', 'sort(case_sensitive=true)', 'unique|list', 'unique(true)|list')}",
            lambda: f"rows|{self.pick('sort(attribute=%s)', 'map(attribute=%s)|list', 'map(attribute=%s, default=0)|list', 'selectattr(%s)|list', 'rejectattr(%s)|list', 'selectattr(%s, %%s)|list' % self.quote('defined'), 'sum(attribute=%s)', 'min(attribute=%s)', 'unique(attribute=%s)|list')}" % self.quote(self.pick("k", "v")) if True else "",
            lambda: f"messages|{self.pick('selectattr', 'rejectattr')}('role', '{self.pick('equalto', '==', 'eq', 'in', 'ne')}', {self.pick(self.quote('user'), self.quote('tool'))})|list",
            lambda: f"messages|map(attribute={self.quote(self.pick('role', 'content', 'tool_calls', 'tool_calls.0.function.name'))})|list",
            lambda: f"({l()})|map({self.quote(self.pick('string', 'upper', 'trim', 'length', 'int', 'tojson', 'default', 'title'))})|list",
            lambda: f"({l()})|{self.pick('select', 'reject')}({self.pick('', test())})|list",
            lambda: f"({e('str')}).split({self.pick('', self.quote(','), self.quote('l'), 'none, 1', self.quote(' ') + ', 1')})",
            lambda: f"({e('str')}).{self.pick('rsplit(none, 1)', 'rsplit(%s, 1)' % self.quote(' '), 'splitlines()', 'splitlines(true)', 'partition(%s)' % self.quote(' '), 'rpartition(%s)' % self.quote('l'))}",
            lambda: f"({e('str')})|list", lambda: f"({self.expr('dict', d)}).{self.pick('items', 'keys', 'values')}()|list",
            lambda: f"({self.expr('dict', d)})|{self.pick('dictsort', 'list', 'items|list', 'dictsort(reverse=true)', 'dictsort(true)', 'dictsort(by=%s)' % self.quote('value'))}",
            lambda: f"({l()})|{self.pick('batch(2)', 'batch(2, 0)', 'slice(2)', 'slice(2, 9)')}|list", lambda: f"{l()} * 2",
            lambda: f"({l()}) if {self.expr('bool', d)} else ({l()})", lambda: f"range({self.pick('3', 'n', '1, 4', '6, 0, -2')})|list",
            lambda: f"({self.expr('dict', d)}).{self.pick('items', 'keys', 'values')}()",
            lambda: f"({l()})|unique|list",
            lambda: f"{self.pick('people', 'people[:4]', 'messages', 'pairs', 'rows', l())}|groupby({self.grouping()}){self.pick('', '|list', '|map(%s)|list' % self.quote('first'))}",
        ]
        return self.r.choice(options)()

    def grouping(self):
        path = self.pick("'city'", "'age'", "'n'", "'at.zip'", "0", "'role'", "'k'")
        return path + self.pick("", ", default='Oslo'", ", default=2", ", case_sensitive=true", ", 'x', true")

    def make_dict(self, d):
        e = lambda k=None: self.expr(k, d)
        options = [
            lambda: f"{{{self.quote('a')}: {e()}, {self.pick(self.quote('b'), e('str'), e('int'))}: {e()}}}",
            lambda: f"dict({self.expr('dict', d)}, z={e()})", lambda: "dict(pairs)", lambda: f"dict.fromkeys(words, {e()})",
            lambda: f"({self.expr('dict', d)}) if {self.expr('bool', d)} else ({self.expr('dict', d)})",
        ]
        return self.r.choice(options)()

    def make_any(self, d):
        e = lambda k=None: self.expr(k, d)
        options = [
            lambda: f"{e()} {self.pick('or', 'and')} {e()}", lambda: f"({e()}) if ({e()}) else ({e()})", lambda: f"({self.expr('list', d)})|first",
            lambda: f"({self.expr('dict', d)})[{e('str')}]", lambda: f"({self.expr('list', d)})[{e('int')}]", lambda: f"({e()}).{self.pick('a', 'role', 'items', 'upper', 'nope', '_x')}",
            lambda: f"({e()})|attr({self.quote(self.pick('upper', 'a'))})", lambda: f"({e()})|default({e()})",
            lambda: f"({e()})|d({e()}, true)", lambda: "caller()", lambda: "joiner()()",
        ]
        return self.usable(options)

    def make_bool(self, d):
        e = lambda k=None: self.expr(k, d)
        test = lambda: self.pick("defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float",
                                 "boolean", "true", "false", "callable", "lower", "upper", "escaped", "equalto " + self.small(), "eq(2)", "ne 'a'", "in nums",
                                 "sameas none", "sameas true", "odd", "even", "divisibleby 3", "lt 3", "ge(2)", "gt 'a'", "filter", "test")
        options = [
            lambda: f"{e()} is {self.pick('', 'not ')}{test()}", lambda: f"{e('int')} {self.pick('<', '<=', '>', '>=', '==', '!=')} {e('num')}",
            lambda: f"{e('str')} {self.pick('==', '!=', '<', '>')} {e('str')}", lambda: f"{e()} == {e()}", lambda: f"not {e()}",
            lambda: f"{e('bool')} {self.pick('and', 'or')} {e('bool')}", lambda: f"{e('str')} {self.pick('in', 'not in')} {e('str')}",
            lambda: f"{e()} {self.pick('in', 'not in')} ({e('list')})", lambda: f"{self.quote(self.pick('a', 'role'))} in {e('dict')}",
            lambda: f"({e('str')}).{self.pick('startswith', 'endswith')}({self.pick(self.quote(self.pick('H', ' ', 'd', '')), '(%s, %s)' % (self.quote('<'), self.quote('He')))}{self.pick('', ', 1', ', 0, 3')})",
            lambda: f"({e('str')}).{self.pick('isdigit', 'isalpha', 'isalnum', 'isupper', 'islower', 'isspace', 'istitle', 'isascii', 'isnumeric', 'isdecimal', 'isidentifier', 'isprintable')}()",
            lambda: f"1 < {e('int')} <= 4", lambda: f"({e('list')}) {self.pick('==', '<')} ({e('list')})", lambda: f"loop.changed({e()})",
        ]
        return self.usable(options)

    # Statements

    def tag(self, body, kind="%"):
        left, right = self.pick("", "", "", "-", "+"), self.pick("", "", "", "-", "+")
        if kind == "{" and right == "+":
            right = ""
        space = self.pick(" ", " ", "")
        open_, close = {"%": ("{%", "%}"), "{": ("{{", "}}"), "#": ("{#", "#}")}[kind]
        return open_ + left + space + body + " " * (space == " " or body[-1:] in "}%-+") + right + close

    def text(self):
        return self.pick("", "", " ", "\n", "text", "<|im_start|>", "  indented\n", "\n\n", "a b\n  ", "{ x }", "\t", "end.\n", "%", "#}")

    def output(self):
        return self.tag(self.expr(), "{")

    def block(self, level):
        return "".join(self.statement(level) for _ in range(self.r.randint(1, 2)))

    def statement(self, level):
        t = self.text
        if level > 3:
            return t() + self.output()
        kind = self.pick("output", "output", "output", "if", "for", "set", "set", "ns", "comment", "macro", "blockset", "filter", "with", "raw", "call", "gen")
        if kind == "output":
            return t() + self.output() + t()
        if kind == "comment":
            return t() + self.tag(self.pick("note", "a\nb", "{{ x }}", ""), "#") + t()
        if kind == "if":
            out = t() + self.tag("if " + self.expr("bool")) + self.block(level + 1)
            if self.chance(0.3):
                out += self.tag("elif " + self.expr("bool")) + self.block(level + 1)
            if self.chance(0.5):
                out += self.tag("else") + self.block(level + 1)
            return out + self.tag("endif") + t()
        if kind == "for":
            head, inside = self.pick(
                ("x in " + self.expr("list"), "x"), ("x in " + self.expr("list"), "x"), ("x, y in " + self.pick("pairs", "d.items()", "d|items", "d|dictsort", "rows|map('items')|map('first')"), "x"),
                ("x in messages", "x"), ("x in " + self.expr("str"), "x"), ("(x, y) in [(1, 2), (3, 4)]", "x"), ("x in range(" + self.pick("3", "n") + ")", "x"))
            if self.chance(0.25):
                head += " if " + self.pick("x", "x is string", "not loop", "x != 2", "x is mapping", "x.role == 'user'")
            body = t()
            self.loops += 1
            if self.chance(0.6):
                body += self.tag(self.pick("x", "loop.index", "loop.last", "loop.first", "loop.previtem", "loop.nextitem", "loop.length", "x.role", "x|string", "loop.revindex0", "loop.changed(x)", "loop"), "{")
            body += self.block(level + 1)
            if self.chance(0.25):
                body += self.tag("if " + self.pick("loop.index == 2", "x == 1", "loop.last", self.expr("bool"))) + self.tag(self.pick("break", "continue")) + self.tag("endif") + t()
            self.loops -= 1
            if self.chance(0.2):
                body += self.tag("else") + self.block(level + 1)
            return t() + self.tag("for " + head) + body + self.tag("endfor") + t()
        if kind == "set":
            target = self.pick("x", "y", "s", "z", "x, y")
            value = self.expr() + ", " + self.expr() if target == "x, y" else self.expr()
            return self.tag(f"set {target} = {value}") + t()
        if kind == "ns":
            return self.tag("set ns = namespace(v=" + self.expr() + ")") + t() + self.tag("set ns.v = " + self.pick("ns.v ~ ", "") + self.expr()) + t()
        if kind == "macro":
            head = "macro m1(a, b=" + self.expr() + ")"
            loops, self.loops = self.loops, 0
            body = self.tag(self.pick("a", "b", "a ~ b", "varargs", "kwargs", "caller()", "x", "caller(b)"), "{") + self.block(level + 1)
            self.loops = loops
            self.macros += 1
            return self.tag(head) + self.pick("[", "") + body + self.tag("endmacro") + t() + self.tag("m1('q')", "{")
        if kind == "blockset":
            return self.tag("set x" + self.pick("", "", " | upper", " | trim | length")) + self.block(level + 1) + self.tag("endset") + t() + self.tag("x", "{")
        if kind == "filter":
            return self.tag("filter " + self.pick("upper", "trim", "replace('a', 'b')", "indent(2)|upper", "title")) + self.block(level + 1) + self.tag("endfilter") + t()
        if kind == "with":
            return self.tag("with x = " + self.expr() + self.pick("", ", y = " + self.expr())) + self.block(level + 1) + self.tag("endwith") + t()
        if kind == "raw":
            return t() + self.tag("raw") + self.pick(" {{ x }} ", "\n{% if %}\n", "") + self.tag("endraw") + t()
        if kind == "call":
            if not self.macros:
                return self.output()
            return self.tag(self.pick("call m1(1)", "call(q) m1(2, b=3)")) + self.block(level + 1) + self.tag("endcall") + t()
        return t() + self.tag("generation") + self.block(level + 1) + self.tag("endgeneration") + t()

    def template(self):
        return "".join(self.statement(self.pick(0, 1, 2)) for _ in range(self.r.randint(1, 3)))
