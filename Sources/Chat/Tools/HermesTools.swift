import JSON
import Templates

/// How tools are told of, called and answered where a model's template has no place for it: in the texts of turns, in the
/// form that Hermes models made common.
enum HermesTools {
    static let calls: CallSyntax = {
        var syntax = CallSyntax(
            callStart: "<tool_call>\n{\"name\": \"",
            nameEnd: "\", \"arguments\": ",
            arguments: .json(.spaced),
            callEnd: "}\n</tool_call>"
        )
        syntax.separator = "\n"
        return syntax
    }()

    /// The turns with the tools at the end of the first system turn, which is made if there is none. They stand at the
    /// front, so that a conversation that grows keeps its prefix.
    /// - Parameters:
    ///   - calls: how the model writes calls.
    ///   - writesResults: whether the template writes results in its own way.
    static func described(
        _ tools: [ToolDefinition],
        in turns: [ChatTurn],
        calls: CallSyntax,
        writesResults: Bool
    ) -> [ChatTurn] {
        let text = description(tools, calls, writesResults)
        var turns = turns
        if turns.first?.role == .system {
            turns[0].append(text, separator: "\n\n")
        } else {
            turns.insert(ChatTurn(role: .system, text: text), at: 0)
        }
        return turns
    }

    private static func description(
        _ tools: [ToolDefinition],
        _ calls: CallSyntax,
        _ writesResults: Bool
    ) -> String {
        let lines = tools.map { tool in
            var members = "{\"name\": " + quoted(tool.name)
            if let description = tool.description { members += ", \"description\": " + quoted(description) }
            return members + ", \"parameters\": " + ArgumentText.json(tool.inputSchema, .spaced) + "}"
        }
        let example = ToolCall(id: "call00001", name: "tool_name", arguments: "{\"parameter\": \"value\"}")
        let results =
            writesResults ? "" : " What a tool returns is given to you between <tool_response> and </tool_response>."
        return """
            You can use tools. These are their definitions, one JSON object a line:
            <tools>
            \(lines.joined(separator: "\n"))
            </tools>
            To use one, write its name and its arguments like this:
            \(CallWriter(syntax: calls).text([example]))
            Several calls may follow each other.\(results)
            """
    }

    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONText.appendString(Array(text.utf8), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The turns with results in users' turns: all of one answer's in one, with the user's text that follows them.
    static func withResultsOfUsers(_ turns: [ChatTurn]) -> [ChatTurn] {
        var result: [ChatTurn] = []
        var endsWithResult = false
        for turn in turns {
            let isResult = turn.role == .tool
            let text = isResult ? "<tool_response>\n\(turn.text)\n</tool_response>" : turn.text
            if endsWithResult, isResult || turn.role == .user {
                result[result.count - 1].text += "\n" + text
            } else {
                var turn = turn
                if isResult { turn = ChatTurn(role: .user, text: text) }
                result.append(turn)
            }
            endsWithResult = isResult
        }
        return result
    }
}
