import Templates
import Testing

@Suite struct ChatTemplateTests {
    @Test("Templates in the style of the families render as in transformers, with systems, turns, tools and thinking")
    func families() throws {
        let fixture = try TemplateFixture.families()
        #expect(fixture.expected.count >= 40)
        for (name, cases) in fixture.expected.sorted(by: { $0.key < $1.key }) {
            let template = try ChatTemplate(source: TemplateFixture.source(name))
            for (context, expected) in cases {
                let members = try #require(fixture.contexts[context]).members
                do throws(TemplateError) {
                    let text = try template.text(members)
                    #expect(text == expected.output, "\(name) with \(context)")
                } catch {
                    expect(error, expected, "\(name) with \(context)")
                }
            }
        }
    }

    /// Refusals and what is undefined are told in the reference's words.
    private func expect(_ error: TemplateError, _ expected: TemplateFixture.Result, _ place: String) {
        #expect("\(error.kind)" == expected.error, "\(place): \(error)")
        if error.kind == .raised || error.kind == .undefined {
            #expect(error.message == expected.message, "\(place)")
        }
    }

    @Test("Random templates render as in Jinja, or fail as they do there", arguments: ["random", "formats"])
    func randomTemplates(file: String) throws {
        let fixture = try TemplateFixture.random(file)
        #expect(fixture.cases.count >= 400)
        for sample in fixture.cases {
            do throws(TemplateError) {
                let text = try rendered(sample.template, fixture.context.members)
                #expect(text == sample.output, "\(sample.template)")
            } catch {
                #expect("\(error.kind)" == sample.error, "\(sample.template): \(error)")
            }
        }
    }

    @Test(
        "What random templates seldom reach is as in Jinja",
        arguments: [
            ("{{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ -7.5 % 2 }}", "2 -2 -4 0.5"),
            ("{{ '\u{8}\u{c}\u{1}~\u{7f}' | tojson }}", #""\b\f\u0001~"# + "\u{7f}\""),
            ("{% for a in 'xyz' %}{{ loop.revindex }}{{ loop.revindex0 }} {% endfor %}", "32 21 10 "),
            ("{{ '{:08,}|{:04,}|{:012,.1f}'.format(1234, 1, 1234.5) }}", "0,001,234|0,001|00,001,234.5"),
            ("{{ '{:_x}|{:_b}'.format(65536, 33) }}", "1_0000|10_0001"),
            ("{{ 25 | round(-1) }} {{ 35 | round(-1) }} {{ -25 | round(-1) }} {{ 26 | round(-1) }}", "20 40 -20 30"),
        ]
    )
    func rarities(_ source: String, _ expected: String) throws {
        #expect(try rendered(source) == expected)
    }

    @Test("A template is read once and rendered from many tasks at the same time")
    func concurrentRenderings() async throws {
        let template = try ChatTemplate(source: TemplateFixture.source("qwen3-thinking"))
        let texts = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<32 {
                group.addTask {
                    let message: TemplateValue = [
                        "role": .templateText("user"), "content": .string("Number \(number)"),
                    ]
                    return (number, try template.text([.init("messages", .array([message]))]))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for number in 0..<32 {
            #expect(texts[number] == "<|im_start|>user\nNumber \(number)<|im_end|>\n")
        }
    }

    @Test(
        "An error says the line and what is wrong",
        arguments: [
            ("a\n{{ x.y }}", 2, "'x' is undefined"), ("{{ {}.a.b }}", 1, "'dict object' has no attribute 'a'"),
            ("{% for a in [1] %}\n\n{{ a.b.c }}{% endfor %}", 3, "'int object' has no attribute 'b'"),
            ("\n\n{% if %}", 3, "an expression is expected"), ("{% for a in b %}", 1, "endfor"),
            ("{{ 'a' | frobnicate }}", 1, "frobnicate"), ("{{ 'a' | urlize }}", 1, "there is no filter 'urlize'"),
            ("{{ 1 is odder }}", 1, "odder"),
            ("\n{{ 'a' + 1 }}", 2, "'str' and 'int'"), ("{{ [].append(1) }}", 1, "unsafe"),
            ("{% include 'x' %}", 1, "include"), ("{% extends 'x' %}", 1, "extends"), ("{% block a %}", 1, "block"),
            ("{% from 'x' import y %}", 1, "from"), ("{{ [1]|random }}", 1, "random"), ("{{ 'a", 1, "string"),
            ("{% break %}", 1, "loop"),
            ("{{ 1 // 0 }}", 1, "zero"), ("{{ 9223372036854775807 + 1 }}", 1, "too large"),
        ]
    )
    func errors(_ source: String, _ line: Int, _ words: String) {
        let error = #expect(throws: TemplateError.self) { try rendered(source) }
        #expect(error?.line == line)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test("A template's own refusal is told as it is, without a line")
    func refusal() {
        let error = #expect(throws: TemplateError.self) { try rendered("{{ raise_exception('Speak, ' ~ 'friend') }}") }
        #expect(error?.kind == .raised)
        #expect(error?.description == "Speak, friend")
    }

    @Test("JSON that came as text is written as it came, its values are read as any")
    func spelledValues() throws {
        let json = #"{"a":[1,  2.0], "b": "\u00e9"}"#
        let value = TemplateValue.spelled(
            ["a": .spelled([1, 2], "[1,  2.0]"), "b": "é"],
            json
        )
        func text(_ source: String) throws -> String {
            try ChatTemplate(source: source).render([.init("x", value)]).string
        }
        #expect(try text("{{ x | tojson }}") == json)
        #expect(try text("{{ {'arguments': x} | tojson }}") == #"{"arguments": \#(json)}"#)
        #expect(try text("{% for k, v in x | items %}{{ k }}={{ v | tojson }};{% endfor %}") == "a=[1,  2.0];b=\"é\";")
        #expect(try text("{{ x.a | length }}{{ x.b }}{{ (x.a + [3]) | tojson }}") == "2é[1, 2, 3]")
        // What must be laid out otherwise is.
        #expect(try text("{{ x.a | tojson(indent=1) }}") == "[\n 1,\n 2\n]")
    }
}
