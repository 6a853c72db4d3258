import EngineContract
import JSON
import Scheduling
import Testing

@testable import MessagesAPI

@Suite("An answer with tools", .timeLimit(.minutes(1))) struct ToolAnswerTests {
    static let tools = #"""
        ,"tools":[{"name":"get_weather","description":"The weather.",
          "input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},
         {"name":"now","input_schema":{"type":"object","properties":{}}}]
        """#.replacing("\n", with: "")

    static func call(_ name: String, _ arguments: String) -> String {
        "<tool_call>\n{\"name\": \"\(name)\", \"arguments\": \(arguments)}\n</tool_call>"
    }

    private func content(_ reply: String, _ fields: String = "") async throws -> (json: JSONValue, stream: Reply) {
        let api = try TestAPI(answering: Script.bytes(reply))
        let (plain, stream) = try await api.both(Self.tools + #","max_tokens":400"# + fields)
        return (try plain.json, stream)
    }

    private static let lyon = call("get_weather", #"{"city": "Lyon"}"#)
    private static let lyonBlock: JSONValue = ["type": "tool_use", "name": "get_weather", "input": ["city": "Lyon"]]

    @Test("A call becomes a block of its own, and the reason why the answer ended")
    func oneCall() async throws {
        let (json, stream) = try await content(Self.lyon)
        #expect(json["content"]?.withoutIDs == [Self.lyonBlock])
        #expect(json["stop_reason"] == "tool_use" && json["stop_sequence"] == .null)
        let id = try #require(try json["content"]?.array().first?["id"]?.string())
        #expect(id.hasPrefix("toolu_") && id.count == 30)
        let start = try #require(try stream.events.first { $0["type"] == "content_block_start" })
        #expect(start["content_block"]?["input"] == [:] && start["index"] == 0)
        let other = try #require(try start["content_block"]?["id"]?.string())
        #expect(other.hasPrefix("toolu_") && other != id)
        // While they are generated, not all at once.
        #expect(try stream.events.count { $0["delta"]?["type"] == "input_json_delta" } > 3)
    }

    @Test("Text before a call and several calls are blocks in their order, without the white space between")
    func textAndCalls() async throws {
        let (json, _) = try await content("Let me see.\n" + Self.lyon + "\n" + Self.call("now", "{}"))
        let now: JSONValue = ["type": "tool_use", "name": "now", "input": [:]]
        #expect(json["content"]?.withoutIDs == [["type": "text", "text": "Let me see."], Self.lyonBlock, now])
        #expect(json["stop_reason"] == "tool_use")
    }

    @Test("A call that max_tokens cuts stays partial in a stream and is left out of a whole answer")
    func cutCall() async throws {
        let (json, stream) = try await content("Hm. " + Self.lyon, #","max_tokens":63"#)
        #expect(json["content"] == [["type": "text", "text": "Hm."]])
        #expect(json["stop_reason"] == "max_tokens" && json["usage"]?["output_tokens"] == 63)
        let message = try StreamedMessage(try stream.events)
        let partial = try #require(try message.content.last?["partial"]?.string())
        #expect(#"{"city": "Lyon"}"#.hasPrefix(partial) && !partial.isEmpty)
        // A finished call before it does not hide that.
        let two = try await content(Self.lyon + "\n" + Self.lyon, #","max_tokens":138"#).json
        #expect(two["content"]?.withoutIDs == [Self.lyonBlock] && two["stop_reason"] == "max_tokens")
    }

    @Test("The beginning of a marker is no text where max_tokens cuts it, and is where the model ends with it")
    func cutMarker() async throws {
        for (reply, most, text) in [
            ("I go.\n" + Self.lyon, 14, "I go."), ("1 <", 3, "1"), ("1 <", 400, "1 <"), ("1 <tool", 400, "1 <tool"),
        ] {
            let json = try await content(reply, #","max_tokens":\#(most)"#).json
            #expect(json["content"] == [["type": "text", "text": .string(text)]], "\(reply)")
        }
        let two = try await content(Self.lyon + "\n" + Self.lyon, #","max_tokens":\#(Self.lyon.utf8.count + 5)"#).json
        #expect(two["content"]?.withoutIDs == [Self.lyonBlock] && two["stop_reason"] == "tool_use")
    }

    @Test("A finished call is the reason also where max_tokens or a stop sequence comes after it")
    func finishedCallComesFirst() async throws {
        let reply = Self.lyon + "\n" + Self.call("now", "{}")
        let exact = try await content(reply, #","max_tokens":\#(reply.utf8.count)"#).json
        #expect(exact["stop_reason"] == "tool_use" && exact["usage"]?["output_tokens"] == .integer(reply.utf8.count))
    }

    @Test("Stop sequences end text, and neither calls nor what is before them")
    func stopSequences() async throws {
        let inCall = try await content("I go.\n" + Self.lyon, #","stop_sequences":["Lyon","o.\n<","go.X"]"#).json
        #expect(inCall["stop_reason"] == "tool_use")
        #expect(inCall["content"]?.withoutIDs == [["type": "text", "text": "I go."], Self.lyonBlock])
        let inText = try await content("I go.\n" + Self.lyon, #","stop_sequences":["go"]"#).json
        #expect(inText["content"] == [["type": "text", "text": "I "]])
        #expect(inText["stop_reason"] == "stop_sequence" && inText["stop_sequence"] == "go")
    }

    @Test("Without tools, what looks like a call is text")
    func noTools() async throws {
        let api = try TestAPI(answering: Script.bytes(Self.lyon))
        for fields in ["", #","tools":[]"#, #","tools":[],"tool_choice":{"type":"none"}"#] {
            let json = try await api.both(fields).plain.json
            #expect(json["content"] == [["type": "text", "text": .string(Self.lyon)]], "\(fields)")
            #expect(json["stop_reason"] == "end_turn")
        }
    }

    @Test(
        "With tool_choice none, a model that wants to call cannot begin to: what it says is text without a call's marker"
    )
    func noCall() async throws {
        let engine = ScriptedEngine(description: Script.description(), substitutes: Script.bytes("#")) { prefix in
            Script.next(in: Script.bytes("I look. " + Self.lyon), after: prefix)
        }
        let api = try TestAPI(engine)
        let none = #","max_tokens":400,"tool_choice":{"type":"none"}"#
        for fields in [none, none + #","stop_sequences":["</tool_call>"]"#] {
            let json = try await api.both(Self.tools + fields).plain.json
            let text = try #require(try json["content"]?.array().first?["text"]?.string())
            // The marker's last byte is another, and the rest of the answer is free.
            #expect(text.hasPrefix("I look. <tool_call#\n{\"name\": \"get_weather\""), "\(text)")
            #expect(try json["content"]?.array().count == 1 && json["stop_reason"] != "tool_use")
        }
        // With a thought before it, in which a marker is none.
        let thought = "<think>\nI could <tool_call>.\n</think>\n\n"
        let thinking = ScriptedEngine(description: Script.description(), substitutes: Script.bytes("#")) { prefix in
            Script.next(in: Script.bytes(thought + Self.lyon), after: prefix)
        }
        let thinker = try TestAPI(thinking, template: ThinkingTests.template)
        let answer = try await thinker.both(Self.tools + none + #","thinking":{"type":"adaptive"}"#).plain.json
        let blocks = try answer["content"]?.array() ?? []
        #expect(blocks.map { $0["type"] } == ["thinking", "text"], "\(answer)")
        #expect(blocks.first?["thinking"] == "I could <tool_call>.")
        #expect(try blocks.last?["text"]?.string().hasPrefix("<tool_call#") == true)
    }

    @Test("Tools are part of the prompt that is counted, whatever the choice among them")
    func counting() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        let bare = try await api.count(TestAPI.body()).json["input_tokens"]?.integer() ?? 0
        for choice in [#"{"type":"auto"}"#, #"{"type":"none"}"#] {
            let fields = Self.tools + #","tool_choice":\#(choice)"#
            let counted = try await api.count(TestAPI.body(fields)).json["input_tokens"]?.integer() ?? 0
            let usage = try #require(try await api.ask(fields).json["usage"])
            let used = try ["input_tokens", "cache_read_input_tokens"].map { try usage[$0]?.integer() ?? 0 }
            #expect(counted == used.reduce(0, +) && counted > bare + 40)
        }
    }
}
