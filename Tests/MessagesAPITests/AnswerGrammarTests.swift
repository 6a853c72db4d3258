import Chat
import Constraints
import EngineContract
import JSON
import Testing
import Tokenization

@testable import MessagesAPI

/// What the answer may be, by the model's syntax and the request's choice.
struct AnswerGrammarTests {
    // MARK: Syntaxes

    static func hermes() -> AnswerSyntax {
        var calls = CallSyntax(
            callStart: "<tool_call>\n{\"name\": \"",
            nameEnd: "\", \"arguments\": ",
            arguments: .json(.spaced),
            callEnd: "}\n</tool_call>"
        )
        calls.separator = "\n"
        let thinking = ThinkingSyntax(start: "<think>", end: "</think>", closing: "\n</think>\n\n")
        return AnswerSyntax(thinking: thinking, calls: calls)
    }

    static func mistral() -> AnswerSyntax {
        var calls = CallSyntax(
            callStart: "{\"name\": \"",
            nameEnd: "\", \"arguments\": ",
            arguments: .json(.spaced),
            callEnd: "}"
        )
        calls.sectionStart = "[TOOL_CALLS]["
        calls.separator = ", "
        calls.sectionEnd = "]"
        return AnswerSyntax(calls: calls)
    }

    static func llama() -> AnswerSyntax {
        var calls = CallSyntax(
            callStart: "{\"name\": \"",
            nameEnd: "\", \"parameters\": ",
            arguments: .json(.spaced),
            callEnd: "}"
        )
        calls.isWholeAnswer = true
        return AnswerSyntax(calls: calls)
    }

    static func kimi() -> AnswerSyntax {
        var calls = CallSyntax(
            callStart: "<|call|>functions.",
            nameEnd: "<|args|>",
            arguments: .json(.compact),
            callEnd: "<|callend|>"
        )
        calls.sectionStart = "<|calls|>"
        calls.sectionEnd = "<|callsend|>"
        calls.identifier = CallIdentifier(start: ":", form: .number)
        return AnswerSyntax(calls: calls)
    }

    // MARK: Helpers

    static let model = GrammarModel(
        specials: ["<|end|>", "[TOOL_CALLS]", "<|call|>", "<|args|>", "<|callend|>", "<|calls|>", "<|callsend|>"]
    )

    static func tools(_ schemas: KeyValuePairs<String, String>) throws -> [ToolDefinition] {
        try schemas.map { name, schema in
            let node = try JSONDocument(Array(schema.utf8)).root
            return ToolDefinition(name: name, description: nil, inputSchema: node)
        }
    }

    static func usualTools() throws -> [ToolDefinition] {
        try tools([
            "get": #"{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]}"#,
            "get_weather": #"{"properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}"#,
            "now": #"{"type":"object","properties":{}}"#,
        ])
    }

