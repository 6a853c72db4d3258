import Templates

/// How a template wants the contents of messages: as a string, or as a list of typed parts.
///
/// Most templates read a string and many read both; those of models that also take pictures often walk a list, and a
/// string, letter by letter, gives them nothing without complaint.
struct MessageForms: Sendable {
    enum Form: Sendable, CaseIterable {
        case text
        /// `[{"type": "text", "text": …}]`
        case parts

        func content(_ text: TemplateValue) -> TemplateValue {
            switch self {
            case .text: text
            case .parts: .array([.object([.init("type", .formatText("text")), .init("text", text)])])
            }
        }
    }

    var user = Form.text
    var system = Form.text
    var assistant = Form.text

    subscript(_ role: ChatRole) -> Form {
        switch role {
        case .user, .tool: user
        case .system: system
        case .assistant: assistant
        }
    }
}
