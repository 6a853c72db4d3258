import Templates
import Tokenization

/// Writes conversations with a chat template.
///
/// Many templates accept a system turn only at the beginning, some none at all, and some move it. What a template does
/// is found out by rendering short conversations when it is loaded.
struct TemplateFormat: Sendable {
    private let template: ChatTemplate
    /// For requests with tools: a separate template of the model, or the same one.
    private let toolTemplate: ChatTemplate
    /// `bos_token` and the like.
    private let constants: [TemplateValue.Member]
    private var forms = ContentForms()
    private var supportsSystem = true
    /// Whether a system turn in the middle is written where it is.
    private var supportsInlineSystem = true
    /// What people should know of how it writes conversations.
    private(set) var notes: [String] = []

    /// - Throws: if no text of a user's comes out of the template, whatever form it is given in.
    init(
        template: ChatTemplate,
        toolTemplate: ChatTemplate?,
        specialTokens: [String: String]
    ) throws(TemplateError) {
        self.template = template
        self.toolTemplate = toolTemplate ?? template
        constants = specialTokens.sorted { $0.key < $1.key }.map { .init($0.key, .templateText($0.value)) }
        try findUserForm()
        findOtherForms()
        supportsSystem = keepsOrder([.system, .user])
        let opening: [ChatRole] = supportsSystem ? [.system] : []
        supportsInlineSystem = keepsOrder(opening + [.user, .system, .assistant, .user, .system])
    }

    // MARK: What the template supports

    /// Chooses the form of users' texts for which they appear in the output.
    private mutating func findUserForm() throws(TemplateError) {
        var reason = "its text is not in what the template writes"
        for form in ContentForms.Form.allCases {
            forms = ContentForms(user: form, system: form, assistant: form)
            for roles: [ChatRole] in [[.user], [.system, .user], [.user, .assistant, .user]] {
                do throws(TemplateError) {
                    if try lostRoles(roles).isDisjoint(with: [.user]) { return }
                } catch {
                    reason = error.description
                }
            }
        }
        throw TemplateError(
            .operation,
            "no user's text comes out of the template, given as a string or as a list of parts: \(reason)"
        )
    }

    /// Chooses the forms of the other roles' texts: the user's, unless only another one makes them appear.
    private mutating func findOtherForms() {
        choose(\.assistant, .assistant, in: [[.user, .assistant, .user]])
        choose(\.system, .system, in: [[.system, .user], [.system, .user, .assistant, .user]])
        let earlier = (try? lostRoles([.user, .assistant, .user])) ?? []
        if earlier.contains(.user) {
            notes.append("the chat template leaves out what a user said before: only the last message is read")
        }
        if earlier.contains(.assistant) {
            notes.append("the chat template leaves out what an assistant said before: earlier answers are lost")
        }
        if (try? lostRoles([.system, .user]))?.contains(.system) == true {
            notes.append("the chat template leaves out a system's text: it goes before the first user's")
        }
    }

    private mutating func choose(
        _ form: WritableKeyPath<ContentForms, ContentForms.Form>,
        _ role: ChatRole,
        in conversations: [[ChatRole]]
    ) {
        let usual = forms
        for other in [usual.user] + ContentForms.Form.allCases {
            forms[keyPath: form] = other
            for roles in conversations where (try? lostRoles(roles))?.contains(role) == false { return }
        }
        forms = usual
    }

