import Chat
import Constraints
import EngineContract
import JSON
import Support
import Testing
import Tokenization

@testable import MessagesAPI

/// Calls in every syntax for arguments: what the constraint lets a model write, the parser reads, and it is valid.
struct CallSyntaxTests {
    // MARK: Syntaxes

    static let model = GrammarModel(
        specials: [
            "<|end|>", "[TOOL_CALLS]", "<|call|>", "<|args|>", "<|callend|>", "<|calls|>", "<|callsend|>", "<arg_key>",
            "</arg_key>", "<arg_value>", "</arg_value>", "<quote>", "<tool>", "</tool>",
        ]
    )

    /// As Qwen3-Coder's.
    static func tagged() -> AnswerSyntax {
        let parameters = ParameterSyntax(start: "<parameter=", nameEnd: ">\n", valueEnd: "\n</parameter>\n")
        var calls = CallSyntax(
            callStart: "<tool_call>\n<function=",
            nameEnd: ">\n",
            arguments: .parameters(parameters),
            callEnd: "</function>\n</tool_call>"
        )
        calls.separator = "\n"
        var syntax = AnswerSyntax(calls: calls)
        var short = calls
        short.callStart = "<function="
        short.callEnd = "</function>"
        syntax.otherCalls = [short]
        return syntax
    }

    /// As GLM's, with special tokens, and no end of the name.
    static func keyed() -> AnswerSyntax {
        let parameters = ParameterSyntax(
            start: "<arg_key>",
            nameEnd: "</arg_key><arg_value>",
            valueEnd: "</arg_value>"
        )
        return AnswerSyntax(
            calls: CallSyntax(
                callStart: "<tool>",
                nameEnd: "",
                arguments: .parameters(parameters),
                callEnd: "</tool>"
            )
        )
    }

    /// As DeepSeek's, whose markers tell strings from other values.
    static func typed() -> AnswerSyntax {
        var parameters = ParameterSyntax(
            start: "<parameter name=\"",
            nameEnd: "\" string=\"true\">",
            valueEnd: "</parameter>\n"
        )
        parameters.otherNameEnd = "\" string=\"false\">"
        var calls = CallSyntax(
            callStart: "<invoke name=\"",
            nameEnd: "\">\n",
            arguments: .parameters(parameters),
            callEnd: "</invoke>\n"
        )
        (calls.sectionStart, calls.sectionEnd) = ("<calls>\n", "</calls>")
        return AnswerSyntax(calls: calls)
    }

    /// As LFM's.
    static func python() -> AnswerSyntax {
        var calls = CallSyntax(callStart: "", nameEnd: "(", arguments: .python, callEnd: ")")
        (calls.sectionStart, calls.separator, calls.sectionEnd) = ("<|calls|>[", ", ", "]<|callsend|>")
        return AnswerSyntax(calls: calls)
    }

    /// As Gemma 4's.
    static func bare(_ quote: String) -> AnswerSyntax {
        AnswerSyntax(
            calls: CallSyntax(
                callStart: "<tool>call:",
                nameEnd: "",
                arguments: .bare(quote: quote),
                callEnd: "</tool>"
            )
        )
    }

    static let syntaxes: [String: @Sendable () -> AnswerSyntax] = [
        "JSON": { AnswerGrammarTests.hermes() }, "JSON with special tokens": { AnswerGrammarTests.kimi() },
        "JSON as the whole answer": { AnswerGrammarTests.llama() }, "JSON in a list": { AnswerGrammarTests.mistral() },
        "tags": { tagged() }, "keys": { keyed() }, "typed": { typed() }, "Python": { python() },
        "bare": { bare("<quote>") }, "bare with a text": { bare("<|\"|>") },
    ]

    // MARK: Examples

