"""Random uses of the filters for lines, HTML, addresses and sizes, and the values that they are used on."""

from template_fuzz import CONTEXT, Generator

FILTER_CONTEXT = CONTEXT | {
    "prose": "It is a well-known, state-of-the-art thing -- really--very good; e-mail me at a-b-c.  Two  spaces, 'quoted-word' "
             "and an extraordinarily-long-hyphenated-compound-word.\nNext paragraph\n\n  indented naïve-Ωμέγα 日本語のテキスト end",
    "links": "See http://example.com/a?b=1&c=2, (https://en.wikipedia.org/wiki/X_(y)) or www.test.org. Mail joe@x-y.example.com, "
             "<mailto:a@b.co> @not@this example.net foo.bar ftp://files.org/x http://127.0.0.1:80/ http://[2001:db8::1]/p HTTP://UP.COM",
    "html": "<p>Some <b class='x'>bold</b>\n  &amp; &lt;tags&gt; &copy 2 &#65;&#x42; &#128; &nbsp;x</p><!-- a <b> --> 1 < 2 &unknown; &notit; end",
    "wide": {"alpha": list(range(30)), "beta": {"k" * 30: "v" * 60, "text": "one two three four five six seven eight nine ten eleven"},
             "gamma": ["a short one", "lines\nof\ntext that go on and on for more than the width of a line, certainly they do", [1, 2]],
             "delta": {"x": 1, "a": None, "Z": [True]}, "": []},
    "attrs": {"class": "a b", "id": 5, "x": None, "data-q": "\"<&>'", "ok": True, "f": 1.5},
    "people": [{"n": "a", "city": "Rome", "age": 3}, {"n": "b", "city": "oslo", "age": 1}, {"n": "c", "city": "rome", "age": 3},
               {"n": "d", "city": "Oslo", "age": 2.0}, {"n": "e", "age": 2, "at": {"zip": 7}}],
}