    private func admits(
        _ syntax: AnswerSyntax,
        _ text: String,
        _ choice: ToolChoice = ToolChoice(),
        format: String? = nil,
        isInsideThinking: Bool = false,
        mayThink: Bool = true
    ) throws -> Bool {
        let format = try format.map { try JSONDocument(Array($0.utf8)).root }
        let constraint = try Self.model.constraint(
            syntax,
            try Self.usualTools(),
            choice,
            format,
            isInsideThinking: isInsideThinking,
            mayThink: mayThink
        )
        return Self.model.admits(try #require(constraint), text)
    }

    private static let one = ToolChoice(kind: .auto, allowsParallel: false)
    private static let call = "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"id\": 7}}\n</tool_call>"
    private static let second =
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>"

    // MARK: Auto

    @Test(arguments: [
        "", "Hello.", "a <b> {\"name\": \"x\"}", "<tool", "I use <tool_ca", Self.call, "I look.\n" + Self.call,
        Self.call + "\n" + Self.second, "<think>\nhm <tool_call> </think>\n\nfine", "<think>a</think>\n" + Self.call,
        "x <think> y", "<think>cut", "< tool_call >x", "a < tool_call>",
    ])
    func textIsFreeUntilACallBegins(_ text: String) throws {
        #expect(try admits(Self.hermes(), text))
    }

    @Test(arguments: [
        "<tool_call>", "<tool_call>x", Self.call + "more", "<tool_call>\n{\"name\": \"other\"",
        "<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n</tool_call>",
        "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"id\": \"7\"}}\n</tool_call>", "a<|call|>",
        "<think>a</think><tool_call>x",
    ])
    func whatBeginsACallMustBeOne(_ text: String) throws {
        #expect(try !admits(Self.hermes(), text))
    }

    @Test func oneCallIsTheOnlyOneWhereSeveralAreNotWanted() throws {
        #expect(try admits(Self.hermes(), Self.call, Self.one))
        #expect(try !admits(Self.hermes(), Self.call + "\n" + Self.second, Self.one))
    }

    @Test func wholeAnswerIsACallOnlyWhereItBeginsLikeOne() throws {
        let call = "{\"name\": \"now\", \"parameters\": {}}"
        #expect(try admits(Self.llama(), call))
        #expect(try admits(Self.llama(), "See: {\"name\": \"x\"}"))
        #expect(try admits(Self.llama(), "{\"n\": 1}"))
        #expect(try !admits(Self.llama(), "{\"name\": \"x\"}"))
        #expect(try !admits(Self.llama(), " {\"name\": \"x\"}"))
        #expect(try !admits(Self.llama(), call + " and more"))
    }

    @Test func specialTokensBeginCalls() throws {
        let call = "[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}}]"
        #expect(try admits(Self.mistral(), "Well. " + call))
        #expect(
            try admits(
                Self.mistral(),
                "[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}}, {\"name\": \"get\", \"arguments\": {\"id\": 1}}]"
            )
        )
        #expect(try !admits(Self.mistral(), "[TOOL_CALLS] text"))
        #expect(try !admits(Self.mistral(), "<|call|>"))
        // Spelled out, it is text.
        let spelled = Self.model.bytes("[TOOL_CALLS] text")
        let constraint = try #require(
            try Self.model.constraint(Self.mistral(), try Self.usualTools(), ToolChoice(), nil)
        )
        #expect(Self.model.admits(constraint, spelled))
    }

    @Test func callsMayHaveNamesOfTheirOwn() throws {
        let call = { (id: String) in "<|calls|><|call|>functions.get:\(id)<|args|>{\"id\":1}<|callend|><|callsend|>" }
        for id in ["0", "12"] { #expect(try admits(Self.kimi(), "Yes." + call(id))) }
        for id in ["", "01", "x"] { #expect(try !admits(Self.kimi(), call(id))) }
    }

    // MARK: None

    private static let noCall = ToolChoice(kind: .none)

    @Test(arguments: [
        "", "Hello.", "I use <tool_call", "< tool_call>", "{\"name\": \"get\", \"arguments\": {\"id\": 7}}",
        "<think>\nhm <tool_call> </think>\n\nfine", "<think>cut",
    ])
    func textIsFreeWhereNothingMayBeCalled(_ text: String) throws {
        #expect(try admits(Self.hermes(), text, Self.noCall))
    }

    @Test(arguments: [
        "<tool_call>", "I look.\n" + call, "<think>a</think>\n" + call, "<think>a</think> b <tool_call>", "a<|call|>",
    ])
    func noCallBeginsWhereNothingMayBeCalled(_ text: String) throws {
        #expect(try !admits(Self.hermes(), text, Self.noCall))
    }

    @Test func markersOfEverySyntaxAreForbidden() throws {
        #expect(try admits(Self.mistral(), "[TOOL_CALL", Self.noCall))
        #expect(try !admits(Self.mistral(), "Well. [TOOL_CALLS]", Self.noCall))
        let constraint = try #require(
            try Self.model.constraint(Self.mistral(), try Self.usualTools(), Self.noCall, nil)
        )
        // Spelled out, it is text.
        #expect(Self.model.admits(constraint, Self.model.bytes("[TOOL_CALLS]")))
        #expect(try !admits(Self.kimi(), "<|calls|>", Self.noCall))
        #expect(try !admits(Self.llama(), "\n{\"name\":", Self.noCall))
        #expect(try admits(Self.llama(), "See: {\"name\": \"now\"}", Self.noCall))
        // No other token is kept from coming.
        var mask = TokenMask(tokenCount: 256 + Self.model.specials.count)
        constraint.allow(into: &mask)
        #expect(mask.tokens == (0...256).map { Token($0) })
    }

    @Test func otherStartsOfAnAnswerShareAMarkerWithForbiddenCalls() throws {
        var syntax = AnswerSyntax(
            thinking: ThinkingSyntax(start: "<|call|>think<|args|>", end: "<|callend|>", closing: "<|callend|>"),
            calls: CallSyntax(
                callStart: "<|call|>to=",
                nameEnd: "<|args|>",
                arguments: .json(.compact),
                callEnd: "<|callend|>"
            )
        )
        syntax.textStarts = ["<|call|>say<|args|>"]
        for text in ["<|call|>say<|args|>Hi", "<|call|>think<|args|>hm<|callend|><|call|>say<|args|>Hi", "Hi"] {
            #expect(try admits(syntax, text, Self.noCall), "\(text)")
        }
        let call = "<|call|>to=now<|args|>{}<|callend|>"
        #expect(try admits(syntax, call))
        for text in [call, "Hi" + call, "Hi<|call|>say<|args|>Hi", "<|call|>say<|args|>Hi" + call] {
            #expect(try !admits(syntax, text, Self.noCall), "\(text)")
        }
    }

    // MARK: Forced

    @Test func forcedAnswerBeginsWithACall() throws {
        for kind in [ToolChoice.Kind.any, .tool("get")] {
            let choice = ToolChoice(kind: kind)
            #expect(try admits(Self.hermes(), Self.call, choice))
            #expect(try admits(Self.hermes(), "<think>\nhm\n</think>\n\n" + Self.call, choice))
            #expect(try !admits(Self.hermes(), "<think>\nhm\n</think>\n\n" + Self.call, choice, mayThink: false))
            #expect(try admits(Self.hermes(), "hm\n</think>\n\n" + Self.call, choice, isInsideThinking: true))
            #expect(try !admits(Self.hermes(), Self.call, choice, isInsideThinking: true))
            #expect(try !admits(Self.hermes(), "Hello.", choice))
            #expect(try !admits(Self.hermes(), "", choice))
        }
        #expect(try admits(Self.hermes(), Self.second, ToolChoice(kind: .any)))
        #expect(try !admits(Self.hermes(), Self.second, ToolChoice(kind: .tool("get"))))
        let both = Self.call + "\n" + Self.call
        #expect(try admits(Self.hermes(), both, ToolChoice(kind: .tool("get"))))
        #expect(try !admits(Self.hermes(), both, ToolChoice(kind: .tool("get"), allowsParallel: false)))
    }

    @Test func forcedCallNeedsFewSteps() throws {
        var constraint = try #require(
            try Self.model.constraint(
                Self.hermes(),
                try Self.usualTools(),
                ToolChoice(kind: .tool("now"), allowsParallel: false),
                nil,
                mayThink: false
            )
        )
        let forced = constraint.forced
        #expect(Self.model.text(forced) == "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>")
        for token in forced {
            let isAccepted = constraint.accept(token)
            #expect(isAccepted)
        }
        #expect(constraint.isComplete)
    }

    // MARK: Format

    @Test func formatIsTheWholeAnswerOrACallComesFirst() throws {
        let format = #"{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"]}"#
        #expect(try admits(Self.hermes(), #"{"a":true}"#, format: format))
        #expect(try admits(Self.hermes(), "<think>x</think>\n\n" + #"{"a": false}"#, format: format))
        #expect(try admits(Self.hermes(), Self.call, format: format))
        #expect(try !admits(Self.hermes(), "Hello.", format: format))
        #expect(try !admits(Self.hermes(), Self.call, ToolChoice(kind: .none), format: format))
        #expect(try !admits(Self.hermes(), #"{"a":true,"b":1}"#, format: format))
    }

    @Test func nothingIsHeldToAFormWithoutToolsAndFormat() throws {
        #expect(try Self.model.constraint(Self.hermes(), [], ToolChoice(), nil) == nil)
        #expect(try Self.model.constraint(Self.hermes(), [], ToolChoice(kind: .none), nil) == nil)
    }

    @Test func whatCannotBeEnforcedIsNamedOrRefused() throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}},"required":["a"]}"#
        var tools = try Self.tools(["f": schema])
        let made = try Self.model.make(Self.hermes(), tools, ToolChoice(), nil)
        #expect(made?.ignored == ["properties.a.uniqueItems"])
        #expect(try Self.model.make(Self.hermes(), tools, ToolChoice(), nil)?.ignored == [])
        tools[0].isStrict = true
        #expect(throws: SchemaError.self) { try Self.model.make(Self.hermes(), tools, ToolChoice(), nil) }
    }
}

