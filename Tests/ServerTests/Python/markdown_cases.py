"""What the chat page makes of texts, code and streams; each check runs in a page that is open."""

import json
import time

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'

#: A text, and the markup that the browser says its nodes are.
CASES = [
    ("plain & <b>text</b>", "<p>plain &amp; &lt;b&gt;text&lt;/b&gt;</p>"),
    ("# One\n\n### Three ###\ntext", "<h1>One</h1><h3>Three</h3><p>text</p>"),
    ("Title\n===\nSub\n---", "<h1>Title</h1><h2>Sub</h2>"),
    ("#no heading", "<p>#no heading</p>"),
    ("one\ntwo", "<p>one<br>two</p>"),
    ("a *b* **c** ***d*** ~~e~~ `f*g*`",
     "<p>a <em>b</em> <strong>c</strong> <em><strong>d</strong></em> <del>e</del> <code>f*g*</code></p>"),
    ("**a *b* c** and *d **e** f*", "<p><strong>a <em>b</em> c</strong> and <em>d <strong>e</strong> f</em></p>"),
    ("2 * 3 * 4, snake_case_name, * a*", "<p>2 * 3 * 4, snake_case_name, * a*</p>"),
    ("_a_ __b__", "<p><em>a</em> <strong>b</strong></p>"),
    (r"\*no\* \`no\` \[x\](y)", "<p>*no* `no` [x](y)</p>"),
    ("``a ` b`` and ` `` `", "<p><code>a ` b</code> and <code>``</code></p>"),
    ("**open and `open", "<p>**open and `open</p>"),
    ("[a](https://x.example/p_(q) \"t\") <https://y.example> https://z.example/a_b.",
     f'<p><a href="https://x.example/p_(q)" {LINK}>a</a> <a href="https://y.example" {LINK}>https://y.example</a> '
     f'<a href="https://z.example/a_b" {LINK}>https://z.example/a_b</a>.</p>'),
    ("(see https://x.example/a)", f'<p>(see <a href="https://x.example/a" {LINK}>https://x.example/a</a>)</p>'),
    ("[x](javascript:alert(1)) [y](data:text/html,z) [z](//e.example) [w]( JaVaScRiPt:1)",
     "<p>[x](javascript:alert(1)) [y](data:text/html,z) [z](//e.example) [w]( JaVaScRiPt:1)</p>"),
    ("![alt](https://x.example/i.png)", f'<p><a href="https://x.example/i.png" {LINK}>alt</a></p>'),
    ("- a\n- b\n  - c\n\n    d\n- e", "<ul><li>a</li><li>b<ul><li><p>c</p><p>d</p></li></ul></li><li>e</li></ul>"),
    ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
    ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
    ("3. a\n4. b\n   - c\n  - d", '<ol start="3"><li>a</li><li>b<ul><li>c</li><li>d</li></ul></li></ol>'),
    ("text\n- a\n  goes on\n\nafter", "<p>text</p><ul><li>a<br>goes on</li></ul><p>after</p>"),
    ("In\n1986. A year", "<p>In<br>1986. A year</p>"),
    ("- [x] a\n- [ ] b", '<ul><li class="task"><input type="checkbox" disabled="">a</li>'
                        '<li class="task"><input type="checkbox" disabled="">b</li></ul>'),
    ("> a\n> > b\n\nc", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>"),
    ("a\n\n***\n\nb", "<p>a</p><hr><p>b</p>"),
    ("| a | b |\n|:-:|--:|\n| `x|y` | c \\| d |\n| **e** |\n\nf",
     '<div class="table" tabindex="0"><table><thead><tr><th style="text-align: center;">a</th><th style="text-align: right;">'
     'b</th></tr></thead><tbody><tr><td style="text-align: center;"><code>x|y</code></td><td style="text-align: right;">c | d'
     '</td></tr><tr><td style="text-align: center;"><strong>e</strong></td><td style="text-align: right;"></td></tr></tbody>'
     "</table></div><p>f</p>"),
    ("a | b\nno table", "<p>a | b<br>no table</p>"),
]

#: A text, and the code that is in it.
CODE = [
    ("```\na <b> *c*\n```", "a <b> *c*", "text"),
    ("```swift\nlet a = 1\n", "let a = 1\n", "swift"),
    ("~~~ python x\n```\n~~~", "```", "python"),
    ("- item\n  ```js\n  let a\n    b\n  ```", "let a\n  b", "js"),
    ("    indented\n\n    code", "indented\n\ncode", "text"),
    ("````\n```\n````", "```", "text"),
]

#: Texts that a careless reader would take minutes for.
HOSTILE = [
    "*a " * 20_000, "**" * 20_000, "[" * 50_000, "[a](" * 10_000, "`" * 20_001 + "a", "`a``b" * 10_000, "> " * 5_000 + "a",
    "- " * 5_000 + "a", "_a" * 20_000, "|" * 30_000 + "\n" + "|-" * 15_000, "#" * 50_000, "<" * 50_000, "a\n" * 20_000,
    "~~a" * 10_000, "\\" * 50_000, "https://" * 10_000, "*_" * 20_000, "- a\n" * 10_000, "1. a\n   - b\n" * 5_000,
    " " * 50_000 + "a", "(" * 30_000 + ")" * 30_000, "![" * 20_000, "***a " * 10_000, "\t" * 20_000 + "x",
]


def rendered(chat, text):
    return chat.evaluate("""(() => {
        const node = document.createElement("div");
        Markdown.render(node, %s);
        return node.innerHTML;
    })()""" % json.dumps(text))


def check_markdown(chat):
    for text, expected in CASES:
        markup = rendered(chat, text)
        assert markup == expected, f"{text!r}:\n{markup}\ninstead of\n{expected}"
        assert "<script" not in markup and "<img" not in markup
    for text, code, language in CODE:
        found = chat.evaluate("""(() => {
            const node = document.createElement("div");
            Markdown.render(node, %s);
            return [node.querySelector("pre").textContent, node.querySelector("figcaption span").textContent];
        })()""" % json.dumps(text))
        assert found == [code, language], f"{text!r}: {found}"
    for text in HOSTILE:
        start = time.monotonic()
        rendered(chat, text)
        assert time.monotonic() - start < 5, f"{time.monotonic() - start:.1f} s for {text[:20]!r} and so on"
    check_growth(chat)


def check_growth(chat):
    """Piece by piece gives the same as at once, what is done stays in place, and what is open is shown as closed."""
    text = "\n\n".join(text for text, _ in CASES) + "\n\n```c\nint a;\n```\n"
    assert chat.evaluate("""(() => {
        const text = %s;
        const [grown, whole] = [document.createElement("div"), document.createElement("div")];
        let first = null;
        for (let end = 1; end <= text.length; end += 7) {
            Markdown.render(grown, text.slice(0, end), true);
            if (end > 200) {
                first ??= grown.firstChild;
                if (first !== grown.firstChild) return "the first block was made anew";
            }
        }
        Markdown.render(grown, text);
        Markdown.render(whole, text);
        return grown.innerHTML === whole.innerHTML || grown.innerHTML;
    })()""" % json.dumps(text)) is True
    open_text = chat.evaluate("""(() => {
        const node = document.createElement("div");
        Markdown.render(node, "a **bold and `b", true);
        return node.innerHTML;
    })()""")
    assert open_text == "<p>a <strong>bold and `b</strong></p>", open_text


def check_highlight(chat):
    """Colours change no character, whatever the code."""
    code = "/* a */ let b = 'c\\'d' + \"e\" // f\n# g\nif (x < 0x1F) { call(1.5e3, `t${1}`) } -- h\n<!-- i --><a href=\"j\">\n'open"
    for language in ["swift", "python", "sql", "html", "json", "unknown", ""]:
        kinds = chat.evaluate("""(() => {
            const node = document.createElement("code");
            Highlight.append(node, %s, %s);
            if (node.textContent !== %s) return ["changed", node.textContent];
            return [...node.children].map((span) => span.className + " " + span.textContent);
        })()""" % (json.dumps(code), json.dumps(language), json.dumps(code)))
        assert kinds[:1] != ["changed"], kinds
        assert (kinds == []) == (language in ["unknown", ""]), (language, kinds)
        if language == "swift":
            assert {"comment /* a */", "keyword let", "number 0x1F", "call call", "string 'c\\'d'"} <= set(kinds), kinds


def check_streams(chat):
    """Events are the same wherever the stream is cut, and whatever ends its lines."""
    assert chat.evaluate("""(() => {
        const events = ["one", '{"two": "\\u00fc\\u2192"}', "three\\nlines", ""];
        const text = ": hello\\n\\nevent: a\\ndata: one\\n\\ndata:{\\"two\\": \\"\\u00fc\\u2192\\"}\\r\\n\\r\\nid: 1\\r"
            + "data: three\\rdata: lines\\r\\rdata:\\n\\nevent: nothing\\n\\n";
        for (let size = 1; size <= text.length; size += 1) {
            const reader = new EventReader();
            const found = [];
            for (let at = 0; at < text.length; at += size) found.push(...reader.push(text.slice(at, at + size)));
            if (JSON.stringify(found) !== JSON.stringify(events)) return `${size}: ${JSON.stringify(found)}`;
        }
        return true;
    })()""") is True