class FilterGenerator(Generator):
    """Uses of single filters, on values made for them or on any."""

    PUNCTUATION = ["", "", "(", "<", ").", ",", ">", "))", "&lt;", "."]
    ADDRESSES = ["http://a.com", "https://x.y-z.museum/p(q)?r#s", "www.x.org", "b.net", "b.name", "a@b.c", "mailto:m@n.op", "x@y",
                 "http://1.2.3.4:8080/", "http://localhost", "a.b@c-d.e.fr", "@a.com", "xn--q.com", "http://xn--p1ai.xn--p1ai", "tel:+1",
                 "ftp://a.b/c", "git+ssh://h/p", "http://ü.com", "plain", "http://a.com/<b>", "www.", "http://[::1]/", "a_b.info:99999"]
    WORDS = ["well-known", "a-b", "--", "x--y", "word", "I", "e-mail-address", "-dash", "it's-so", "1-2", "Ωμέγα-ß", "日本語", "end.",
             "supercalifragilistic", "foo--bar-baz", "a\u00a0b", "\t", "  ", "-", "a-1-b", "----", "q.-r", "\u2028", "\u0301x-yz"]

    def template(self):
        name = self.pick("groupby", "wordwrap", "wordwrap", "urlize", "urlize", "xmlattr", "pprint", "pprint", "filesizeformat",
                         "striptags", "urlencode")
        return getattr(self, name)()

    def words(self, choices):
        return " ".join(self.pick(*choices) for _ in range(self.r.randint(1, 12)))

    def anything(self):
        return self.expr(None, 2)

    def groupby(self):
        path = self.pick("'city'", "'age'", "'n'", "'at.zip'", "0", "'role'")
        more = self.pick("", ", default='Oslo'", ", default=2", ", case_sensitive=true", ", 'x', true")
        values = self.pick("people", "people", "people[:4]", "messages", "pairs", "rows", "[]", "missing", self.anything())
        if self.chance(0.5):
            return "{% for g in " + values + f"|groupby({path}{more}) %}}{{{{ g.grouper }}}}={{{{ g.list|length }}}} {{{{ g[0] }}}};{{% endfor %}}"
        return "{% for key, found in " + values + f"|groupby({path}{more}) %}}{{{{ key }}}}: {{{{ found|map(attribute='n')|join(',') }}}}\n{{% endfor %}}"

    def wordwrap(self):
        text = self.pick("prose", "links", "s", self.quote(self.words(self.WORDS)), self.quote(self.words(self.WORDS)), self.anything())
        more = self.pick("", ", false", ", break_on_hyphens=false", ", true, '|'", ", break_long_words=false, break_on_hyphens=false",
                         ", wrapstring='<>\\n'")
        return f"{{{{ ({text})|wordwrap({self.pick(*range(1, 41), 79, -1)}{more}) }}}}"

    def urlize(self):
        punctuated = self.words([self.pick(*self.PUNCTUATION) + self.pick(*self.ADDRESSES) + self.pick(*self.PUNCTUATION) for _ in range(12)])
        text = self.pick("links", "html", self.quote(punctuated), self.quote(punctuated), self.quote(punctuated), self.anything(),
                         f"({self.quote(punctuated)})|safe")
        more = self.pick("", "", "12", "5, true", "target='_blank'", "rel='me noopener \"x'", "extra_schemes=['tel:', 'ftp://']",
                         "none, nofollow=true, rel='b a'", "-3", "extra_schemes=['x']")
        return f"{{{{ ({text})|urlize({more}) }}}}"

    def xmlattr(self):
        values = self.pick("attrs", "attrs", "{}", "{'a b': 1}", "{'a': missing, 'b': ''}", "{'<': '<'|safe}", "{'k=': 2}", "d", self.expr("dict", 2))
        return f"{{{{ ({values})|xmlattr{self.pick('', '(false)', '(autospace=true)')} }}}}"

    def pprint(self):
        values = self.pick("wide", "wide.alpha", "wide.beta", "wide.gamma", "[wide.gamma, wide.delta]", "prose", "links", "html", "messages",
                           "tools", "(prose,)", "wide.delta", "[wide, 1]", "people|groupby('n')", "people|groupby('age')|list", "d.items()",
                           "{'x': prose, 2: links}", "('a' * 79, 'b' * 78)", "'a' * 200", "[[['c d ' * 30]]]", "{1: 'x' * 70, 'a': none, 2.5: [true], none: 5, (1, 2): 'y'}", "html|safe", self.anything(),
                           f"[{self.anything()}, {self.anything()}, words, nums, {self.anything()}]")
        return f"{{{{ ({values})|pprint }}}}"

    def filesizeformat(self):
        value = self.pick("0", "1", "1.0", "999", "1000", "1023", "1024", "123456", "1.5e6", "1048576", "3e9", "1e13", "-5", "-1e30", "1e30",
                          "'12000'", "'x'", "999999", "true", "none", "2 ** 40", "1e16", "1e19", "1e22", "1e25", "1e27", "12.7", "'nan'", "'inf'",
                          str(self.r.randint(1, 10 ** self.r.randint(1, 18))))
        return f"{{{{ ({value})|filesizeformat{self.pick('', '(true)', '(binary=true)')} }}}}"

    def striptags(self):
        parts = ["<b>", "</b>", "x", " ", "<!-- c", "-->", "<", ">", "&amp;", "&ampx", "&lt;i&gt;", "&#0;", "&#x80;", "&#xD800;", "&#1;", "&#99999999;",
                 "&eacute;", "&eacutex;", "&mdash;", "&nothing;", "&", "&#;", "&#x;", "\t\n", "é", "&nbsp;", "&notin", "&GT", "&#x41", "&#48 "]
        text = self.pick("html", "html|safe", "html|e", self.quote("".join(self.pick(*parts) for _ in range(8))), self.anything())
        return f"{{{{ ({text})|striptags }}}}"

    def urlencode(self):
        values = self.pick("links", "u", "prose", "attrs", "d", "pairs", "['ab', 'cd']", "d.items()", "f", "none", "missing", "5",
                           "'a/b?c=d&e f~_.-%'", "{'a b/': 'c&d', 1: none}", "[('x', [1])]", "[1]", self.anything())
        return f"{{{{ ({values})|urlencode }}}}"
