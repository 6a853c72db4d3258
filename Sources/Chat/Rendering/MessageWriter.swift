import Templates

/// Makes messages of turns, in the forms that a template wants.
struct MessageWriter {
    let forms: MessageForms
    /// Writes the calls that the template does not.
    let calls: CallWriter
    /// How thoughts are written that the template would drop; nil: they are left to it.
    let keptThinking: KeptThinking?

    /// What stands in place of the messages' placeholders.
    private(set) var fillings: [RenderedText] = []
    private var callCount = 0
    /// The numbers of calls, by their names.
    private var numbers: [String: Int] = [:]

    /// The text around a thought.
    struct KeptThinking {
        var start: String
        var end: String
    }

    init(forms: MessageForms, calls: CallWriter, keptThinking: KeptThinking?) {
        self.forms = forms
        self.calls = calls
        self.keptThinking = keptThinking
    }

    /// - Parameter isMarked: whether the turn's text ends with the mark.
    mutating func message(_ turn: ChatTurn, isMarked: Bool) throws(TemplateError) -> TemplateValue {
        var members: [TemplateValue.Member] = [.init("role", .templateText(turn.role.rawValue))]
        let text: TemplateValue = isMarked ? .marked(turn.text) : .string(turn.text)
        guard turn.role == .assistant else {
            members.append(.init("content", forms.contents[turn.role].content(text)))
            if turn.role == .tool { members += resultMembers(turn) }
            return .object(members)
        }
        var parts = [text]
        if let thinking = turn.thinking, !thinking.isEmpty {
            if let keptThinking {
                parts.insert(try placeholder(keptThinking, thinking), at: 0)
            } else if let name = forms.thinking {
                members.append(.init(name, .string(thinking)))
            }
        }
        if forms.calls == nil, !turn.calls.isEmpty {
            if !turn.text.isEmpty { parts.append(.templateText("\n")) }
            parts.append(calls.value(turn.calls, from: callCount))
        }
        let content = forms.contents.assistant.content(parts.count == 1 ? text : .joined(parts))
        members += callMembers(turn, content: content, hasText: parts.count > 1 || !turn.text.isEmpty)
        return .object(members)
    }

    /// The content and the calls of an assistant's turn.
    private mutating func callMembers(
        _ turn: ChatTurn,
        content: TemplateValue,
        hasText: Bool
    ) -> [TemplateValue.Member] {
        defer {
            for call in turn.calls {
                numbers[call.id] = callCount
                callCount += 1
            }
        }
        guard let form = forms.calls, !turn.calls.isEmpty else { return [.init("content", content)] }
        var members: [TemplateValue.Member] = []
        switch hasText ? .empty : form.noText {
        case .empty: members.append(.init("content", content))
        case .null: members.append(.init("content", .null))
        case .absent: break
        }
        let values = turn.calls.enumerated().map { forms.value($1, form, number: callCount + $0, syntax: calls.syntax) }
        return members + [.init("tool_calls", .array(values))]
    }

    private func resultMembers(_ turn: ChatTurn) -> [TemplateValue.Member] {
        guard let call = turn.answeredCall else { return [] }
        let name = forms.name(call.id, call.name, number: numbers[call.id] ?? 0)
        return [.init("tool_call_id", .string(name)), .init("name", .string(call.name))]
    }

    private mutating func placeholder(_ kept: KeptThinking, _ thinking: String) throws(TemplateError) -> TemplateValue {
        let text = try RenderedText(kept.start, .template).appending(thinking).appending(kept.end, .template)
        fillings.append(text)
        return .placeholder(fillings.count - 1)
    }
}
