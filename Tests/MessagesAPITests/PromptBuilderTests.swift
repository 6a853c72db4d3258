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
                #"\#(hi),{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":""},"#
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
