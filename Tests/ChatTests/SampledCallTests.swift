import Chat
import Testing

/// Calls of earlier answers in the prompt of the next turn.
@Suite struct SampledCallTests {
    private static func format(_ source: String) throws -> ChatFormat {
        try ChatFormat(
            TokenizerConfiguration(templates: ["default": source], specialTokens: ["eos_token": "</s>"]),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
    }

    /// Of a template that writes neither calls nor results.
    private static let plain =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

    /// Rounds of calls, each with their results, as a format writes them.
    private static func written(_ format: ChatFormat, _ rounds: [[ToolCall]]) throws -> String {
        var turns = [ChatTurn(role: .user, text: "Where?")]
        for calls in rounds {
            var answer = ChatTurn(role: .assistant, text: "")
            answer.calls = calls
            turns.append(answer)
            for call in calls {
                var result = ChatTurn(role: .tool, text: "RESULT \(call.id)")
                result.answeredCall = .init(id: call.id, name: call.name)
                turns.append(result)
            }
        }
        return try format.preview(ChatConversation(turns: turns, tools: [ToolDefinition("find-it", "Finds it.")]))
    }

    private static let odd = #"{"text":  "\u00e9\/", "days": 1.0,"tags":[ 1e2,{"a" : null}]}"#
    private static let usual = #"{"text": "é/", "days": 1.0, "tags": [1e2, {"a": null}]}"#

    private static func call(_ arguments: String, isSampled: Bool) -> ToolCall {
        var call = ToolCall(id: "call00001", name: "find-it", arguments: arguments)
        call.isSampled = isSampled
        return call
    }

    @Test("Arguments that the model wrote stand in a template's calls as it wrote them", arguments: ToolTemplate.all)
    func sampled(_ template: ToolTemplate) throws {
        let text = try Self.written(Self.format(template.source), [[Self.call(Self.odd, isSampled: true)]])
        switch template.syntax.arguments {
        case .json: #expect(text.contains(Self.odd))
        case .parameters(let parameters) where parameters.otherNameEnd == nil:
            #expect(text.contains("1.0") && text.contains(#"[ 1e2,{"a" : null}]"#) && text.contains("é/"))
        case .parameters, .python, .bare: break
        }
    }

    @Test("Where the format writes calls itself, or gives arguments as a text, others' are written in the usual layout")
    func layout() throws {
        let asText = ToolTemplate.source(
            #"{%- for c in m.tool_calls -%}<tool_call>${"name": "{{ c.function.name }}", "arguments": "#
                + "{{ c.function.arguments }}}$</tool_call>{%- endfor -%}"
        )
        for source in [Self.plain, asText] {
            let format = try Self.format(source)
            for (isSampled, expected) in [(true, Self.odd), (false, Self.usual)] {
                let text = try Self.written(format, [[Self.call(Self.odd, isSampled: isSampled)]])
                #expect(text.contains(#""name": "find-it", "arguments": \#(expected)}"#), "\(text)")
            }
        }
    }

    @Test("An integer too large for the machine's is no other integer")
    func largeIntegers() throws {
        let hermes = try #require(ToolTemplate.all.first { $0.name == "Hermes" })
        let call = Self.call(#"{"n":100000000000000000000}"#, isSampled: false)
        let text = try Self.written(Self.format(hermes.source), [[call]])
        #expect(text.contains(#"{"n": 1"#) && !text.contains("9223372036854775807"), "\(text)")
    }

    @Test("The calls of a conversation are counted from its beginning, and results name theirs")
    func numbers() throws {
        let kimi = try #require(ToolTemplate.all.first { $0.name == "Kimi K2" })
        let naming = kimi.source.replacing(
            "{{- m.content or '' }}",
            with: "{{- m.tool_call_id ~ '=' if m.tool_call_id }}{{- m.content or '' }}"
        )
        let calls = ["a", "b", "c"].map { ToolCall(id: $0, name: "find-it", arguments: "{}") }
        let known = "{% if tools %}<|tool_call_argument_begin|>{% endif %}" + Self.plain
        for (source, isNamed) in [(naming, true), (known, false)] {
            let text = try Self.written(Self.format(source), [[calls[0]], [calls[1], calls[2]]])
            for (number, call) in calls.enumerated() {
                let name = "functions.find-it:\(number)"
                #expect(text.contains("<|tool_call_begin|>\(name)<|tool_call_argument_begin|>{}"), "\(text)")
                if isNamed { #expect(text.contains("\(name)=RESULT \(call.id)"), "\(text)") }
            }
        }
    }
}