    static func tools() throws -> [ToolDefinition] {
        try AnswerGrammarTests.tools([
            "find": """
            {"type":"object","properties":{"text":{"type":"string"},"count":{"type":"integer"},
             "exact":{"type":"boolean"},"tags":{"type":"array","items":{"type":"string"},"maxItems":3},
             "place":{"type":"object","properties":{"city":{"type":"string"},"zip":{"type":["string","null"]}},
                      "required":["city"]},
             "kind":{"enum":["a","b c"]},"note":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["text"]}
            """,
            "set": """
            {"type":"object","properties":{"code":{"type":"string","pattern":"^[A-Z]{2}[0-9]+$"},
             "short":{"type":"string","minLength":2,"maxLength":4},"day":{"type":"string","format":"date"},
             "mixed":{"type":["string","integer"]},"any":{},"one":{"const":"1"},"two":{"enum":["2",2,null]}},
             "required":["code","mixed"]}
            """,
            "stop": #"{"type":"object","properties":{}}"#,
            "free": #"{"type":"object","additionalProperties":{"type":["string","boolean"]}}"#,
            "more": """
            {"type":"object","properties":{"name":{"type":"string","maxLength":100000},
             "alias":{"type":["string","null"],"maxLength":5000},"level":{"$ref":"#/$defs/Level"},
             "labels":{"type":"object","propertyNames":{"type":"string"},"additionalProperties":{"type":"string"}},
             "sizes":{"type":"object","propertyNames":{"pattern":"^[a-f]+$"},"additionalProperties":{"type":"integer"}}},
             "required":["level"],"$defs":{"Level":{"enum":["1","2"],"type":"string"}}}
            """,
        ])
    }

