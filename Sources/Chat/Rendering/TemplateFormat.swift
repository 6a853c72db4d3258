import Templates
import Tokenization

/// Writes conversations with a chat template.
///
/// Many templates accept a system turn only at the beginning, some none at all, and some move it; the same is true of
/// tools, calls and results. What a template does is found out by rendering short conversations when it is loaded.
struct TemplateFormat: Sendable {
    let template: ChatTemplate
    /// For requests with tools: a separate template of the model, or the same one.
    let toolTemplate: ChatTemplate
    private let hasToolTemplate: Bool
    /// `bos_token` and the like.
    let constants: [TemplateValue.Member]
    var forms = MessageForms()
    var supportsSystem = true
    /// Whether a system turn in the middle is written where it is.
    var supportsInlineSystem = true
    var thinkingSwitch = ThinkingSwitch()
    /// How the model writes calls and thoughts.
    var syntax = AnswerSyntax(calls: HermesTools.calls)
    private(set) var syntaxOrigin = ToolSupport.Origin.ours
    /// What people should know of how it writes conversations.
    var notes: [String] = []

    /// - Throws: if no text of a user's comes out of the template, whatever form it is given in.
    init(
        template: ChatTemplate,
        toolTemplate: ChatTemplate?,
        specialTokens: [String: String]
    ) throws(TemplateError) {
        self.template = template
        self.toolTemplate = toolTemplate ?? template
        hasToolTemplate = toolTemplate != nil
        constants = specialTokens.sorted { $0.key < $1.key }.map { .init($0.key, .templateText($0.value)) }
        try findUserForm()
        findOtherForms()
        supportsSystem = keepsOrder([.system, .user]) && !movesSystem
        let opening: [ChatRole] = supportsSystem ? [.system] : []
        supportsInlineSystem = keepsOrder(opening + [.user, .system, .assistant, .user, .system])
        findToolForms()
        (syntax, syntaxOrigin) = SyntaxProbe(self).syntax()
        if syntaxOrigin == .ours, forms.calls != nil {
            // What cannot be read may not be written either: then all of it is ours.
            (forms.calls, forms.tools, forms.naming) = (nil, nil, .own)
            (forms.writesSeveralCalls, forms.splitsText) = (true, false)
            findResultForm()
        }
        if syntax.calls.isWholeAnswer { forms.splitsText = true }
        thinkingSwitch = ThinkingSwitch(self)
    }

    // MARK: Rendering

    /// What a conversation is rendered with, beside its turns.
    struct Settings {
        var tools: [TemplateValue] = []
        /// Switches of the template.
        var switches: [TemplateValue.Member] = []
        var keptThinking: MessageWriter.KeptThinking?
    }

    /// The text of a conversation, for the model to go on after it, and whether it ends inside a thought.
    func render(_ conversation: ChatConversation) throws(TemplateError) -> (text: RenderedText, isInsideThinking: Bool)
    {
        do throws(TemplateError) {
            return try render(conversation, tellsTools: forms.tools != nil)
        } catch {
            // Some templates ask of tools' schemas what these need not have, such as a description of each parameter.
            // A template of its own for tools may be the only one that writes calls.
            guard forms.tools != nil, !hasToolTemplate, !conversation.tools.isEmpty,
                error.kind == .undefined || error.kind == .operation,
                let text = try? render(conversation, tellsTools: false)
            else { throw error }
            return text
        }
    }

    /// - Parameter tellsTools: whether the template is given the tools. If not, the system text tells of them.
    private func render(
        _ conversation: ChatConversation,
        tellsTools: Bool
    ) throws(TemplateError) -> (text: RenderedText, isInsideThinking: Bool) {
        var turns = conversation.turns
        // An empty turn to continue is the same as a new one.
        if let last = turns.last, last.role == .assistant, last.text.isEmpty, last.calls.isEmpty,
            last.thinking == nil
        {
            turns.removeLast()
        }
        var settings = Settings(switches: thinkingSwitch.members(conversation.thinking))
        if tellsTools {
            settings.tools = conversation.tools.map { forms.value($0) }
        } else if !conversation.tools.isEmpty {
            turns = HermesTools.described(
                conversation.tools,
                in: turns,
                calls: syntax.calls,
                writesResults: forms.writesResults
            )
        }
        if conversation.keepsThinking { settings.switches += thinkingSwitch.keepers }
        if conversation.keepsThinking, thinkingSwitch.dropsOldThinking, let thinking = syntax.thinking {
            settings.keptThinking = .init(start: thinkingSwitch.opening, end: thinking.closing)
        }
        if forms.splitsText { turns = turns.withTextApart }
        if !forms.writesSeveralCalls { turns = turns.withSingleCalls }
        if !forms.writesResults { turns = HermesTools.withResultsOfUsers(turns) }
        if !supportsSystem { turns = SystemTurns.firstMerged(turns) }
        let text = try renderMergingInline(turns, settings)
        guard turns.last?.role != .assistant else { return (text, false) }
        return try thinkingSwitch.applied(conversation.thinking, to: text, syntax.thinking)
    }

