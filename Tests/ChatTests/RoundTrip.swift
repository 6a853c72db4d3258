import Chat
import Foundation
import JSON
import Testing

/// Answers that a format writes in a history, read back.
enum RoundTrip {
    static func tools() throws -> [ToolDefinition] {
        let schema = """
            {"type": "object", "properties": {
            "city": {"type": "string", "description": "Where"}, "days": {"type": "integer", "description": "How many"},
            "exact": {"type": "boolean", "description": "-"}, "more": {"type": "object", "description": "-"},
            "places": {"type": "array", "items": {"type": "string"}, "description": "-"}}, "required": ["city"]}
            """
        return try ["get_weather", "find-it"].map { try ToolDefinition($0, "Does \($0).", schema: schema) }
    }

    struct History {
        var label: String
        var calls: [ToolCall]
        var text = ""
        var thinking: String?

        var expected: [AnswerPart] {
            (thinking.map { [.thinking($0)] } ?? []) + (text.isEmpty ? [] : [.text(text)])
                + calls.flatMap { [.toolCallStart(name: $0.name), .toolCallArguments($0.arguments), .toolCallEnd] }
        }
    }

    static func histories(_ format: ChatFormat) throws -> [History] {
        // Where texts stand in quotes as they are, they can have none; the members are in alphabetical order, in which some
        // templates write them.
        var city = #"Zürich \"X\"\n<b> 'y'"#
        if format.syntax.calls.arguments == .python { city = "Zürich <b>" }
        let all = #"{"city":"\#(city)","days":-3,"exact":true,"more":{"k":[1,{"x":"y"}]},"places":["a","b c"]}"#
        let one = ToolCall(id: "toolu_01Abc", name: "get_weather", arguments: all)
        let two = ToolCall(id: "toolu_02Xyz", name: "find-it", arguments: #"{"city":"Bern"}"#)
        let none = ToolCall(id: "toolu_03Non", name: "find-it", arguments: "{}")
        var histories = [
            History(label: "one", calls: [one]), History(label: "two", calls: [two, one]),
            History(label: "none", calls: [none]), History(label: "text", calls: [two], text: "I look it up."),
        ]
        let thought = History(label: "thinking", calls: [two], thinking: "It may be there.")
        // Some templates leave out what was thought; a failure is for the test to see.
        let isWritten = (try? written(thought, format, tools()))?.contains("It may be there.") ?? true
        if format.syntax.thinking != nil, isWritten { histories.append(thought) }
        return histories
    }

    /// Renders an answer in a history.
    static func written(_ history: History, _ format: ChatFormat, _ tools: [ToolDefinition]) throws -> String {
        var answer = ChatTurn(role: .assistant, text: history.text)
        answer.calls = history.calls
        answer.thinking = history.thinking
        let results = history.calls.map { call in
            var turn = ChatTurn(role: .tool, text: "RESULT")
            turn.answeredCall = .init(id: call.id, name: call.name)
            return turn
        }
        var conversation = ChatConversation(
            turns: [ChatTurn(role: .user, text: "QUESTION"), answer] + results,
            tools: tools
        )
        conversation.thinking = history.thinking == nil ? .off : .on(nil)
        return try format.preview(conversation)
    }

    /// Renders an answer in a history, and parses what stands for it there.
    static func readBack(_ history: History, _ format: ChatFormat, _ tools: [ToolDefinition]) throws -> [AnswerPart] {
        let written = try written(history, format, tools)
        let question = try #require(written.range(of: "QUESTION", options: .backwards))
        // A template that has one call in a turn writes a result after each.
        let answers = written[question.upperBound...].components(separatedBy: "RESULT").prefix(history.calls.count)
        return answers.flatMap { parts(of: $0, format, tools, history) }
    }

    /// The parts of an answer, without the heads and ends of turns, which no model writes.
    private static func parts(
        of text: String,
        _ format: ChatFormat,
        _ tools: [ToolDefinition],
        _ history: History
    ) -> [AnswerPart] {
        var text = text
        // From where the thought, the text or the call begins.
        if let thinking = history.thinking, let start = format.syntax.thinking?.start, text.contains(thinking),
            let range = text.range(of: start)
        {
            text = String(text[range.lowerBound...])
        }
        // A call that is the whole answer has the head of a turn before it here, and a text has a turn of its own.
        if format.syntax.calls.isWholeAnswer, history.thinking == nil, let start = text.firstIndex(of: "{") {
            var parts: [AnswerPart] = []
            if !history.text.isEmpty, text[..<start].contains(history.text) { parts.append(.text(history.text)) }
            return parts + parsed(String(text[start...]), format, tools, history)
        }
        return parsed(text, format, tools, history)
    }

    private static func parsed(
        _ text: String,
        _ format: ChatFormat,
        _ tools: [ToolDefinition],
        _ history: History
    ) -> [AnswerPart] {
        var parser = AnswerParser(format.syntax, tools: tools, isInsideThinking: false)
        return (parser.push(text) + parser.finish()).compactMap { part in
            switch part {
            // The format may think aloud what was said before a call.
            case .text(let said), .thinking(let said):
                if !history.text.isEmpty, said.contains(history.text) { return .text(history.text) }
                if case .thinking = part { return part }
                return nil
            case .toolCallArguments(let json): return .toolCallArguments(compact(json))
            default: return part
            }
        }
    }

    private static func compact(_ json: String) -> String {
        guard let node = try? JSONDocument(Array(json.utf8)).root, let value = try? JSONValue(node, atMost: 1000) else {
            return "not JSON: \(json)"
        }
        return String(decoding: value.bytes, as: UTF8.self)
    }
}