/// A vocabulary of bytes and some special tokens, of which the first ends an answer.
struct GrammarModel: Sendable {
    let tokenizer: Tokenizer
    let cache: GrammarCache
    let specials: [String]

    init(specials: [String]) {
        self.specials = specials
        // Bytes by their usual names.
        var vocabulary = (0..<256).map { "\"<0x\(Self.hex($0 >> 4))\(Self.hex($0 & 15))>\":\($0)" }
        vocabulary += specials.indices.map { "\"\(specials[$0])\":\(256 + $0)" }
        let added = specials.indices.map {
            "{\"id\":\(256 + $0),\"content\":\"\(specials[$0])\",\"special\":true,\"normalized\":false}"
        }
        let file = """
            {"added_tokens":[\(added.joined(separator: ","))],"normalizer":null,"pre_tokenizer":null,
             "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]},
             "model":{"type":"BPE","byte_fallback":true,"vocab":{\(vocabulary.joined(separator: ","))},"merges":[]}}
            """
        guard let tokenizer = try? Tokenizer(tokenizerJSON: Array(file.utf8)) else {
            preconditionFailure("the vocabulary of the tests is not read")
        }
        self.tokenizer = tokenizer
        cache = GrammarCache(Vocabulary(tokenizer, rows: 256 + specials.count, stopTokens: [256]))
    }

