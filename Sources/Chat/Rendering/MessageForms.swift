import JSON
import Templates

/// How a template wants what a conversation is made of. Found out when it is loaded.
struct MessageForms: Sendable {
    enum ToolForm: Sendable, CaseIterable {
        /// `{"type": "function", "function": {"name": …, "description": …, "parameters": …}}`
        case wrapped
        /// The function alone.
        case bare
    }

    /// How the calls of an assistant's message are given.
    struct CallForm: Sendable, Equatable {
        enum Arguments: Sendable, CaseIterable { case object, text }
        /// What the content is where an assistant only calls.
        enum NoText: Sendable, CaseIterable { case empty, null, absent }

        var tool = ToolForm.wrapped
        var arguments = Arguments.object
        var noText = NoText.empty
    }

    /// What calls are named.
    enum Naming: Sendable, CaseIterable {
        /// As the client names them.
        case own
        /// Nine letters or digits.
        case nineCharacters
        /// `functions.NAME:0`, with the number of the call.
        case numbered
    }

    var contents = ContentForms()
    /// What `tools` is where there are none.
    var noTools = TemplateValue.null
    /// Nil: the template does not write tools.
    var tools: ToolForm?
    /// Nil: it does not write calls.
    var calls: CallForm?
    var naming = Naming.own
    /// Whether it writes several calls in one turn.
    var writesSeveralCalls = true
    /// Whether an answer's text has a turn of its own before the calls: the template would lose it, or write it after them.
    var splitsText = false
    /// Whether it writes results, in messages of the role `tool`.
    var writesResults = false
    /// The member of a message that has its thinking; nil: the template writes none.
    var thinking: String?

    // MARK: Values

    /// A tool in the template's form.
    func value(_ tool: ToolDefinition) -> TemplateValue {
        let function: TemplateValue = .object([
            .init("name", .string(tool.name)), .init("description", .string(tool.description ?? "")),
            .init("parameters", TemplateValue(tool.inputSchema)),
        ])
        guard tools == .wrapped else { return function }
        return .object([.init("type", .templateText("function")), .init("function", function)])
    }

    /// A call in the template's form.
    /// - Parameters:
    ///   - number: how many calls were before it.
    ///   - syntax: in which the template writes it.
    func value(_ call: ToolCall, _ form: CallForm, number: Int, syntax: CallSyntax) -> TemplateValue {
        let node = call.value
        let arguments: TemplateValue =
            switch (form.arguments, node) {
            case (.object, let node?) where call.isSampled:
                syntax.writesRawValues ? .rawMembers(of: node) : TemplateValue(node, keepsSpelling: true)
            case (.object, let node?): TemplateValue(node)
            case (.text, let node?) where !call.isSampled: .string(ArgumentText.json(node, .spaced))
            case (.text, _): .string(call.arguments)
            case (_, nil): .string(call.arguments)
            }
        let function: [TemplateValue.Member] = [.init("name", .string(call.name)), .init("arguments", arguments)]
        let id = TemplateValue.Member("id", .string(name(call.id, call.name, number: number)))
        let type = TemplateValue.Member("type", .templateText("function"))
        return form.tool == .wrapped
            ? .object([id, type, .init("function", .object(function))]) : .object([id, type] + function)
    }

    /// A call's name.
    func name(_ id: String, _ tool: String, number: Int) -> String {
        switch naming {
        case .own: id
        case .nineCharacters: CallNames.nineCharacters(id)
        case .numbered: "functions.\(tool):\(number)"
        }
    }
}

extension CallSyntax {
    /// Whether parameters that are no strings are written between the same markers as those that are. Then any may be given
    /// as text: templates print it, while they print some values as Python would.
    fileprivate var writesRawValues: Bool {
        if case .parameters(let parameters) = arguments { parameters.otherNameEnd == nil } else { false }
    }
}

extension TemplateValue {
    /// An object with all that is not text as the JSON that it came as.
    fileprivate static func rawMembers(of node: JSONNode) -> TemplateValue {
        let members = (try? Array(node.members())) ?? []
        return .object(
            members.map { member in
                .init(
                    member.name,
                    .string((try? member.value.string()) ?? String(decoding: member.value.source, as: UTF8.self))
                )
            }
        )
    }

    /// A value from outside. Of members with one name the last counts.
    /// - Parameter keepsSpelling: whether arrays and objects are written as they came.
    init(_ node: JSONNode, keepsSpelling: Bool = false) {
        guard !keepsSpelling else {
            let value = TemplateValue(node) { TemplateValue($0, keepsSpelling: true) }
            self = .spelled(value, String(decoding: node.source, as: UTF8.self))
            return
        }
        self.init(node) { TemplateValue($0) }
    }

    /// - Parameter element: makes a value of an element or a member.
    private init(_ node: JSONNode, element: (JSONNode) -> TemplateValue) {
        switch node.kind {
        case .null: self = .null
        case .bool: self = .bool((try? node.bool()) ?? false)
        case .integer:
            let value = (try? node.int()) ?? 0
            self = value == .max || value == .min ? .number((try? node.double()) ?? 0) : .integer(value)
        case .number: self = .number((try? node.double()) ?? 0)
        case .string: self = .string((try? node.string()) ?? "")
        case .array: self = .array(((try? Array(node.elements())) ?? []).map(element))
        case .object:
            self = .object(((try? Array(node.members())) ?? []).map { .init($0.name, element($0.value)) })
        }
    }
}

/// How a template wants the contents of messages: as a string, or as a list of typed parts.
///
/// Most templates read a string and many read both. Those of models that also take pictures often iterate over a list;
/// given a string they iterate over its characters and write nothing, without an error.
struct ContentForms: Sendable {
    enum Form: Sendable, CaseIterable {
        case text
        /// `[{"type": "text", "text": …}]`
        case parts

        func content(_ text: TemplateValue) -> TemplateValue {
            switch self {
            case .text: text
            case .parts: .array([.object([.init("type", .templateText("text")), .init("text", text)])])
            }
        }
    }

    var user = Form.text
    var system = Form.text
    var assistant = Form.text
    var tool = Form.text

    subscript(_ role: ChatRole) -> Form {
        switch role {
        case .user: user
        case .tool: tool
        case .system: system
        case .assistant: assistant
        }
    }
}