    private func admits(_ syntax: AnswerSyntax, _ text: String) throws -> Bool {
        let constraint = try Self.model.constraint(syntax, try Self.tools(), ToolChoice(), nil)
        return Self.model.admits(try #require(constraint), text)
    }

    @Test func parametersStandBetweenTags() throws {
        let call = { (body: String) in "Hm <tool_call>\n<function=find>\n\(body)</function>\n</tool_call>" }
        let parameter = { (name: String, value: String) in "<parameter=\(name)>\n\(value)\n</parameter>\n" }
        let text = parameter("text", "\"a\" <b> {\nc")
        #expect(try admits(Self.tagged(), call(text)))
        #expect(try admits(Self.tagged(), call(text + parameter("count", "12") + parameter("exact", "true"))))
        #expect(try admits(Self.tagged(), call(text + parameter("tags", "[\"a\", \"b\"]"))))
        #expect(try admits(Self.tagged(), call(text + parameter("place", "{\"city\": \"R\", \"zip\": null}"))))
        #expect(try admits(Self.tagged(), call(text + parameter("kind", "b c"))))
        #expect(try admits(Self.tagged(), call(text + parameter("note", "null"))))
        // A string that need not be one is none that would be read as something else.
        for (note, isRead) in [
            ("nothing", true), ("New York", true), ("India", true), ("12 Main Street", true), ("-", true), ("1.", true),
            ("2024-02-29", true), ("1e", true), ("12", true), (" -1.5e+3 ", true), ("None", false), ("[a]", true),
            ("[1]", true), ("true", true), ("\"a", false), ("{", true),
        ] {
            #expect(try admits(Self.tagged(), call(text + parameter("note", note))) == isRead, "\(note)")
        }
        #expect(try !admits(Self.tagged(), call(text + parameter("kind", "c"))))
        #expect(try !admits(Self.tagged(), call(text + parameter("count", "x"))))
        #expect(try !admits(Self.tagged(), call(text + parameter("other", "x"))))
        #expect(try !admits(Self.tagged(), call(parameter("count", "1"))))
        #expect(try !admits(Self.tagged(), call(parameter("text", "a </parameter> b"))))
        #expect(try admits(Self.tagged(), "<function=stop>\n</function>"))
        #expect(try !admits(Self.tagged(), "<function=stop> text"))
    }

    @Test func lengthsReferencesAndRecordsAreAsInJSON() throws {
        let tagged = { (body: String) in "<tool_call>\n<function=more>\n\(body)</function>\n</tool_call>" }
        let parameter = { (name: String, value: String) in "<parameter=\(name)>\n\(value)\n</parameter>\n" }
        let level = parameter("level", "2")
        for (body, isValid) in [
            (parameter("name", "a b") + level, true), (parameter("alias", "12") + level, true),
            (parameter("alias", "null") + level, true), (level + parameter("labels", #"{"a b": "c"}"#), true),
            (level + parameter("sizes", #"{"ab": 1}"#), true), (level + parameter("sizes", #"{"xy": 1}"#), false),
            (parameter("level", "3"), false), (parameter("level", "\"2\""), false),
        ] {
            #expect(try admits(Self.tagged(), tagged(body)) == isValid, "\(body)")
        }
        let bare = { (body: String) in "<tool>call:more{\(body)}</tool>" }
        let two = "level:<quote>2<quote>"
        for (body, isValid) in [
            ("name:<quote>a b<quote>,\(two)", true),
            ("\(two),labels:{Content-Type:<quote>c<quote>,a:<quote><quote>}", true),
            ("\(two),labels:{a b:<quote>c<quote>}", false), ("\(two),sizes:{ab:1}", true),
            ("\(two),sizes:{xy:1}", false),
        ] {
            #expect(try admits(Self.bare("<quote>"), bare(body)) == isValid, "\(body)")
        }
    }

    @Test func whatIsIgnoredOfASchemaTakesNothingElseWithIt() throws {
        let tools = try AnswerGrammarTests.tools([
            "set": #"""
            {"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"anyOf":[{}],
             "unevaluatedProperties":false,
             "patternProperties":{"^\\p{Nope}":{}},"additionalProperties":false}
            """#
        ])
        let constraint = try #require(try Self.model.constraint(AnswerGrammarTests.hermes(), tools, ToolChoice(), nil))
        for (value, isValid) in [("1", true), ("\"abc\"", false)] {
            let text = "<tool_call>\n{\"name\": \"set\", \"arguments\": {\"n\": \(value)}}\n</tool_call>"
            #expect(Self.model.admits(constraint, text) == isValid)
        }
    }

    @Test func markersInStringsOfJSONEndNoValue() throws {
        let tools = try Self.tools()
        let tags = #"["a</parameter>\n</function>", "b \" c"]"#
        let text =
            "<tool_call>\n<function=find>\n<parameter=text>\nx\n</parameter>\n<parameter=tags>\n\(tags)\n</parameter>\n"
        let whole = text + "</function>\n</tool_call>"
        let call = try #require(ReadCall.all(in: whole, Self.tagged(), tools).first)
        #expect(call.isWhole && call.arguments == "{\"text\": \"x\", \"tags\": \(tags)}")
        // Also where any kind of value may stand.
        let any = "<tool_call>\n<function=set>\n<parameter=any>\n\(tags)\n</parameter>\n</function>\n</tool_call>"
        let other = try #require(ReadCall.all(in: any, Self.tagged(), tools).first)
        #expect(other.isWhole && other.arguments == "{\"any\": \(tags)}")
        // Byte by byte it is the same.
        var parser = AnswerParser(Self.tagged(), tools: tools, isInsideThinking: false)
        let parts = whole.flatMap { parser.push(String($0)) } + parser.finish()
        let arguments = parts.map { if case .toolCallArguments(let text) = $0 { text } else { "" } }.joined()
        #expect(arguments == call.arguments)
    }

    @Test func spelledQuotesAreText() throws {
        var parser = AnswerParser(
            Self.bare("<|q|>"),
            tools: try Self.tools(),
            isInsideThinking: false,
            specialTexts: [Array("<|q|>".utf8)]
        )
        var parts = parser.push("<tool>call:find{text:") + parser.push("<|q|>", special: 5)
        parts += parser.push("use <|q|> here") + parser.push("<|q|>", special: 5) + parser.push("}</tool>")
        let arguments = (parts + parser.finish()).map { if case .toolCallArguments(let text) = $0 { text } else { "" } }
        #expect(arguments.joined() == #"{"text": "use <|q|> here"}"#)
    }

    @Test func stringsMeetTheirSchemaAsTheyAre() throws {
        let call = { (code: String, rest: String) in
            "<tool><arg_key>code</arg_key><arg_value>\(code)</arg_value>\(rest)</tool>"
                .replacing("<tool>", with: "<tool>set")
        }
        let mixed = "<arg_key>mixed</arg_key><arg_value>x</arg_value>"
        #expect(try admits(Self.keyed(), call("AB12", mixed)))
        #expect(try !admits(Self.keyed(), call("A12", mixed)))
        #expect(try admits(Self.keyed(), call("AB1", "<arg_key>short</arg_key><arg_value>\"\n</arg_value>" + mixed)))
        #expect(try !admits(Self.keyed(), call("AB1", "<arg_key>short</arg_key><arg_value>12345</arg_value>" + mixed)))
        #expect(
            try admits(Self.keyed(), call("AB1", "<arg_key>day</arg_key><arg_value>2024-02-29</arg_value>" + mixed))
        )
        #expect(
            try !admits(Self.keyed(), call("AB1", "<arg_key>day</arg_key><arg_value>2023-02-29</arg_value>" + mixed))
        )
        #expect(try !admits(Self.keyed(), call("AB1", "<arg_key>mixed</arg_key><arg_value>1.5</arg_value>")))
    }

    @Test func markersTellStringsFromOthers() throws {
        let call = { (body: String) in "<calls>\n<invoke name=\"set\">\n\(body)</invoke>\n</calls>" }
        let text = { (name: String, value: String) in
            "<parameter name=\"\(name)\" string=\"true\">\(value)</parameter>\n"
        }
        let other = { (name: String, value: String) in
            "<parameter name=\"\(name)\" string=\"false\">\(value)</parameter>\n"
        }
        #expect(try admits(Self.typed(), call(text("code", "AB1") + text("mixed", "12"))))
        #expect(try admits(Self.typed(), call(text("code", "AB1") + other("mixed", "12"))))
        #expect(try !admits(Self.typed(), call(text("code", "AB1") + other("mixed", "x"))))
        #expect(try !admits(Self.typed(), call(other("code", "12") + text("mixed", "12"))))
    }

    @Test func argumentsAreLiteralsOfPython() throws {
        let call = { (body: String) in "<|calls|>[find(\(body))]<|callsend|>" }
        #expect(try admits(Self.python(), call(#"text="a (b)", count=3, exact=True, tags=["x", "y"]"#)))
        #expect(try admits(Self.python(), call(#"text="", place={"city": "R", "zip": None}"#)))
        #expect(try admits(Self.python(), "<|calls|>[stop(), stop()]<|callsend|>"))
        #expect(try !admits(Self.python(), call(#"text="a", exact=true"#)))
        #expect(try !admits(Self.python(), call("count=3")))
    }

    @Test func namesAreBareAndTextsBetweenQuotes() throws {
        for quote in ["<quote>", "<|\"|>"] {
            let call = { (body: String) in "<tool>call:find{\(body)}</tool>" }
            let text = { (text: String) in quote + text + quote }
            #expect(try admits(Self.bare(quote), call("text:" + text("a, \"b\" {c}") + ",count:3,exact:true")))
            let tags = ",tags:[" + text("x") + "," + text("y") + "]"
            #expect(try admits(Self.bare(quote), call("text:" + text("") + tags)))
            #expect(
                try admits(Self.bare(quote), call("text:" + text("a") + ",place:{city:" + text("R") + ",zip:null}"))
            )
            #expect(try !admits(Self.bare(quote), call("text:\"a\"")))
            #expect(try !admits(Self.bare(quote), call("text:" + text("a") + ",kind:" + text("c"))))
            #expect(try admits(Self.bare(quote), "<tool>call:stop{}</tool>"))
        }
    }

    // MARK: Random answers

    /// What ends strings.
    static let exits = [
        "tags": "\n</parameter>\n", "typed": "</parameter>\n", "bare with a text": "<|\"|>", "bare": "<quote>",
        "keys": "</arg_value>",
    ]

    @Test(arguments: Self.syntaxes.keys.sorted())
    func whateverComesOutCanBeReadAndIsValid(_ name: String) throws {
        let syntax = try #require(Self.syntaxes[name]?())
        let tools = try Self.tools()
        var calls = 0
        var finished = 0
        for seed in 0..<UInt64(30) {
            let kinds: [ToolChoice.Kind] = [.any, .tool("find"), .tool("set"), .tool("free"), .tool("more")]
            let choice = ToolChoice(kind: kinds[Int(seed) % kinds.count])
            let constraint = try #require(
                try Self.model.constraint(syntax, tools, choice, nil, mayThink: false)
            )
            guard let text = Self.model.randomAnswer(constraint, seed: seed, exit: Self.exits[name]) else { continue }
            finished += 1
            let read = ReadCall.all(in: text, syntax, tools)
            #expect(!read.isEmpty, "no call in \(text)")
            calls += read.count
            for call in read {
                #expect(call.isWhole, "\(text)")
                if case .tool(let name) = choice.kind { #expect(call.name == name) }
                let tool = try #require(tools.first { $0.name == call.name })
                #expect(try Self.isValid(call.arguments, tool.inputSchema), "\(call.arguments) of \(text)")
            }
        }
        #expect(finished > 20)
        #expect(calls >= finished)
    }

    /// By the constraint of the schema alone, in any order.
    static func isValid(_ arguments: String, _ schema: JSONNode) throws -> Bool {
        let texts = (0..<256).map { [UInt8($0)] } + [[]]
        let vocabulary = Vocabulary(texts: texts, stopTokens: [256])
        let grammar = try Grammar(schema: schema, options: SchemaOptions(isOrdered: false))
        var session = GrammarConstraint(grammar, vocabulary, forcesSpelling: false)
        for byte in arguments.utf8 where !session.accept(Token(byte)) { return false }
        return session.isComplete
    }
}

/// A call as it is read.
struct ReadCall {
    var name: String
    var arguments = ""
    var isWhole = false

    static func all(in text: String, _ syntax: AnswerSyntax, _ tools: [ToolDefinition]) -> [ReadCall] {
        var parser = AnswerParser(syntax, tools: tools, isInsideThinking: false)
        var calls: [ReadCall] = []
        for part in parser.push(text) + parser.finish() {
            switch part {
            case .text(let text) where !text.allSatisfy(\.isWhitespace):
                Issue.record("text beside the calls: \(text)")
            case .text, .thinking: break
            case .toolCallStart(let name): calls.append(ReadCall(name: name))
            case .toolCallArguments(let text): if !calls.isEmpty { calls[calls.count - 1].arguments += text }
            case .toolCallEnd: if !calls.isEmpty { calls[calls.count - 1].isWhole = true }
            }
        }
        return calls
    }
}

extension GrammarModel {
    private func follows(_ text: String, _ session: any TokenConstraint) -> Bool {
        var session = session
        for token in tokens(text) where !session.accept(token) { return false }
        return true
    }

    /// What a model says that draws any token that is allowed, and comes to an end after a while; nil if it does not.
    func randomAnswer(_ constraint: any TokenConstraint, seed: UInt64, exit: String? = nil, patience: Int = 100)
        -> String?
    {
        var session = constraint
        var generator = SeededGenerator(seed: seed)
        var mask = TokenMask(tokenCount: 256 + specials.count)
        var text: [UInt8] = []
        for step in 0..<1500 {
            session.allow(into: &mask)
            if session.isComplete, step > patience || mask.count == 1 { return String(decoding: text, as: UTF8.self) }
            let tokens = mask.tokens.filter { $0 != 256 }
            let closers = tokens.filter { $0 > 256 || "\"}])/<\n".utf8.contains(UInt8(clamping: $0)) }
            let isLeaving = step > patience && step % 4 != 0 && !closers.isEmpty
            // Nobody comes by chance upon what ends a string.
            if step > patience, let exit, follows(exit, session) {
                for token in self.tokens(exit) where session.accept(token) { text += tokenizer.bytes(of: token) }
                continue
            }
            // Letters more often than other bytes, of which most would be broken characters.
            let plain = tokens.filter { $0 < 128 && $0 >= 32 }
            let usual = plain.isEmpty || step % 5 == 0 ? tokens : plain
            guard let token = (isLeaving ? closers : usual).randomElement(using: &generator), session.accept(token)
            else {
                Issue.record("stuck after \(String(decoding: text, as: UTF8.self))")
                return nil
            }
            text += tokenizer.bytes(of: token)
        }
        return nil
    }
}
