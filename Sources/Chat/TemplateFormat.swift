import Templates
import Tokenization

/// Writes conversations with a chat template.
///
/// Templates differ in what they stand: many know a system turn only at the beginning, some none at all, and some move
/// it about. What a template does is found out by rendering short conversations when it is loaded.
struct TemplateFormat: Sendable {
    private let template: ChatTemplate
    /// For requests with tools, where a model has a template of its own for them.
    private let toolTemplate: ChatTemplate
    /// `bos_token` and the like.
    private let constants: [TemplateValue.Member]
    private var forms = MessageForms()
    private var knowsSystem = true
    /// Whether a system turn in the middle is written where it is.
    private var knowsInlineSystem = true
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
        constants = specialTokens.sorted { $0.key < $1.key }.map { .init($0.key, .formatText($0.value)) }
        try findUserForm()
        findOtherForms()
        knowsSystem = keepsOrder([.system, .user])
        let opening: [ChatRole] = knowsSystem ? [.system] : []
        knowsInlineSystem = keepsOrder(opening + [.user, .system, .assistant, .user, .system])
    }

    // MARK: What the template stands

    /// Chooses the form of users' texts by what comes out.
    private mutating func findUserForm() throws(TemplateError) {
        var reason = "its text is not in what the template writes"
        for form in MessageForms.Form.allCases {
            forms = MessageForms(user: form, system: form, assistant: form)
            for roles: [ChatRole] in [[.user], [.system, .user], [.user, .assistant, .user]] {
                do throws(TemplateError) {
                    if try lost(roles).isDisjoint(with: [.user]) { return }
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

    /// Chooses the forms of the others' texts: the user's, unless only the other one comes out.
    private mutating func findOtherForms() {
        choose(\.assistant, .assistant, in: [[.user, .assistant, .user]])
        choose(\.system, .system, in: [[.system, .user], [.system, .user, .assistant, .user]])
        let earlier = (try? lost([.user, .assistant, .user])) ?? []
        if earlier.contains(.user) {
            notes.append("the chat template leaves out what a user said before: only the last message is read")
        }
        if earlier.contains(.assistant) {
            notes.append("the chat template leaves out what an assistant said before: earlier answers are lost")
        }
        if (try? lost([.system, .user]))?.contains(.system) == true {
            notes.append("the chat template leaves out a system's text: it goes before the first user's")
        }
    }

    private mutating func choose(
        _ form: WritableKeyPath<MessageForms, MessageForms.Form>,
        _ role: ChatRole,
        in conversations: [[ChatRole]]
    ) {
        let usual = forms
        for other in [usual.user] + MessageForms.Form.allCases {
            forms[keyPath: form] = other
            for roles in conversations where (try? lost(roles))?.contains(role) == false { return }
        }
        forms = usual
    }

    /// The roles whose texts do not come out of the template, in a conversation of these.
    private func lost(_ roles: [ChatRole]) throws(TemplateError) -> Set<ChatRole> {
        let turns = probe(roles)
        let rendered = try renderAsIs(turns, tools: [])
        // A list that is printed as one shows its text too, but is none of a conversation.
        let isPrinted =
            turns.contains { forms[$0.role] == .parts }
            && [#"'type': 'text'"#, #""type": "text""#].contains { !rendered.offsets(of: $0).isEmpty }
        let out = turns.filter { !isPrinted && !rendered.offsets(of: $0.text).isEmpty }
        let lost = turns.filter { turn in !out.contains { $0.text == turn.text } }
        return Set(lost.map(\.role))
    }

    /// A conversation whose texts can be told apart.
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
    /// What it writes after the last turn is an answer's head, where some models begin to think: the tokens of thoughts
    /// are no turn's.
    func marks(with tokenizer: Tokenizer) -> Set<Int32> {
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
            for (range, origin) in rendered.runs where origin == .format && range.lowerBound < end {
                written.append(Array(bytes[range]))
            }
        }
        return Set(tokenizer.addedTokens(writtenIn: written).map(\.id).filter { !tokenizer.isPlain($0) })
    }

    // MARK: Rendering

    /// The text of a conversation, for the model to go on after it.
    func render(_ turns: [ChatTurn], tools: [TemplateValue]) throws(TemplateError) -> RenderedText {
        var turns = turns
        // Nothing to go on with: a new turn says the same.
        if let last = turns.last, last.role == .assistant, last.text.isEmpty, last.details.isEmpty {
            turns.removeLast()
        }
        if !knowsSystem { turns = SystemTurns.withoutFirst(turns) }
        if !knowsInlineSystem { return try renderWithoutInline(turns, tools) }
        do {
            return try renderContinued(turns, tools)
        } catch {
            // Some refuse a system turn only after certain others.
            guard error.kind == .raised, SystemTurns.hasInline(turns) else { throw error }
            return try renderWithoutInline(turns, tools)
        }
    }

    private func renderWithoutInline(_ turns: [ChatTurn], _ tools: [TemplateValue]) throws(TemplateError)
        -> RenderedText
    {
        try renderContinued(SystemTurns.withoutInline(turns), tools)
    }

    private func renderContinued(_ turns: [ChatTurn], _ tools: [TemplateValue]) throws(TemplateError) -> RenderedText {
        guard let last = turns.last, last.role == .assistant else { return try renderAsIs(turns, tools: tools) }
        do {
            let rendered = try renderAsIs(turns, tools: tools, isContinued: true)
            if let text = rendered.beforeMark { return text }
        } catch {
            guard error.kind == .raised else { throw error }
        }
        // The template does not show what an assistant said last: a new turn that begins with it does as well.
        let head = try renderAsIs(turns.dropLast(), tools: tools)
        return try head.appending(last.text)
    }

    /// - Parameter isContinued: whether the last turn's text ends with the mark.
    private func renderAsIs(
        _ turns: [ChatTurn],
        tools: [TemplateValue],
        isContinued: Bool = false
    ) throws(TemplateError) -> RenderedText {
        var messages: [TemplateValue] = []
        messages.reserveCapacity(turns.count)
        for (index, turn) in turns.enumerated() {
            let isMarked = isContinued && index == turns.count - 1
            messages.append(
                .object(
                    [
                        .init("role", .formatText(turn.role.rawValue)),
                        .init("content", forms[turn.role].content(isMarked ? .marked(turn.text) : .string(turn.text))),
                    ] + turn.details
                )
            )
        }
        let context: [TemplateValue.Member] =
            constants + [
                .init("messages", .array(messages)), .init("tools", tools.isEmpty ? .null : .array(tools)),
                .init("documents", .null), .init("add_generation_prompt", .bool(!isContinued)),
            ]
        return try (tools.isEmpty ? template : toolTemplate).render(context)
    }

    // MARK: Tokens

    /// The tokens of a rendered text. Special ones are read from what the format wrote, and the text is cut and merged
    /// as a whole, as the reference does it.
    func encode(_ text: RenderedText, with tokenizer: Tokenizer) throws(TokenizerError) -> [Int32] {
        let trusted = text.runs.filter { $0.origin == .format }.map(\.range)
        return try tokenizer.encode(text.bytes, .ranges(trusted))
    }
}
