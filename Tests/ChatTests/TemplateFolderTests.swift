import Chat
import Foundation
import JSON
import Templates
import Testing
import Tokenization

/// Published templates, in the folder that `PENSIEVE_TEMPLATE_DIR` names: those of llama.cpp's source package, for
/// example. `PENSIEVE_TABLE=1` prints what was found of each.
@Suite(.enabled(if: TemplateFolder.path != nil)) struct TemplateFolderTests {
    @Test("Every template tells of tools, and its calls and thoughts are read as they were written")
    func roundTrips() throws {
        var rows: [String] = []
        for (name, source) in try TemplateFolder.templates() {
            let format: ChatFormat
            do {
                format = try TemplateFolder.format(source)
            } catch {
                rows.append("\(name): cannot be used: \(error)")
                continue
            }
            let tools = try TemplateFolder.tools()
            let turns = [ChatTurn(role: .user, text: "Where is it?")]
            let told = try format.preview(ChatConversation(turns: turns, tools: tools))
            for tool in tools { #expect(told.contains(tool.name), "\(name) does not tell of tools") }
            var outcome = "\(format.toolSupport)"
            for history in try TemplateFolder.histories() {
                do {
                    let read = try TemplateFolder.readBack(history, format, tools)
                    #expect(read == history.expected, "\(name): \(read) for \(history.expected)")
                    if read != history.expected { outcome += " WRONG \(history.label)" }
                } catch {
                    Issue.record("\(name) \(history.label): \(error)")
                    outcome += " FAILED \(history.label): \(error)"
                }
            }
            rows.append("\(name): \(outcome), \(TemplateFolder.summary(format.syntax))")
        }
        if ProcessInfo.processInfo.environment["PENSIEVE_TABLE"] != nil { print(rows.joined(separator: "\n")) }
    }
}

private enum TemplateFolder {
    static let path = ProcessInfo.processInfo.environment["PENSIEVE_TEMPLATE_DIR"]

    static func templates() throws -> [(name: String, source: String)] {
        let folder = URL(filePath: path ?? "")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jinja") }
            .sorted()
            .map { ($0, try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
    }

    static func format(_ source: String) throws -> ChatFormat {
        try ChatFormat(
            TokenizerConfiguration(
                templates: ["default": source],
                specialTokens: ["bos_token": "<s>", "eos_token": "</s>"]
            ),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
    }

    static func tools() throws -> [ToolDefinition] {
        let schema = """
            {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"},
            "places": {"type": "array", "items": {"type": "string"}}, "more": {"type": "object"}}}
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

    static func histories() throws -> [History] {
        let all =
            #"{"city":"Zürich \"X\"\n<b> 'y'","days":-3,"exact":true,"places":["a","b c"],"more":{"k":[1,{"x":"y"}]}}"#
        let one = ToolCall(id: "toolu_01Abc", name: "get_weather", arguments: all)
        let two = ToolCall(id: "toolu_02Xyz", name: "find-it", arguments: #"{"city":"Bern"}"#)
        let none = ToolCall(id: "toolu_03Non", name: "find-it", arguments: "{}")
        return [
            History(label: "one", calls: [one]), History(label: "two", calls: [two, one]),
            History(label: "none", calls: [none]), History(label: "text", calls: [two], text: "I look it up."),
        ]
    }

    /// Renders an answer in a history, and parses what stands for it there.
    static func readBack(_ history: History, _ format: ChatFormat, _ tools: [ToolDefinition]) throws -> [AnswerPart] {
        var answer = ChatTurn(role: .assistant, text: history.text)
        answer.calls = history.calls
        answer.thinking = history.thinking
        let question = ChatTurn(role: .user, text: "Where is it?")
        let results = history.calls.map { call in
            var turn = ChatTurn(role: .tool, text: "RESULT of it")
            turn.answeredCall = .init(id: call.id, name: call.name)
            return turn
        }
        func prompt(_ turns: [ChatTurn]) throws -> String {
            try format.preview(ChatConversation(turns: turns, tools: tools))
        }
        let before = try prompt([question])
        let after = try prompt([question, answer] + results)
        // From where an answer begins to where the first result stands; a template that splits calls has a result
        // between them.
        var written = after.dropFirst(zip(before, after).prefix { $0 == $1 }.count)
        let start = before.index(before.startIndex, offsetBy: zip(before, after).prefix { $0 == $1 }.count)
        written = before[start...].isEmpty ? written : after[after.range(of: "Where is it?")!.upperBound...]
        return merged(parse(String(written), format, tools), history)
    }

    private static func parse(_ text: String, _ format: ChatFormat, _ tools: [ToolDefinition]) -> [AnswerPart] {
        var parser = AnswerParser(format.syntax, tools: tools, isInsideThinking: false)
        return parser.push(text) + parser.finish()
    }

    /// The parts without the texts of turns' heads and ends, which no answer of a model has.
    private static func merged(_ parts: [AnswerPart], _ history: History) -> [AnswerPart] {
        parts.compactMap { part in
            switch part {
            case .text(let text):
                return !history.text.isEmpty && text.contains(history.text) ? .text(history.text) : nil
            case .toolCallArguments(let json):
                return .toolCallArguments(compact(json))
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

    static func summary(_ syntax: AnswerSyntax) -> String {
        let calls = syntax.calls
        let kind =
            switch calls.arguments {
            case .json(let layout): "json \(layout)"
            case .parameters(let parameters):
                "parameters \([parameters.start, parameters.nameEnd, parameters.otherNameEnd ?? "-", parameters.valueEnd, parameters.separator])"
            case .python: "python"
            case .bare(let quote): "bare \(quote)"
            }
        let marks = [
            calls.sectionStart, calls.callStart, calls.nameEnd, calls.callEnd, calls.separator, calls.sectionEnd,
        ]
        let thinking = syntax.thinking.map { " thinking \([$0.start, $0.end, $0.closing])" } ?? ""
        return "\(marks) \(kind)" + (calls.identifier.map { " id \($0.start) \($0.form)" } ?? "")
            + (calls.isWholeAnswer ? " whole" : "") + thinking
    }
}
