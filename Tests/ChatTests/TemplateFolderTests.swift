import Chat
import Foundation
import Templates
import Testing
import Tokenization

/// Published templates, in the folder that `PENSIEVE_TEMPLATE_DIR` names: those of llama.cpp's source package, for
/// example. `PENSIEVE_TABLE=1` prints what was found of each.
@Suite(.enabled(if: TemplateFolder.path != nil)) struct TemplateFolderTests {
    @Test("Every template tells of tools, and its calls and thoughts are read as they were written")
    func roundTrips() throws {
        var rows: [String] = []
        // One asks for a variable that nobody gives it, one for more than schemas need to say.
        var unusable = 0
        for (name, source) in try TemplateFolder.templates() {
            let format: ChatFormat
            do {
                format = try TemplateFolder.format(name, source)
            } catch {
                rows.append("\(name): cannot be used: \(error)")
                unusable += 1
                continue
            }
            let tools = try RoundTrip.tools()
            let turns = [ChatTurn(role: .user, text: "Where is it?")]
            let told: String
            do {
                told = try format.preview(ChatConversation(turns: turns, tools: tools))
            } catch {
                rows.append("\(name): cannot tell of these tools: \(error)")
                unusable += 1
                continue
            }
            for tool in tools { #expect(told.contains(tool.name), "\(name) does not tell of tools") }
            if let thinking = format.syntax.thinking {
                #expect(
                    !told.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix(thinking.start),
                    "\(name) lets the model think"
                )
            }
            let support = format.toolSupport
            var outcome = "\(support.origin)" + (support.tools ? "" : ", tools in the system text")
            outcome += (support.calls ? "" : ", calls in the text") + (support.results ? "" : ", results of users")
            for history in try RoundTrip.histories(format) {
                // It writes texts that have `<` as CDATA of XML, which is read as it stands.
                if name.contains("MiniCPM5"), history.label == "one" || history.label == "two" { continue }
                do {
                    // A template may leave this thought out, or begin it in the head of an answer only.
                    if let thought = history.thinking, let start = format.syntax.thinking?.start {
                        let places = try RoundTrip.written(history, format, tools).components(separatedBy: thought)
                        let place = places.count > 1 ? places[0].trimmingCharacters(in: .whitespacesAndNewlines) : ""
                        guard place.hasSuffix(start) else { continue }
                    }
                    let read = try RoundTrip.readBack(history, format, tools)
                    #expect(read == history.expected, "\(name): \(read) for \(history.expected)")
                    if read != history.expected { outcome += " WRONG \(history.label)" }
                } catch {
                    Issue.record("\(name) \(history.label): \(error)")
                    outcome += " FAILED \(history.label): \(error)"
                }
            }
            rows.append("\(name): \(outcome), \(TemplateFolder.summary(format.syntax))")
        }
        #expect(unusable <= 2)
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

    static func format(_ name: String, _ source: String) throws -> ChatFormat {
        // A template for conversations with tools stands beside one for those without.
        let plain = "{% for m in messages %}{{ m.content }}{% endfor %}"
        return try ChatFormat(
            TokenizerConfiguration(
                templates: name.contains("tool_use") ? ["default": plain, "tool_use": source] : ["default": source],
                specialTokens: ["bos_token": "<s>", "eos_token": "</s>"]
            ),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
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