    /// The roles whose texts are missing from the output, in a conversation of these roles.
    private func lostRoles(_ roles: [ChatRole]) throws(TemplateError) -> Set<ChatRole> {
        let turns = probe(roles)
        let rendered = try renderAsIs(turns, tools: [])
        // A template that prints the list itself shows the text too, but does not support parts.
        let isPrinted =
            turns.contains { forms[$0.role] == .parts }
            && [#"'type': 'text'"#, #""type": "text""#].contains { !rendered.offsets(of: $0).isEmpty }
        let out = turns.filter { !isPrinted && !rendered.offsets(of: $0.text).isEmpty }
        let lost = turns.filter { turn in !out.contains { $0.text == turn.text } }
        return Set(lost.map(\.role))
    }

    /// A conversation whose texts are all different.
    private func probe(_ roles: [ChatRole]) -> [ChatTurn] {
        roles.enumerated().map { ChatTurn(role: $1, text: "Probe\($0)text") }
    }

    /// Whether the template writes turns of these roles, each text once and in their order.
    private func keepsOrder(_ roles: [ChatRole]) -> Bool {
        let turns = probe(roles)
        guard let rendered = try? renderAsIs(turns, tools: []) else { return false }
        let places = turns.map { rendered.offsets(of: $0.text) }
        guard places.allSatisfy({ $0.count == 1 }) else { return false }
        let order = places.flatMap(\.self)
        return order == order.sorted()
    }

    /// The tokens between an assistant's text and the next user's: an answer that comes to one of them is over.
    func turnEnds(with tokenizer: Tokenizer) -> [String] {
        let turns = probe([.user, .assistant, .user])
        guard let rendered = try? renderAsIs(turns, tools: []),
            let answer = rendered.offsets(of: turns[1].text).first,
            let next = rendered.offsets(of: turns[2].text).first
        else { return [] }
        let start = answer + turns[1].text.utf8.count
        guard start <= next else { return [] }
        let ends = tokenizer.addedTokens(writtenIn: [Array(rendered.bytes[start..<next])])
        return Set(ends.filter { !tokenizer.isPlain($0.id) }.map(\.text)).sorted()
    }

    /// The tokens that the template writes before the first turn and between turns.
    ///
    /// What it writes after the last turn begins an answer, where some models begin to think: tokens of thinking are not
    /// among them.
    func turnTokens(with tokenizer: Tokenizer) -> Set<Int32> {
        let conversations: [[ChatRole]] = [
            [.system, .user, .assistant, .user, .assistant, .user], [.user, .assistant, .tool, .assistant, .user],
        ]
        var written: [[UInt8]] = []
        for roles in conversations {
            let turns = probe(roles)
            guard let rendered = try? render(turns, tools: []),
                let end = turns.last.flatMap({ rendered.offsets(of: $0.text).first })
            else { continue }
            let bytes = rendered.bytes
            for (range, origin) in rendered.runs where origin == .template && range.lowerBound < end {
                written.append(Array(bytes[range]))
            }
        }
        return Set(tokenizer.addedTokens(writtenIn: written).map(\.id).filter { !tokenizer.isPlain($0) })
    }

    // MARK: Rendering

    /// The text of a conversation, for the model to go on after it.
    func render(_ turns: [ChatTurn], tools: [TemplateValue]) throws(TemplateError) -> RenderedText {
        var turns = turns
        // An empty turn to continue is the same as a new one.
        if let last = turns.last, last.role == .assistant, last.text.isEmpty, last.calls.isEmpty,
            last.thinking == nil
        {
            turns.removeLast()
        }
        if !supportsSystem { turns = SystemTurns.firstMerged(turns) }
        if !supportsInlineSystem { return try renderInlineMerged(turns, tools) }
        do {
            return try renderContinuing(turns, tools)
        } catch {
            // Some refuse a system turn only after certain others.
            guard error.kind == .raised, SystemTurns.hasInline(turns) else { throw error }
            return try renderInlineMerged(turns, tools)
        }
    }

    private func renderInlineMerged(_ turns: [ChatTurn], _ tools: [TemplateValue]) throws(TemplateError)
        -> RenderedText
    {
        try renderContinuing(SystemTurns.inlineMerged(turns), tools)
    }

    private func renderContinuing(_ turns: [ChatTurn], _ tools: [TemplateValue]) throws(TemplateError) -> RenderedText {
        guard let last = turns.last, last.role == .assistant else { return try renderAsIs(turns, tools: tools) }
        do {
            let rendered = try renderAsIs(turns, tools: tools, continuesFinalMessage: true)
            if let text = rendered.beforeMark { return text }
        } catch {
            guard error.kind == .raised else { throw error }
        }
        // The template does not write the last assistant turn: its text goes after the head of a new one.
        let head = try renderAsIs(turns.dropLast(), tools: tools)
        return try head.appending(last.text)
    }

    /// - Parameter continuesFinalMessage: whether the last turn's text ends with the mark.
    private func renderAsIs(
        _ turns: [ChatTurn],
        tools: [TemplateValue],
        continuesFinalMessage: Bool = false
    ) throws(TemplateError) -> RenderedText {
        var messages: [TemplateValue] = []
        messages.reserveCapacity(turns.count)
        for (index, turn) in turns.enumerated() {
            let isMarked = continuesFinalMessage && index == turns.count - 1
            messages.append(
                .object(
                    [
                        .init("role", .templateText(turn.role.rawValue)),
                        .init("content", forms[turn.role].content(isMarked ? .marked(turn.text) : .string(turn.text))),
                    ]
                )
            )
        }
        let context: [TemplateValue.Member] =
            constants + [
                .init("messages", .array(messages)), .init("tools", tools.isEmpty ? .null : .array(tools)),
                .init("documents", .null), .init("add_generation_prompt", .bool(!continuesFinalMessage)),
            ]
        return try (tools.isEmpty ? template : toolTemplate).render(context)
    }

    // MARK: Tokens

    /// The tokens of a rendered text. Special ones are read from what the format wrote, and the text is cut and merged
    /// as a whole, as the reference does it.
    func encode(_ text: RenderedText, with tokenizer: Tokenizer) throws(TokenizerError) -> [Int32] {
        let trusted = text.runs.filter { $0.origin == .template }.map(\.range)
        return try tokenizer.encode(text.bytes, .ranges(trusted))
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

    subscript(_ role: ChatRole) -> Form {
        switch role {
        case .user, .tool: user
        case .system: system
        case .assistant: assistant
        }
    }
}