    private func renderMergingInline(_ turns: [ChatTurn], _ settings: Settings) throws(TemplateError) -> RenderedText {
        guard supportsInlineSystem else {
            return try renderContinuing(SystemTurns.inlineMerged(turns), settings)
        }
        do {
            return try renderContinuing(turns, settings)
        } catch {
            // Some refuse a system turn only after certain others.
            guard error.kind == .raised, SystemTurns.hasInline(turns) else { throw error }
            return try renderContinuing(SystemTurns.inlineMerged(turns), settings)
        }
    }

    private func renderContinuing(_ turns: [ChatTurn], _ settings: Settings) throws(TemplateError) -> RenderedText {
        guard let last = turns.last, last.role == .assistant, last.calls.isEmpty else {
            return try renderAsIs(turns, settings)
        }
        do {
            let rendered = try renderAsIs(turns, settings, continuesFinalMessage: true)
            if let text = rendered.beforeMark { return text }
        } catch {
            guard error.kind == .raised else { throw error }
        }
        // The template does not write the last assistant turn: its text goes after the head of a new one.
        let head = try renderAsIs(turns.dropLast(), settings)
        return try head.appending(last.text)
    }

    /// - Parameters:
    ///   - continuesFinalMessage: whether the last turn's text ends with the mark.
    ///   - opensAnswer: whether the head of an answer is written at the end.
    func renderAsIs(
        _ turns: [ChatTurn],
        _ settings: Settings = Settings(),
        continuesFinalMessage: Bool = false,
        opensAnswer: Bool = true
    ) throws(TemplateError) -> RenderedText {
        var writer = MessageWriter(
            forms: forms,
            calls: CallWriter(syntax: syntax.calls),
            keptThinking: settings.keptThinking
        )
        var messages: [TemplateValue] = []
        messages.reserveCapacity(turns.count)
        for (index, turn) in turns.enumerated() {
            messages.append(
                try writer.message(turn, isMarked: continuesFinalMessage && index == turns.count - 1)
            )
        }
        let tools = settings.tools.isEmpty ? forms.noTools : .array(settings.tools)
        let context: [TemplateValue.Member] =
            constants + settings.switches + [
                .init("messages", .array(messages)), .init("tools", tools),
                // SmolLM 3's name for them.
                .init("xml_tools", tools), .init("documents", .null),
                .init("add_generation_prompt", .bool(opensAnswer && !continuesFinalMessage)),
            ]
        let text = try (settings.tools.isEmpty ? template : toolTemplate).render(context)
        return writer.fillings.isEmpty ? text : try text.filled(with: writer.fillings)
    }

    // MARK: Tokens

    /// The empty thought with which a prompt ends for a model that is not to think; empty if there is none.
    func emptyThinking(at text: PromptText) -> [UInt8] {
        guard let thinking = syntax.thinking, let last = text.runs.last, last.origin == .template else { return [] }
        let end = Array(text.bytes[last.range])
        let (start, stop) = (Array(thinking.start.utf8), Array(thinking.end.trimmedEnd.utf8))
        guard let place = end.last(start) else { return [] }
        let inside = end[(place + start.count)...].drop(while: \.isSpace)
        guard inside.starts(with: stop) else { return [] }
        return Array(end[place...])
    }

    /// The tokens between an assistant's text and the next user's: an answer that comes to one of them is over.
    func turnEnds(with tokenizer: Tokenizer) -> [String] {
        let turns = Probe.turns([.user, .assistant, .user])
        guard let rendered = try? renderAsIs(turns),
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
            let turns = Probe.turns(roles)
            guard let rendered = try? render(ChatConversation(turns: turns)).text,
                let end = turns.last.flatMap({ rendered.offsets(of: $0.text).first })
            else { continue }
            let bytes = rendered.bytes
            for (range, origin) in rendered.runs where origin == .template && range.lowerBound < end {
                written.append(Array(bytes[range]))
            }
        }
        return Set(tokenizer.addedTokens(writtenIn: written).map(\.id).filter { !tokenizer.isPlain($0) })
    }
}

extension [ChatTurn] {
    /// The turns with the text of an answer that calls in a turn of its own, before the one that has its thinking.
    var withTextApart: [ChatTurn] {
        flatMap { turn -> [ChatTurn] in
            guard !turn.calls.isEmpty, !turn.text.isEmpty else { return [turn] }
            var calling = turn
            calling.text = ""
            return [ChatTurn(role: .assistant, text: turn.text), calling]
        }
    }

    /// The turns with each call in an assistant's turn of its own, followed by its result.
    var withSingleCalls: [ChatTurn] {
        var result: [ChatTurn] = []
        var index = startIndex
        while index < endIndex {
            let turn = self[index]
            index += 1
            guard turn.calls.count > 1 else {
                result.append(turn)
                continue
            }
            var answers: [String: ChatTurn] = [:]
            var others: [ChatTurn] = []
            while index < endIndex, self[index].role == .tool {
                let id = self[index].answeredCall?.id ?? ""
                if answers[id] == nil { answers[id] = self[index] } else { others.append(self[index]) }
                index += 1
            }
            for (number, call) in turn.calls.enumerated() {
                var single = number == 0 ? turn : ChatTurn(role: .assistant, text: "")
                single.calls = [call]
                result.append(single)
                if let answer = answers.removeValue(forKey: call.id) { result.append(answer) }
            }
            // Results of no call: in no order that matters, but always the same.
            result += answers.sorted { $0.key < $1.key }.map(\.value) + others
        }
        return result
    }
}
