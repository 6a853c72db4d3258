import Support
import Templates
import Testing

@Suite struct TemplateLimitsTests {
    private static let few: TemplateLimits = {
        var limits = TemplateLimits()
        limits.steps = 20_000
        return limits
    }()

    @Test(
        "What would take too long, too deep or too much memory ends with an error",
        arguments: [
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "{{ range(100001) }}",
            "{{ 'a' * 1000000000000 }}", "{{ [1] * 1000000000000 }}", "{{ 'a'.center(100000000) }}",
            "{{ '%100000000d' % 1 }}", "{{ '{:>100000000}'.format(1) }}", "{{ 'a\nb' | indent(100000000) }}",
            "{{ [1] | tojson(indent=100000000) }}", "{{ '%.100000f' % 1 }}", "{{ [1] | batch(1000000000, 0) | list }}",
            "{{ [1] | slice(1000000000) | list }}", "{{ 'aaaa'.replace('', 'b' * 1000) * 1000 }}",
            "{% set n = namespace(s='ab') %}{% for a in range(90) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
            "{% set n = namespace(s=[1]) %}{% for a in range(90) %}{% set n.s = n.s + n.s %}{% endfor %}",
            "{% set n = namespace(s=[]) %}{% for a in range(9999) %}{% set n.s = [n.s] %}{% endfor %}",
            "{% set n = namespace(s={}) %}{% for a in range(9999) %}{% set n.s = {'a': n.s} %}{% endfor %}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{{ caller() }}{% endmacro %}{{ f() }}",
            "{% set n = namespace() %}{% set n.n = [n] %}{{ n }}", "{{ 2 ** 100 }}", "{{ 10 ** 400 }}",
        ]
    )
    func bounds(_ source: String) {
        let error = #expect(throws: TemplateError.self) {
            try ChatTemplate(source: source).text([], limits: Self.few)
        }
        #expect(error?.kind == .limit, "\(String(describing: error))")
    }

    @Test("Names and keys of templates cost what looking for them costs", .timeLimit(.minutes(1)))
    func namesAndKeys() {
        let names = (0..<100_000).map { "{% set a\($0) = 1 %}" }.joined()
        let key = "{% set k = 'a' * 1000000 %}"
        let keys = (0..<9).map { "'\($0)': 1" }.joined(separator: ", ")
        let tuple = (0..<40).map { _ in "{% set n.t = (n.t, n.t) %}" }.joined()
        for source in [
            "{% for i in range(99999) %}{% continue %}\(names){% endfor %}",
            "{% macro f() %}{% if false %}{{ f() }}{% endif %}\(names){% endmacro %}"
                + "{% for i in range(99999) %}{{ f() }}{% endfor %}",
            key
                + "{% set d = {\(keys)} %}{% for i in range(99999) %}{% for j in range(99) %}{{ d[k] }}{% endfor %}{% endfor %}",
            key
                + "{% for i in range(99999) %}{% for j in range(99) %}{{ d.get(k) }}{{ k is sameas k }}{% endfor %}{% endfor %}",
            "{% set n = namespace(t=(1, 2)) %}\(tuple){% for i in range(99999) %}{{ {n.t: 1}[n.t] }}{% endfor %}",
        ] {
            let error = #expect(throws: TemplateError.self) {
                try ChatTemplate(source: source).text([.init("d", .object([.init("a", .integer(1))]))])
            }
            #expect(error?.kind == .limit, "\(source.prefix(80)): \(String(describing: error))")
        }
    }

    @Test("Of many names each has its own value")
    func manyNames() throws {
        let names = (0..<100).map { "{% set a\($0) = \($0) %}" }.joined()
        let sums = (0..<100).map { "a\($0)" }.joined(separator: " + ")
        #expect(try rendered("{% for i in [1] %}\(names){% set a3 = 1003 %}{{ \(sums) }}{% endfor %}") == "5950")
    }

    @Test("A wide number with separators takes no more time than its width", .timeLimit(.minutes(1)))
    func wideGroups() throws {
        let text = try ChatTemplate(source: "{{ '{:01000000,}'.format(1) }}").text([])
        #expect(text.utf8.count == 1_000_001 && text.hasPrefix("0,000,000,") && text.hasSuffix(",000,001"))
    }

    @Test("The smallest and the largest integers are numbers like others, or too much")
    func extremeIntegers() throws {
        let smallest = "(-9223372036854775807 - 1)"
        for (source, text) in [
            ("\(smallest) in range(0, -3, -1)", "False"), ("\(smallest) % -1", "0"), ("'abc'[\(smallest):]", "abc"),
            ("'abc'[::\(smallest)]", "c"), ("[1, 2][9223372036854775807:\(smallest):-1]", "[2, 1]"),
            ("'a'.center(\(smallest)) ~ 'a'.zfill(\(smallest))", "aa"), ("'a' * \(smallest)", ""),
            ("'%*d' % (3, 5)", "  5"), ("1.5 | round(\(smallest))", "0.0"), ("\(smallest) is divisibleby 2", "True"),
            ("range(\(smallest), \(smallest) + 2) | list | length", "2"), ("'a\\nb' | indent(\(smallest))", "a\nb"),
        ] {
            #expect(try rendered("{{ \(source) }}") == text, "\(source)")
        }
        for source in ["-\(smallest)", "\(smallest) // -1", "\(smallest) | abs", "\(smallest) * 2", "1e300 | int"] {
            #expect(throws: TemplateError.self, "\(source)") { try rendered("{{ \(source) }}") }
        }
    }

    @Test("Output is bounded by what is rendered")
    func outputBound() throws {
        var limits = TemplateLimits()
        limits.outputBytes = 100
        limits.outputBytesPerByte = 2
        let template = try ChatTemplate(source: "{% for a in range(times) %}{{ text }}{% endfor %}")
        func text(_ times: Int) throws(TemplateError) -> String {
            try template.text([.init("text", .string("0123456789")), .init("times", .integer(times))], limits: limits)
        }
        #expect(try text(12).utf8.count == 120)
        #expect(throws: TemplateError.self) { try text(20) }
    }

    @Test("Long conversations get the steps that they need")
    func longConversation() throws {
        let messages = (0..<4000).map { number -> TemplateValue in
            [
                "role": .templateText(number.isMultiple(of: 2) ? "user" : "assistant"),
                "content": .string("text \(number)"),
            ]
        }
        let template = try ChatTemplate(
            source:
                "{% set n = namespace(s='') %}{% for m in messages %}{% set n.s = n.s + m.content + '\\n' %}{% endfor %}"
                + "{{ n.s }}"
        )
        var limits = TemplateLimits()
        limits.steps = 0
        let text = try template.text([.init("messages", .array(messages))], limits: limits)
        #expect(text == (0..<4000).map { "text \($0)\n" }.joined())
    }

    @Test(
        "Deep nesting of the syntax is refused",
        arguments: [
            ("{{ ", "(", "1", ")", " }}"), ("{{ ", "[", "1", "]", " }}"), ("{{ ", "{1:", "1", "}", " }}"),
            ("{{ ", "not ", "1", "", " }}"), ("{{ ", "-", "1", "", " }}"), ("{{ ", "1 + ", "1", "", " }}"),
            ("{{ ", "a", "a", "[0]", " }}"), ("{{ ", "", "a", "|string", " }}"), ("{{ ", "f(", "1", ")", " }}"),
            ("", "{% if 1 %}", "1", "{% endif %}", ""), ("", "{% for a in [1] %}", "1", "{% endfor %}", ""),
            ("{{ ", "1 if 1 else ", "1", "", " }}"), ("{% set ", "(", "a", ")", " = 1 %}"),
        ]
    )
    func deepSyntax(_ start: String, _ open: String, _ middle: String, _ close: String, _ end: String) {
        let source =
            start + String(repeating: open, count: 20_000) + middle + String(repeating: close, count: 20_000) + end
        #expect(throws: TemplateError.self) { try ChatTemplate(source: source) }
    }

    private static let fragments = [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", ",", ":", "|", ".", "'", "\"",
        "not ",
        "in ", "is ", "if ", "else ", "for x in ", "endfor", "endif", "set ", "loop", "0", "1.5", "~", "*", "**", "//",
        "9223372036854775807", "\n", "\\", "raw", "endraw", "namespace", "range(", "tojson", "é", "🎉", "\u{0}",
        "macro f(",
        "endmacro", "f(", "caller()", "recursive", "%s", "[::-1]", "1e999", "\\ud800", "\\x", "* 99999",
    ]

    /// Changes a template at random, so that it mostly stays one.
    private static func mutated(_ source: String, _ generator: inout SeededGenerator) -> String {
        var scalars = Array(source.unicodeScalars)
        for _ in 0...Int.random(in: 0..<3, using: &generator) {
            let index = Int.random(in: 0...scalars.count, using: &generator)
            let end = min(scalars.count, index + Int.random(in: 0..<8, using: &generator))
            let fragment = Array((fragments.randomElement(using: &generator) ?? "").unicodeScalars)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: scalars.removeSubrange(index..<end)
            case 1: scalars.replaceSubrange(index..<end, with: fragment)
            case 2: scalars.insert(contentsOf: scalars[index..<end], at: Int.random(in: 0...index, using: &generator))
            default: scalars.insert(contentsOf: fragment, at: index)
            }
        }
        return scalars.reduce(into: "") { $0.unicodeScalars.append($1) }
    }

    @Test(
        "A damaged template is an error or renders, and never crashes or hangs",
        arguments: 0..<UInt64(4),
        ["random", "formats"]
    )
    func survivesMutations(_ seed: UInt64, _ file: String) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try TemplateFixture.random(file)
        var (rendered, refused) = (0, 0)
        for sample in fixture.cases {
            let source = Self.mutated(sample.template, &generator)
            do throws(TemplateError) {
                _ = try ChatTemplate(source: source).text(fixture.context.members, limits: Self.few)
                rendered += 1
            } catch {
                refused += 1
                #expect(!error.message.isEmpty)
            }
        }
        #expect(rendered > 50 && refused > 50, "\(rendered) rendered, \(refused) refused")
    }
}
