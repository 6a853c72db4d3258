import Chat
import Testing
import Tokenization

@testable import MessagesAPI

@Suite("The prompt") struct PromptBuilderTests {
    private func turns(_ messages: String, _ fields: String = "") throws -> [ChatTurn] {
        let body = #"{"model":"m","max_tokens":9,"messages":[\#(messages)]\#(fields)}"#
        return PromptBuilder.turns(try MessagesRequest(Array(body.utf8), for: .generate))
    }

    private let hi = #"{"role":"user","content":"hi"}"#

    @Test("A string and one text block are the same, and neighbours of a role are one turn")
    func equivalents() throws {
        let marked = #","cache_control":{"type":"ephemeral","ttl":"1h"}"#
        for (left, right) in [
            (hi, #"{"role":"user","content":[{"type":"text","text":"hi"}]}"#),
            (hi, #"{"role":"user","content":[{"type":"text","text":"hi"\#(marked),"citations":[]}],"more":5}"#),
            (
                #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
                #"{"role":"user","content":"a"},{"role":"user","content":"b"}"#
            ),
            (
                #"\#(hi),{"role":"assistant","content":"b"}"#,
                #"\#(hi),{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"x"},"#
                    + #"{"type":"text","text":"b"},{"type":"redacted_thinking","data":"x"}]}"#
            ),
            (#"\#(hi),{"role":"system","content":[]},\#(hi)"#, #"\#(hi),\#(hi)"#),
            (#"\#(hi),{"role":"assistant","content":""}"#, #"\#(hi),{"role":"assistant","content":[]}"#),
        ] {
            #expect(try turns(left) == turns(right), "\(left)")
        }
        let system = #","system":"a""#
        for same in [
            #","system":[{"type":"text","text":"a"\#(marked)}]"#,
            #","system":[{"type":"text","text":"x-anthropic-billing-header: cch=1;"},{"type":"text","text":"a"}]"#,
            #","system":"x-anthropic-billing-header: cch=2;\na""#, system + #","cache_control":{"type":"ephemeral"}"#,
        ] {
            #expect(try turns(hi, same) == turns(hi, system), "\(same)")
        }
        #expect(try turns(hi, #","system":"x-anthropic-billing-header: cch=3;""#) == turns(hi))
        #expect(
            try turns(
                hi,
                #","system":[{"type":"text","text":"a"},{"type":"text","text":"x-anthropic-billing-header:"}]"#
            )
                != turns(hi, system)
        )
    }

    @Test("Messages become turns in their order, system messages where they are")
    func order() throws {
        let messages = #"\#(hi),{"role":"system","content":"now"},{"role":"assistant","content":"a"},\#(hi)"#
        #expect(
            try turns(messages, #","system":"be brief""#) == [
                ChatTurn(role: .system, text: "be brief"), ChatTurn(role: .user, text: "hi"),
                ChatTurn(role: .system, text: "now"), ChatTurn(role: .assistant, text: "a"),
                ChatTurn(role: .user, text: "hi"),
            ]
        )
    }

    private let question = #"{"role":"user","content":"weather?"}"#

    private func calls(_ blocks: String) -> String { #"{"role":"assistant","content":[\#(blocks)]}"# }

    private func toolTurn(_ id: String, _ name: String, _ text: String) -> ChatTurn {
        var turn = ChatTurn(role: .tool, text: text)
        turn.answeredCall = ChatTurn.AnsweredCall(id: id, name: name)
        return turn
    }

    @Test(
        "Calls belong to the assistant's turn, and each result is a turn with its tool's name, text after it the user's"
    )
    func callsAndResults() throws {
        let messages =
            question + ","
            + calls(
                #"{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"I look."},"#
                    + #"{"type":"tool_use","id":"1","name":"f","input":{ "b" : [1, 2.50],"a":"é\u00e9" }},"#
                    + #"{"type":"tool_use","id":"2","name":"g","input":{}}"#
            ) + ","
            + #"{"role":"user","content":[{"type":"text","text":"so?"},"#
            + #"{"type":"tool_result","tool_use_id":"2","content":"two","is_error":true},"#
            + #"{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"o"},"#
            + #"{"type":"tool_reference","tool_name":"h"}]}]},{"role":"system","content":"now"}"#
        var assistant = ChatTurn(role: .assistant, text: "I look.")
        assistant.thinking = "Hm."
        assistant.calls = [
            ToolCall(id: "1", name: "f", arguments: #"{"b":[1,2.50],"a":"éé"}"#),
            ToolCall(id: "2", name: "g", arguments: "{}"),
        ]
        #expect(
            try turns(messages) == [
                ChatTurn(role: .user, text: "weather?"), assistant, toolTurn("2", "g", "Error: two"),
                toolTurn("1", "f", "o\nh"), ChatTurn(role: .user, text: "so?"), ChatTurn(role: .system, text: "now"),
            ]
        )
    }

    @Test("Results come right behind their calls, also where messages of one role come one after the other")
    func splitResults() throws {
        let call = { (id: String) in #"{"type":"tool_use","id":"\#(id)","name":"f","input":{}}"# }
        let result = { (id: String) in
            #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(id)","content":"r\#(id)"}]}"#
        }
        let messages = [
            #"{"role":"user","content":"a"}"#, calls(call("1")), calls(call("2")), result("2"),
            #"{"role":"user","content":"b"}"#, result("1"),
        ]
        let turns = try turns(messages.joined(separator: ","))
        #expect(turns.map(\.role) == [.user, .assistant, .tool, .tool, .user])
        #expect(turns.map(\.text) == ["a", "", "r2", "r1", "b"])
        #expect(turns[1].calls.map(\.id) == ["1", "2"])
    }

    @Test("A result without content is an empty turn, and one that is an error says so")
    func emptyResults() throws {
        for (fields, text) in [
            ("", ""), (#","content":"""#, ""), (#","content":[]"#, ""), (#","is_error":true"#, "Error"),
            (#","content":"x","is_error":false"#, "x"),
        ] {
            let result = #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"\#(fields)}]}"#
            let messages = "\(question),\(calls(#"{"type":"tool_use","id":"1","name":"f","input":{}}"#)),\(result)"
            #expect(try turns(messages).dropFirst(2) == [toolTurn("1", "f", text)], "\(fields)")
        }
    }

    @Test("Documents and search results are text that says what they are")
    func documents() throws {
        let blocks =
            #"{"type":"document","title":"T","context":"C","source":{"type":"text","media_type":"text/plain","data":"D"}},"#
            + #"{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}},"#
            + #"{"type":"search_result","source":"S","title":"T","content":[{"type":"text","text":"r"}]},"#
            + #"{"type":"text","text":"which?"}"#
        let lines = [
            "<document>", "<title>T</title>", "<context>C</context>", "D", "</document>", "<document>", "a", "b",
            "</document>", "<search_result>", "<source>S</source>", "<title>T</title>", "r", "</search_result>",
            "which?",
        ]
        let user = ChatTurn(role: .user, text: lines.joined(separator: "\n"))
        #expect(try turns(#"{"role":"user","content":[\#(blocks)]}"#) == [user])
    }

    @Test("Thinking that a client was not shown comes back from its signature")
    func hiddenThinking() throws {
        func thinking(_ text: String, _ signature: String) throws -> String? {
            let block =
                #"{"type":"thinking","thinking":"\#(text)","signature":"\#(signature)"},{"type":"text","text":"a"}"#
            return try turns("\(question),\(calls(block)),\(question)")[1].thinking
        }
        #expect(try thinking("", ThinkingSignature.make(hiding: "Hm.")) == "Hm.")
        #expect(try thinking("seen", ThinkingSignature.make(hiding: "Hm.")) == "seen")
        #expect(try thinking("", "c2lnbmF0dXJl") == nil && thinking("", ThinkingSignature.make()) == nil)
    }

    @Test("Whether the model is to think follows the request, unless the answer has no place for it")
    func thinkingMode() throws {
        func mode(_ fields: String, _ messages: String? = nil) throws -> ThinkingMode {
            let body = #"{"model":"m","max_tokens":9000,"messages":[\#(messages ?? hi)]\#(fields)}"#
            return PromptBuilder.conversation(try MessagesRequest(Array(body.utf8), for: .generate)).thinking
        }
        let tools = #","tools":[{"name":"f","input_schema":{}}],"thinking":{"type":"adaptive"}"#
        #expect(try mode("") == .off && mode(#","thinking":{"type":"disabled"}"#) == .off)
        #expect(try mode(#","thinking":{"type":"adaptive"}"#) == .on(nil))
        let effort = #","thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"max"}"#
        #expect(try mode(effort) == .on(.max))
        #expect(try mode(tools) == .on(nil) && mode(tools + #","tool_choice":{"type":"any"}"#) == .off)
        let prefill = hi + #",{"role":"assistant","content":"b"}"#
        #expect(try mode(#","thinking":{"type":"adaptive"}"#, prefill) == .off)
    }

    @Test("A conversation's next prompt begins with the last one and its answer, so that a cached prefix serves")
    func growsAtTheEnd() throws {
        let tokenizer = try Script.tokenizer()
        let format = try ChatFormat(TokenizerConfiguration(), architecture: "phi3", endTokens: [], tokenizer: tokenizer)
        func prompt(_ messages: String, _ fields: String) throws -> [Int32] {
            try format.prompt(ChatConversation(turns: try turns(messages, fields)), with: tokenizer).tokens
        }
        func system(_ header: String) -> String {
            #","system":[{"type":"text","text":"x-anthropic-billing-header: \#(header)"},{"type":"text","text":"s"}]"#
        }
        let first = try prompt(
            #"{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},"#
                + #"{"role":"system","content":[{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}"#,
            system("cch=1")
        )
        let second = try prompt(
            #"{"role":"user","content":"a"},{"role":"system","content":"b"},{"role":"assistant","content":"c"},\#(hi)"#,
            system("cch=2")
        )
        #expect(second.starts(with: first + tokenizer.encode("c")))
    }
}
