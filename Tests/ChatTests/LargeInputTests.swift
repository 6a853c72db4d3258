import JSON
import Testing

@testable import Chat

@Suite("What a large or hostile request costs the chat format", .timeLimit(.minutes(1)))
struct LargeInputTests {
    @Test("The kinds of a parameter are found within a bound, or are not known")
    func wideAlternatives() throws {
        let wide = (0..<6).map { level in
            let references = Array(repeating: ##"{"$ref":"#/$defs/a\##(level + 1)"}"##, count: 64)
            return ##""a\##(level)":{"anyOf":[\##(references.joined(separator: ","))]}"##
        }
        let properties = ##"{"x":{"$ref":"#/$defs/a0"},"y":{"$ref":"#/$defs/a6"}}"##
        let definitions = "{" + wide.joined(separator: ",") + #","a6":{"type":"string"}}"#
        let schema = #"{"properties":\#(properties),"$defs":\#(definitions)}"#
        let types = SchemaKinds(try JSONDocument(Array(schema.utf8)).root)
        #expect(types.kinds(of: "x") == nil)
        #expect(types.kinds(of: "y") == [.string])
    }

    @Test("Very many turns are merged in a time that grows no faster than they do")
    func manyTurns() {
        let text = String(repeating: "x", count: 64)
        let turns = (0..<200_000).map { ChatTurn(role: $0.isMultiple(of: 2) ? .user : .system, text: text) }
        let merged = SystemTurns.inlineMerged(turns)
        #expect(merged.count == 1 && merged.first?.text.utf8.count == 200_000 * 66 - 2)
    }

    @Test("Very many calls of one turn are put apart with their results in a time that grows no faster than they do")
    func manyCalls() {
        let ids = (0..<100_000).map(String.init)
        var calling = ChatTurn(role: .assistant, text: "")
        calling.calls = ids.map { ToolCall(id: $0, name: "f", arguments: "{}") }
        let results = ids.reversed().map { id in
            var turn = ChatTurn(role: .tool, text: id)
            turn.answeredCall = ChatTurn.AnsweredCall(id: id, name: "f")
            return turn
        }
        let apart = ([calling] + results).withSingleCalls
        #expect(apart.count == 200_000)
        #expect(apart.indices.allSatisfy { $0.isMultiple(of: 2) == (apart[$0].role == .assistant) })
        #expect(apart.indices.allSatisfy { $0.isMultiple(of: 2) || apart[$0].text == apart[$0 - 1].calls.first?.id })
    }

    @Test("In an answer that is a value or calls, what looks like a call inside the value is none")
    func callInsideValue() throws {
        let call = #"<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>"#
        let schema = try JSONDocument(Array("{}".utf8)).root
        let tools = [ToolDefinition(name: "f", description: nil, inputSchema: schema)]
        let syntax = AnswerSyntax(calls: HermesTools.calls)
        for (text, isCall) in [(call.replacing("\\n", with: "\n"), true), (#"{"a":"\#(call)"}"#, false)] {
            let text = text.replacing("\\n", with: "\n")
            var parser = AnswerParser(syntax, tools: tools, isInsideThinking: false, callsComeFirst: true)
            let parts = parser.push(text) + parser.finish()
            #expect(parts.contains(.toolCallStart(name: "f")) == isCall)
            #expect(isCall || parts == [.text(text)])
        }
    }
}
