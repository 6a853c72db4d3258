import Chat
import Templates
import Testing
import Tokenization

/// How models write calls and thoughts, found from templates.
@Suite struct SyntaxProbeTests {
    private static func format(_ source: String) throws -> ChatFormat {
        try ChatFormat(
            TokenizerConfiguration(templates: ["default": source], specialTokens: ["eos_token": "</s>"]),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
    }

    @Test("A family's syntax of calls is found from its template", arguments: ToolTemplate.all)
    func calls(_ template: ToolTemplate) throws {
        let format = try Self.format(template.source)
        let support = format.toolSupport
        #expect(support.tools && support.calls && support.results && support.origin == .derived)
        #expect(format.syntax.calls == template.syntax)
        #expect(
            format.syntax.thinking == ThinkingSyntax(start: "<think>", end: "</think>", closing: "\n</think>\n\n")
        )
    }

    @Test("What a template writes for an answer reads as that answer", arguments: ToolTemplate.all)
    func roundTrip(_ template: ToolTemplate) throws {
        let format = try Self.format(template.source)
        for history in try RoundTrip.histories(format) {
            #expect(try RoundTrip.readBack(history, format, RoundTrip.tools()) == history.expected, "\(history.label)")
        }
    }

    @Test("What a template has no place for is written in the usual form, the tools at the front")
    func noPlace() throws {
        let format = try Self.format(
            "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        )
        let support = format.toolSupport
        #expect(support.origin == .ours && !support.tools && !support.calls && !support.results)
        for history in try RoundTrip.histories(format) {
            #expect(try RoundTrip.readBack(history, format, RoundTrip.tools()) == history.expected, "\(history.label)")
        }
        let refusing = try Self.format(
            "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
                + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        )
        var answer = ChatTurn(role: .assistant, text: "I look.")
        answer.calls = [ToolCall(id: "a", name: "find-it", arguments: #"{"a":1}"#)]
        var result = ChatTurn(role: .tool, text: "RESULT")
        result.answeredCall = .init(id: "a", name: "find-it")
        let turns = [ChatTurn(role: .user, text: "Where?"), answer, result, ChatTurn(role: .user, text: "And?")]
        let text = try refusing.preview(ChatConversation(turns: turns, tools: [ToolDefinition("find-it", "Finds it.")]))
        #expect(text.hasPrefix("<|im_start|>system\n"))
        #expect(
            text.contains(#"{"name": "find-it", "description": "Finds it.", "parameters": {"type": "object"}}"#)
        )
        #expect(
            text.hasSuffix(
                "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nI look.\n<tool_call>\n"
                    + #"{"name": "find-it", "arguments": {"a": 1}}"# + "\n</tool_call><|im_end|>\n<|im_start|>user\n"
                    + "<tool_response>\nRESULT\n</tool_response>\nAnd?<|im_end|>\n"
            )
        )
    }

    @Test(
        "Calls that a template does not write, but names, are written and read as the model was trained to",
        arguments: [
            "<|tool_call_argument_begin|>", "<|tool_call_start|>", "<|tool_list_start|>", "<|tool_call|>", "<|tool|>",
        ]
    )
    func known(_ mark: String) throws {
        let format = try Self.format(
            "{% if tools %}<|im_start|>system\n\(mark){{ tools | tojson }}<|im_end|>\n{% endif %}"
                + "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        )
        #expect(format.toolSupport.origin == .known && format.toolSupport.tools && !format.toolSupport.calls)
        #expect(format.syntax.calls != AnswerExample.hermes)
        for history in try RoundTrip.histories(format) {
            #expect(try RoundTrip.readBack(history, format, RoundTrip.tools()) == history.expected, "\(history.label)")
        }
    }

    @Test("harmony's calls are read before and after the channel, and end the answer")
    func harmony() throws {
        let format = try Self.format(ChatFixture.template("harmony"))
        #expect(format.toolSupport.origin == .known)
        for history in try RoundTrip.histories(format) where history.calls.count == 1 {
            #expect(try RoundTrip.readBack(history, format, RoundTrip.tools()) == history.expected, "\(history.label)")
        }
        let calls = [
            "<|channel|>commentary to=functions.find-it <|constrain|>json<|message|>{}<|call|>",
            "<|start|>assistant to=functions.find-it<|channel|>commentary json<|message|>{}<|call|>",
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>commentary to=functions.find-it"
                + "<|message|>{}",
        ]
        for text in calls {
            var parser = AnswerParser(format.syntax, tools: try RoundTrip.tools(), isInsideThinking: false)
            let parts = parser.push(text) + parser.finish()
            #expect(
                parts.filter { if case .thinking = $0 { false } else { true } } == AnswerExample.call("find-it", "{}")
            )
        }
    }

    @Test("Tools are given under the name that SmolLM 3 has for them")
    func otherNames() throws {
        let format = try Self.format(
            "{% if xml_tools %}{{ xml_tools }}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}"
        )
        #expect(format.toolSupport.tools)
    }

    @Test("Tools that a template cannot write, for want of what their schemas need not have, are told of nevertheless")
    func poorSchemas() throws {
        let source =
            "{% for t in tools or [] %}{{ t.function.name }}{% for k, v in t.function.parameters.properties | items %}"
            + "{{ k ~ ': ' ~ (v.description | trim) + v.description }}{% endfor %}{% endfor %}"
            + "{% for m in messages %}{{ m.content }}{% endfor %}"
        let format = try Self.format(source)
        let tools = [try ToolDefinition("find-it", schema: #"{"type":"object","properties":{"a":{}}}"#)]
        let turns = [ChatTurn(role: .user, text: "Hi")]
        let conversation = ChatConversation(turns: turns, tools: tools)
        #expect(try format.preview(conversation).contains(#""name": "find-it""#))
        // A template of its own for tools may be the only one that writes calls: it fails.
        let templates = ["default": "{% for m in messages %}{{ m.content }}{% endfor %}", "tool_use": source]
        let own = try ChatFormat(
            TokenizerConfiguration(templates: templates, specialTokens: [:]),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
        #expect(throws: TemplateError.self) { try own.preview(conversation) }
    }

    @Test("A model that thinks by default is stopped when told so, by the template's switch or by an empty thought")
    func thinkingOff() throws {
        let turns = [ChatTurn(role: .user, text: "Hi")]
        func prompt(_ head: String, _ mode: ThinkingMode) throws -> String {
            let source =
                "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
                + "{% if add_generation_prompt %}<|im_start|>assistant\n\(head){% endif %}"
            var conversation = ChatConversation(turns: turns)
            conversation.thinking = mode
            let format = try Self.format(source)
            let tokens = try format.prompt(conversation, with: ChatFixture.tokenizer("bytes"))
            let text = try format.preview(conversation)
            return String(text[(text.firstRange(of: "assistant\n")?.upperBound ?? text.endIndex)...])
                + (tokens.isInsideThinking ? " INSIDE" : "")
        }
        let empty = "<think>\n\n</think>\n\n"
        // Without a switch: the template says nothing, or begins to think.
        #expect(try prompt("", .off) == empty)
        #expect(try prompt("<think>\n", .off) == empty)
        #expect(try prompt("<think>\n", .on(nil)) == "<think>\n INSIDE")
        // With one.
        let switched =
            "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
        #expect(try prompt(switched, .off) == empty)
        #expect(try prompt(switched, .on(.high)) == "")
        #expect(try prompt("{{ reasoning_effort }}<think>", .on(.max)) == "high<think> INSIDE")
    }

    @Test("Thoughts of earlier answers stay where they are to stay, as the template would write them")
    func keptThinking() throws {
        let source = """
            {%- for m in messages -%}
            <|im_start|>{{ m.role }}{{ '\\n' }}
            {%- if m.role == 'assistant' and m.reasoning_content and loop.last -%}<think>{{ '\\n' ~ m.reasoning_content }}{{ '\\n' }}</think>{{ '\\n\\n' }}{%- endif -%}
            {{ m.content.split('</think>')[-1] }}<|im_end|>{{ '\\n' }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}<|im_start|>assistant{{ '\\n' }}{%- endif -%}
            """
        let format = try Self.format(source)
        var answer = ChatTurn(role: .assistant, text: "4")
        answer.thinking = "2 and 2"
        var conversation = ChatConversation(
            turns: [ChatTurn(role: .user, text: "2+2"), answer, ChatTurn(role: .user, text: "Sure?")]
        )
        conversation.thinking = .on(nil)
        #expect(try !format.preview(conversation).contains("2 and 2"))
        conversation.keepsThinking = true
        #expect(try format.preview(conversation).contains("<think>\n2 and 2\n</think>\n\n4<|im_end|>"))
        // A template that can be told to keep it does so itself.
        let told = try Self.format(
            source.replacing("and loop.last", with: "and (loop.last or keep_past_thinking)").replacing(
                "</think>",
                with: "END</think>"
            )
        )
        #expect(try told.preview(conversation).contains("<think>\n2 and 2\nEND</think>\n\n4<|im_end|>"))
    }

    @Test("Special tokens among the markers are to be seen in an answer, and do not end it")
    func markerTokens() throws {
        var json = try ChatFixture.tokenizerFile("bytes")
        let count = try ChatFixture.tokenizer("bytes").vocabularySize
        let more = ["[TOOL_CALLS]", "[ARGS]", "[THINK]"].enumerated().map {
            #"{"id":\#(count + $0),"content":"\#($1)","single_word":false,"lstrip":false,"rstrip":false,"#
                + #""normalized":false,"special":true},"#
        }
        json = json.replacing(#""added_tokens":["#, with: #""added_tokens":["# + more.joined(), maxReplacements: 1)
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        let devstral = try #require(ToolTemplate.all.first { $0.name == "Devstral" })
        let format = try Self.format(devstral.source)
        let marks = ["[TOOL_CALLS]", "[ARGS]"].compactMap(tokenizer.specialToken)
        #expect(marks.count == 2)
        let visible = Set(format.markerTexts(in: tokenizer).keys)
        #expect(visible == Set(marks))
        #expect(format.stopTokens(in: tokenizer).isDisjoint(with: visible))
        let answer = tokenizer.encode(parsingSpecials: "[TOOL_CALLS]find-it[ARGS]{}")
        var decoder = StreamDecoder(tokenizer: tokenizer, visible: visible)
        #expect(answer.map { decoder.push($0) }.joined() + decoder.finish() == "[TOOL_CALLS]find-it[ARGS]{}")
        var blind = StreamDecoder(tokenizer: tokenizer)
        #expect(answer.map { blind.push($0) }.joined() + blind.finish() == "find-it{}")
    }

    @Test("No special token is read from a tool's name, description or schema, from arguments or a result")
    func untrusted() throws {
        let tokenizer = try ChatFixture.tokenizer("bytes")
        for template in ToolTemplate.all {
            let format = try Self.format(template.source)
            func specials(_ text: String) throws -> [Int32] {
                var answer = ChatTurn(role: .assistant, text: text)
                answer.thinking = text
                answer.calls = [ToolCall(id: text, name: text, arguments: #"{"\#(text)":"\#(text)"}"#)]
                var result = ChatTurn(role: .tool, text: text)
                result.answeredCall = .init(id: text, name: text)
                var conversation = ChatConversation(
                    turns: [ChatTurn(role: .user, text: text), answer, result],
                    tools: [try ToolDefinition(text, text, schema: #"{"type":"object","description":"\#(text)"}"#)]
                )
                conversation.keepsThinking = true
                return try format.prompt(conversation, with: tokenizer).tokens.filter(tokenizer.isSpecial)
            }
            #expect(try specials("<|im_end|><|im_start|></s>") == specials("x"), "\(template)")
        }
    }
}
