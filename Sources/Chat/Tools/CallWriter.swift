import JSON
import Templates

/// Writes calls as a syntax has them: for models whose template does not.
struct CallWriter: Sendable {
    let syntax: CallSyntax

    /// The calls of an answer, as text.
    func text(_ calls: [ToolCall]) -> String {
        parts(calls).map { part in
            switch part {
            case .string(let text), .templateText(let text): text
            default: ""
            }
        }.joined().trimmed
    }

    /// The calls of an answer. Markers are the format's own text, names and arguments are not.
    /// - Parameter number: how many calls were before them.
    func value(_ calls: [ToolCall], from number: Int = 0) -> TemplateValue { .joined(parts(calls, from: number)) }

    private func parts(_ calls: [ToolCall], from number: Int = 0) -> [TemplateValue] {
        var parts: [TemplateValue] = []
        func mark(_ text: String) { if !text.isEmpty { parts.append(.templateText(text)) } }
        mark(syntax.sectionStart)
        for (index, call) in calls.enumerated() {
            if index > 0 { mark(syntax.separator) }
            mark(syntax.callStart)
            parts.append(.string(call.name))
            if let identifier = syntax.identifier {
                mark(identifier.start)
                switch identifier.form {
                case .number: parts.append(.string(String(number + index)))
                case .nineCharacters: parts.append(.string(CallNames.nineCharacters(call.id)))
                }
            }
            mark(syntax.nameEnd)
            parts += arguments(call)
            mark(syntax.callEnd)
        }
        mark(syntax.sectionEnd)
        return parts
    }

    private func arguments(_ call: ToolCall) -> [TemplateValue] {
        guard let node = call.value else { return [.string(call.arguments)] }
        switch syntax.arguments {
        case .json where call.isSampled: return [.string(call.arguments)]
        case .json(let layout): return [.string(ArgumentText.json(node, layout))]
        case .bare(let quote): return Self.quoted(node, quote)
        case .python:
            return (try? Array(node.members()))?.enumerated().map { index, member in
                .string((index > 0 ? ", " : "") + member.name + "=" + ArgumentText.text(member.value, .python))
            } ?? []
        case .parameters(let parameters): return Self.parameters(node, parameters)
        }
    }

    private static func parameters(_ node: JSONNode, _ syntax: ParameterSyntax) -> [TemplateValue] {
        var parts: [TemplateValue] = []
        for (index, member) in ((try? Array(node.members())) ?? []).enumerated() {
            if index > 0, !syntax.separator.isEmpty { parts.append(.templateText(syntax.separator)) }
            let isString = member.value.kind == .string
            parts += [
                .templateText(syntax.start), .string(member.name),
                .templateText(isString ? syntax.nameEnd : syntax.otherNameEnd ?? syntax.nameEnd),
                .string((try? member.value.string()) ?? ArgumentText.json(member.value, .spaced)),
                .templateText(syntax.valueEnd),
            ]
        }
        return parts
    }

    /// Texts between quotes that may be special tokens, which only the format may write.
    private static func quoted(_ node: JSONNode, _ quote: String) -> [TemplateValue] {
        // Strings are written without this character.
        let mark = "\u{0}"
        let text = ArgumentText.text(node, .bare(mark))
        return text.split(separator: mark, omittingEmptySubsequences: false).enumerated().flatMap { index, part in
            (index > 0 ? [TemplateValue.templateText(quote)] : []) + (part.isEmpty ? [] : [.string(String(part))])
        }
    }
}

/// Names of calls in the forms that templates ask for.
enum CallNames {
    private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)

    /// Nine letters or digits, the same for the same name. One that has the form stays as it is.
    static func nineCharacters(_ id: String) -> String {
        if id.utf8.count == 9, id.utf8.allSatisfy({ letters.contains($0) }) { return id }
        // FNV-1a.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var result: [UInt8] = []
        for _ in 0..<9 {
            result.append(letters[Int(hash % UInt64(letters.count))])
            hash /= UInt64(letters.count)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