    private static func hex(_ nibble: Int) -> String { String(nibble, radix: 16, uppercase: true) }

    func bytes(_ text: String) -> [Token] { text.utf8.map { Token($0) } }

    func tokens(_ text: String) -> [Token] { tokenizer.encode(parsingSpecials: text) }

    func text(_ tokens: [Token]) -> String {
        String(decoding: tokens.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self)
    }

    func make(
        _ syntax: AnswerSyntax,
        _ tools: [ToolDefinition],
        _ choice: ToolChoice,
        _ format: JSONNode?,
        isInsideThinking: Bool = false,
        mayThink: Bool = true
    ) throws -> (constraint: any TokenConstraint, ignored: [String])? {
        try AnswerGrammar.constraint(
            for: PrintedSyntax(syntax),
            tools: tools,
            choice: choice,
            format: format,
            isInsideThinking: isInsideThinking,
            mayThink: mayThink,
            tokenizer: tokenizer,
            stopTokens: [256],
            cache: cache
        )
    }

    func constraint(
        _ syntax: AnswerSyntax,
        _ tools: [ToolDefinition],
        _ choice: ToolChoice,
        _ format: JSONNode?,
        isInsideThinking: Bool = false,
        mayThink: Bool = true
    ) throws -> (any TokenConstraint)? {
        try make(syntax, tools, choice, format, isInsideThinking: isInsideThinking, mayThink: mayThink)?.constraint
    }

    func admits(_ constraint: any TokenConstraint, _ text: String) -> Bool { admits(constraint, tokens(text)) }

    /// Whether tokens are a whole answer, each allowed by the mask and accepted.
    func admits(_ constraint: any TokenConstraint, _ tokens: [Token]) -> Bool {
        var session = constraint
        var mask = TokenMask(tokenCount: 256 + specials.count)
        for token in tokens {
            session.allow(into: &mask)
            let isAccepted = session.accept(token)
            guard mask.contains(token) == isAccepted else {
                Issue.record("the mask and the automaton differ at token \(token)")
                return false
            }
            if !isAccepted { return false }
        }
        return session.isComplete
    }
}
