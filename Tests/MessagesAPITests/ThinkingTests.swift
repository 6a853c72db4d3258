import EngineContract
import JSON
import Testing

@testable import MessagesAPI

@Suite("An answer with thinking", .timeLimit(.minutes(1))) struct ThinkingTests {
    /// Of a model that thinks unless it is told not to.
    static let template = """
        {% for m in messages %}<|{{ m.role }}|>
        {% if m.reasoning_content %}<think>
        {{ m.reasoning_content }}
        </think>

        {% endif %}{{ m.content }}<|end|>
        {% endfor %}{% if add_generation_prompt %}<|assistant|>
        {% if enable_thinking is defined and not enable_thinking %}<think>

        </think>

        {% endif %}{% endif %}
        """

    private static let thoughts = "<think>\nTwo and two.\n</think>\n\nFour."

    private func api(_ reply: String) throws -> TestAPI {
        try TestAPI(answering: Script.bytes(reply), template: Self.template)
    }

    private static let on = #","thinking":{"type":"adaptive"}"#

    @Test("Thinking is a block before the text, with a signature at its end, and its tokens are counted")
    func shown() async throws {
        let (plain, stream) = try await api(Self.thoughts).both(Self.on)
        let blocks = try plain.json["content"]?.array() ?? []
        #expect(blocks.count == 2)
        #expect(blocks.first?["type"] == "thinking" && blocks.first?["thinking"] == "Two and two.")
        #expect(blocks.last == ["type": "text", "text": "Four."])
        let deltas = try stream.events.compactMap { try $0["delta"]?["type"]?.string() }
        #expect(deltas.count { $0 == "signature_delta" } == 1)
        #expect(deltas.lastIndex(of: "thinking_delta").map { deltas[$0 + 1] } == "signature_delta")
        #expect(try plain.json["stop_reason"] == "end_turn")
        // From the last byte of the first marker to that of the last.
        let usage = try plain.json["usage"]
        #expect(usage?["output_tokens_details"]?["thinking_tokens"] == 23)
        #expect(usage?["output_tokens"] == .integer(Self.thoughts.utf8.count + 1))
    }

    @Test("Thinking that is not to be shown is a block without text, and comes back with the next turn")
    func omitted() async throws {
        let fields = #","thinking":{"type":"adaptive","display":"omitted"}"#
        let (plain, stream) = try await api(Self.thoughts).both(fields)
        let block = try #require(try plain.json["content"]?.array().first)
        #expect(block["type"] == "thinking" && block["thinking"] == "")
        #expect(try ThinkingSignature.text(in: block["signature"]?.string() ?? "") == "Two and two.")
        #expect(!stream.body.contains("thinking_delta") && !plain.body.contains("Two and two"))
        func count(_ thinking: String, _ signature: String) async throws -> JSONValue? {
            let history =
                #"{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","#
                + #""thinking":"\#(thinking)","signature":"\#(signature)"},{"type":"text","text":"Four."}]},"#
                + #"{"role":"user","content":"b"}"#
            return try await api("ok").count(TestAPI.body(#","messages":[\#(history)]"#)).json["input_tokens"]
        }
        let signature = try block["signature"]?.string() ?? ""
        #expect(try await count("", signature) == count("Two and two.", "other"))
        #expect(try await count("", signature) != count("", "other"))
    }

    @Test("Without being asked to, no answer has a block of thinking")
    func off() async throws {
        for fields in ["", #","thinking":{"type":"disabled"}"#, #","thinking":{"type":"between_tools"}"#] {
            // The prompt has an empty thought of 19 tokens, behind which the script goes on.
            let reply = Array(repeating: Script.end, count: 19) + Script.bytes(Self.thoughts)
            let api = try TestAPI(answering: reply, template: Self.template)
            let json = try await api.both(fields).plain.json
            #expect(json["content"] == [["type": "text", "text": "Four."]], "\(fields)")
        }
    }

    @Test("A model that cannot think answers without, whatever is asked")
    func unable() async throws {
        let api = try TestAPI(answering: Script.bytes("Four."))
        for type in [#"{"type":"adaptive"}"#, #"{"type":"enabled","budget_tokens":1024}"#] {
            let json = try await api.both(#","max_tokens":2000,"thinking":\#(type)"#).plain.json
            #expect(json["content"] == [["type": "text", "text": "Four."]])
        }
    }

    @Test("At the budget thinking ends, and what is left of max_tokens is the answer's")
    func budget() async throws {
        let endless = "<think>\n" + String(repeating: "hm ", count: 2000)
        for (fields, most) in [
            (#","max_tokens":3000,"thinking":{"type":"enabled","budget_tokens":1100}"#, 1100),
            (#","max_tokens":3000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#, 1024),
            // A quarter of what there is, at least.
            (#","max_tokens":400,"thinking":{"type":"adaptive"}"#, 300),
        ] {
            let json = try await api(endless).both(fields).plain.json
            let thinking = try json["usage"]?["output_tokens_details"]?["thinking_tokens"]?.integer() ?? 0
            // The closing marker comes on top.
            #expect(thinking >= most && thinking <= most + 20, "\(fields): \(thinking)")
            #expect(try json["content"]?.array().map { $0["type"] } == ["thinking", "text"], "\(fields)")
        }
    }

    @Test("A call may follow thinking, and a forced one has none before it")
    func beforeCalls() async throws {
        let call = ToolAnswerTests.call("now", "{}")
        let api = try TestAPI(answering: Script.bytes("<think>\nHm.\n</think>\n\n" + call), template: Self.template)
        let fields = ToolAnswerTests.tools + #","max_tokens":400"# + Self.on
        let json = try await api.both(fields).plain.json
        #expect(try json["content"]?.array().map { $0["type"] } == ["thinking", "tool_use"])
        #expect(json["stop_reason"] == "tool_use")
        let forced = try await api.both(
            fields + #","tool_choice":{"type":"tool","name":"now","disable_parallel_tool_use":true}"#
        ).plain.json
        #expect(try forced["content"]?.array().map { $0["name"] } == ["now"])
    }
}
