import EngineContract
import HTTPFront
import JSON
import Scheduling
import Testing

@testable import MessagesAPI

@Suite("An answer", .timeLimit(.minutes(1))) struct AnswerTests {
    @Test("The plain answer has every field that clients look for")
    func plain() async throws {
        let answer = try await TestAPI(answering: Script.bytes("Hello.")).messages(
            #"{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
        )
        #expect(answer.headers[first: "content-type"] == "application/json")
        let json = try answer.json
        let id = try #require(try json["id"]?.string())
        #expect(id.hasPrefix("msg_"))
        #expect(
            json == [
                "id": .string(id), "type": "message", "role": "assistant", "model": "claude-x",
                "content": [["type": "text", "text": "Hello."]], "stop_reason": "end_turn", "stop_sequence": nil,
                "usage": [
                    "input_tokens": 8, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                    "output_tokens": 7,
                ],
            ]
        )
    }

    @Test("A stop sequence ends the text before it, wherever tokens and characters are cut")
    func stopSequences() async throws {
        struct Case {
            var reply: [Token]
            var stops: String
            var text: String
            var matched: String?
            /// Tokens sampled until the sequence was whole.
            var tokens: Int
        }
        let straddling = Script.bytes("a ") + [Script.word("EN"), Script.word("D and")] + Script.bytes(" more")
        for one in [
            Case(reply: straddling, stops: #"["END"]"#, text: "a ", matched: "END", tokens: 4),
            Case(reply: straddling, stops: #"["zzz"," END a"]"#, text: "a", matched: " END a", tokens: 4),
            Case(reply: straddling, stops: #"["ENDE"]"#, text: "a END and more", matched: nil, tokens: 10),
            Case(reply: straddling, stops: #"["d m","N"]"#, text: "a E", matched: "N", tokens: 3),
            Case(reply: Script.bytes("aaab"), stops: #"["aab"]"#, text: "a", matched: "aab", tokens: 4),
            Case(reply: Script.bytes("x🎉é!"), stops: #"["é"]"#, text: "x🎉", matched: "é", tokens: 7),
            Case(reply: Script.bytes("x🎉"), stops: #"["x"]"#, text: "", matched: "x", tokens: 1),
            Case(reply: Script.bytes("say EN"), stops: #"["END","N and"]"#, text: "say EN", matched: nil, tokens: 7),
            Case(reply: Script.bytes("xabc"), stops: #"["abcd","bc"]"#, text: "xa", matched: "bc", tokens: 5),
        ] {
            let api = try TestAPI(answering: one.reply)
            let (plain, stream) = try await api.both(#","stop_sequences":\#(one.stops)"#)
            #expect(try plain.text == one.text, "\(one)")
            let json = try plain.json
            #expect(json["stop_reason"] == (one.matched == nil ? "end_turn" : "stop_sequence"), "\(one)")
            #expect(json["stop_sequence"] == .optional(one.matched), "\(one)")
            #expect(json["usage"]?["output_tokens"] == .integer(one.tokens), "\(one)")
            #expect(try stream.eventNames.contains("content_block_start") == !one.text.isEmpty, "\(one)")
        }
    }

    @Test("An answer that a stop sequence ends is no client that left")
    func stopIsNoCancellation() async throws {
        // Longer than a session may be ahead of its reader, so it cannot have ended before.
        let api = try TestAPI(answering: Script.bytes("stop") + Script.bytes(String(repeating: "x", count: 3000)))
        #expect(try await api.ask(#","stop_sequences":["stop"],"max_tokens":4000"#).json["stop_sequence"] == "stop")
        #expect(api.api.metrics.current.finished == ["stop_sequence": 1])
    }

    @Test("A character comes whole, however many tokens it takes; half a one at the end becomes U+FFFD")
    func wholeCharacters() async throws {
        let text = "Grüße, 世界! 👩‍👩‍👧 e\u{301}"
        let (_, stream) = try await TestAPI(answering: Script.bytes(text)).both("")
        #expect(try stream.text == text)
        // One delta for each scalar: none holds a piece of one, and none waits for the next.
        #expect(try stream.eventNames.count { $0 == "content_block_delta" } == text.unicodeScalars.count)
        let (cut, _) = try await TestAPI(answering: Script.bytes("a🎉")).both(#","max_tokens":3"#)
        #expect(try cut.text == "a\u{FFFD}")
        let (broken, _) = try await TestAPI(answering: [0x61, 0xFF, 0xC3, 0x62]).both("")
        #expect(try broken.text == "a\u{FFFD}\u{FFFD}b")
    }

    @Test("max_tokens and the context end an answer, each by its name")
    func limits() async throws {
        let reply = Script.bytes(String(repeating: "x", count: 500))
        let short = try await TestAPI(answering: reply).both(#","max_tokens":5"#).plain
        #expect(try short.json["stop_reason"] == "max_tokens" && short.text == "xxxxx")
        #expect(try short.json["usage"]?["output_tokens"] == 5)
        let full = try await TestAPI(answering: reply, contextLength: 30).both(#","max_tokens":128000"#).plain
        #expect(try full.json["stop_reason"] == "model_context_window_exceeded" && full.text.count == 22)
        let none = try await TestAPI(answering: reply).both(#","max_tokens":0"#)
        #expect(try none.plain.json["content"] == [] && none.plain.json["stop_reason"] == "max_tokens")
        #expect(try none.stream.eventNames == ["message_start", "ping", "message_delta", "message_stop"])
    }

    @Test("A prompt that does not fit is refused in the words that clients know, and counted all the same")
    func promptTooLong() async throws {
        let api = try TestAPI(answering: [], contextLength: 100)
        let long = String(repeating: "a", count: 200)
        let fields = #","messages":[{"role":"user","content":"\#(long)"}]"#
        for stream in ["false", "true"] {
            let refusal = try await api.ask(fields + ",\"stream\":\(stream)")
            #expect(try refusal.status == 400 && refusal.errorType() == "invalid_request_error")
            #expect(refusal.errorMessage == "prompt is too long: 206 tokens > 99 maximum")
        }
        #expect(try await api.count(TestAPI.body(fields)).json == ["input_tokens": 206])
    }

    @Test("What the cache held is told apart from the rest of the prompt")
    func cachedTokens() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        let long = #","system":"\#(String(repeating: "s", count: 90))""#
        let total = try #require(try await api.count(TestAPI.body(long)).json["input_tokens"]?.integer())
        for expected in [0, (total - 1) / 16 * 16] {
            let usage = try #require(try await api.ask(long).json["usage"])
            #expect(usage["cache_read_input_tokens"] == .integer(expected))
            #expect(usage["input_tokens"] == .integer(total - expected))
        }
    }

    @Test("An answer goes on with the text that the client began, its first space kept")
    func prefill() async throws {
        for (messages, text) in [
            (#"{"role":"user","content":"a"}"#, "b c"),
            (#"{"role":"user","content":"a"},{"role":"assistant","content":""}"#, "b c"),
            (#"{"role":"user","content":"a"},{"role":"assistant","content":"x"}"#, " b c"),
        ] {
            // The reply begins after the turn's text.
            let prefilled = messages.contains("x") ? 1 : 0
            let reply = Array(repeating: Script.end, count: prefilled) + Script.bytes(" b c")
            let api = try TestAPI(answering: reply, stripsFirstSpace: true)
            let (plain, _) = try await api.both(#","messages":[\#(messages)]"#)
            #expect(try plain.text == text)
        }
    }
}
