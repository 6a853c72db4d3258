import HTTPFront
import JSON
import Testing

@testable import MessagesAPI

/// A part of a request's body, and what becomes of a request with it.
struct Row {
    var json: String
    /// How the refusal's message begins; nil where the request is accepted.
    var refusal: String?

    static func accepted(_ json: String) -> Row { Row(json: json) }
    static func refused(_ json: String, _ refusal: String) -> Row { Row(json: json, refusal: refusal) }
}

@Suite("Requests are checked", .timeLimit(.minutes(1))) struct ValidationTests {
    /// Sends each body to both routes: they must agree, and where it is accepted the tokens counted are those used.
    private func check(_ rows: [Row], _ body: (String) -> String) async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        for row in rows {
            let body = body(row.json)
            let (answer, count) = (try await api.messages(body), try await api.count(body))
            if let refusal = row.refusal {
                #expect(answer.status == 400 && count.status == 400, "\(row.json)")
                #expect(try answer.errorType() == "invalid_request_error", "\(row.json)")
                #expect(answer.errorMessage.hasPrefix(refusal), "\(row.json): \(answer.errorMessage)")
                #expect(count.errorMessage == answer.errorMessage, "\(row.json)")
            } else {
                #expect(answer.status == 200 && count.status == 200, "\(row.json): \(answer.errorMessage)")
                let usage = try #require(try answer.json["usage"])
                let used = try ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"].map {
                    try usage[$0]?.integer() ?? 0
                }
                #expect(try count.json == ["input_tokens": .integer(used.reduce(0, +))], "\(row.json)")
            }
        }
    }

    @Test("Fields of the wrong type or out of range are refused by name, everything else passes")
    func fields() async throws {
        // The last member of a name counts, so each row replaces or adds one.
        try await check(ValidationRows.fields) { TestAPI.body("," + $0) }
    }

    @Test("Messages and blocks are refused by their place")
    func messages() async throws {
        try await check(ValidationRows.messages) { TestAPI.body(#","messages":[\#($0)]"#) }
        try await check(ValidationRows.userBlocks) {
            TestAPI.body(#","messages":[{"role":"user","content":[\#($0)]}]"#)
        }
        try await check(ValidationRows.assistantBlocks) {
            TestAPI.body(
                #","messages":[{"role":"user","content":"a"},{"role":"assistant","content":[\#($0)]},"#
                    + #"{"role":"user","content":"b"}]"#
            )
        }
    }

    @Test("Calls and results of tools must belong together, whatever becomes of them then")
    func toolPairs() async throws {
        try await check(ValidationRows.toolPairs) {
            TestAPI.body(#","messages":[{"role":"user","content":"a"},\#($0)]"#)
        }
    }

    @Test("A body must be one JSON object with the fields that there must be")
    func bodies() async throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let api = try TestAPI(answering: [])
        for (body, refusal) in [
            ("", "the request body is empty"), (" ", "the request body is not valid JSON"),
            ("[]", "the request body must be a JSON object"), ("null", "the request body must be a JSON object"),
            (TestAPI.body() + "x", "the request body is not valid JSON"),
            (#"{"max_tokens":1,"messages":[{"role":"user","content":"a"}]}"#, "model: Field required"),
            (#"{"model":"m","max_tokens":1}"#, "messages: Field required"),
            (#"{"model":"m","model":5,"max_tokens":1,"messages":5}"#, "model: Input should be a valid string"),
            ("[1 2]", "the request body is not valid JSON: expected ',' or ']' at byte 3"),
            (TestAPI.body(",\"deep\":\(nested(200))"), "the request body is not valid JSON: nested too deeply at byte"),
            (#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#, "max_tokens: Field required"),
        ] {
            let answer = try await api.messages(body)
            #expect(try answer.status == 400 && answer.errorType() == "invalid_request_error", "\(body)")
            #expect(answer.errorMessage.hasPrefix(refusal), "\(body): \(answer.errorMessage)")
        }
        #expect(try await api.count(TestAPI.body(",\"deep\":\(nested(199))")).status == 200)
        let counted = try await api.count(#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#)
        #expect(counted.status == 200)
    }

    @Test("A thread is refused with the code that makes the official runner go on without")
    func threads() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        for thread in [#"{"type":"create"}"#, #"{"type":"continue","previous_message_id":"msg_1"}"#, "5"] {
            let answer = try await api.ask(",\"thread\":\(thread)")
            #expect(answer.status == 400)
            #expect(
                try answer.json["error"]?["details"] == ["error_code": "thread_unsupported_request", "unsupported": []]
            )
        }
        #expect(try await api.ask(#","thread":null"#).status == 200)
    }

    @Test("What Claude Code sends is understood")
    func claudeCode() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        func body(_ tools: String) -> String {
            #"""
            {"model":"claude-opus-5-5","max_tokens":128000,"stream":true,"system":[
              {"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.330.440; cc_entrypoint=sdk-cli;"},
              {"type":"text","text":"You are a Claude agent…","cache_control":{"type":"ephemeral"}}],
             "messages":[{"role":"user","content":[{"type":"text","text":"<system-reminder>…"},
                                                   {"type":"text","text":"say hi"}]},
              {"role":"system","content":[{"type":"text","text":"# Environment…","cache_control":{"type":"ephemeral"}}],
               "output_config":{"effort":"medium"}}],
             "metadata":{"user_id":"{\"device_id\":\"…\"}"},"thinking":{"type":"adaptive","display":"omitted"},
             "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
             "output_config":{"effort":"medium"}\#(tools)}
            """#
        }
        let answer = try await api.send("POST", "/v1/messages?beta=true", body(""))
        #expect(try answer.status == 200 && answer.text == "ok")
        let tools = #","tools":[{"name":"Bash","input_schema":{"type":"object"},"defer_loading":true}]"#
        let withTools = try await api.send("POST", "/v1/messages?beta=true", body(tools))
        #expect(try withTools.status == 200 && withTools.text == "ok")
    }

    @Test("The time for checking tool results grows no faster than their number")
    func manyTools() throws {
        // A minute is the suite's limit; comparing every result with every call takes longer.
        let ids = (0..<100_000).map(String.init)
        var pairing = ToolPairing()
        let node = try JSONDocument(Array("{}".utf8)).root
        try pairing.begin(.assistant, at: node)
        for id in ids { try pairing.add(.toolUse(ToolUseBlock(id: id, name: "f", input: "{}")), at: node) }
        try pairing.begin(.user, at: node)
        for id in ids.reversed() { try pairing.add(.toolResult(ToolResultBlock(id: id)), at: node) }
        #expect(throws: JSONError.self) { try pairing.add(.toolResult(ToolResultBlock(id: "0")), at: node) }
    }
}
