import Templates

/// Turns a model's thinking on and off: with the template's own variables, or by an empty thought at the answer's
/// beginning.
struct ThinkingSwitch: Sendable {
    /// Variables by which templates are told to let the model think.
    private static let flags = ["enable_thinking", "thinking", "reasoning", "enable_reasoning"]
    private static let effort = "reasoning_effort"
    /// Variables by which templates are told whether the thinking of earlier answers stays, and what keeps it.
    private static let keepers: [TemplateValue.Member] = [
        .init("preserve_thinking", .bool(true)), .init("preserved_thinking", .bool(true)),
        .init("keep_past_thinking", .bool(true)), .init("clear_thinking", .bool(false)),
        .init("drop_thinking", .bool(false)), .init("truncate_history_thinking", .bool(false)),
    ]

    /// Those that the template names.
    private var flags: [String] = []
    private var hasEffort = false
    /// What keeps the thinking of earlier answers, of the variables that the template names.
    private(set) var keepers: [TemplateValue.Member] = []
    /// The effort that stands for no thinking.
    private var leastEffort = ThinkingEffort.low.rawValue
    /// Whether the flags change what is written.
    private var works = false
    /// Whether the template leaves out the thinking of earlier answers, whatever it is told.
    private(set) var dropsOldThinking = false
    /// How the template begins a thought: the marker, and the white space after it.
    private(set) var opening = ""

    init() {}

    init(_ format: TemplateFormat) {
        let template = format.template
        flags = Self.flags.filter { template.names($0) }
        keepers = Self.keepers.filter { template.names($0.name) }
        hasEffort = template.names(Self.effort)
        if hasEffort, template.contains("none") { leastEffort = "none" }
        func head(_ mode: ThinkingMode) -> String? {
            let settings = TemplateFormat.Settings(switches: members(mode))
            return (try? format.renderAsIs([Probe.user], settings))?.string
        }
        works = !flags.isEmpty && head(.on(nil)) != head(.off)
        guard let thinking = format.syntax.thinking else { return }
        // As much white space as stands before the end.
        opening = thinking.start + thinking.closing.prefix(while: \.isWhitespace)
        dropsOldThinking = dropsThinking(format)
    }

    /// All switches, turned on.
    static let all: [TemplateValue.Member] = flags.map { .init($0, .bool(true)) }

    /// The variables for a mode.
    func members(_ mode: ThinkingMode) -> [TemplateValue.Member] {
        switch mode {
        case .off:
            return flags.map { .init($0, .bool(false)) }
                + (hasEffort ? [.init(Self.effort, .templateText(leastEffort))] : [])
        case .on(let effort):
            let level: String? =
                switch effort {
                case nil: nil
                case .low: "low"
                case .medium: "medium"
                case .high, .xhigh, .max: "high"
                }
            return flags.map { .init($0, .bool(true)) }
                + (hasEffort ? level.map { [.init(Self.effort, .templateText($0))] } ?? [] : [])
        }
    }

    /// The text of a prompt, for a model that is to think or not to, and whether it ends inside a thought.
    func applied(
        _ mode: ThinkingMode,
        to text: RenderedText,
        _ syntax: ThinkingSyntax?
    ) throws(TemplateError) -> (text: RenderedText, isInsideThinking: Bool) {
        guard let syntax else { return (text, false) }
        let end = text.endOfTemplate
        let isInside = end.hasSuffix(syntax.start.trimmedEnd)
        guard mode == .off else { return (text, isInside) }
        if isInside { return (try text.appending(syntax.closing, .template), false) }
        if works || end.hasSuffix(syntax.end.trimmedEnd) { return (text, false) }
        return (try text.appending(opening + syntax.closing, .template), false)
    }

    private func dropsThinking(_ format: TemplateFormat) -> Bool {
        let turns = [
            Probe.user, Probe.answer(Probe.text(1), thinking: Probe.thinking),
            ChatTurn(role: .user, text: Probe.text(2)),
        ]
        let settings = TemplateFormat.Settings(switches: members(.on(nil)) + keepers)
        return (try? format.renderAsIs(turns, settings))?.offsets(of: Probe.thinking).isEmpty ?? true
    }
}

extension RenderedText {
    /// What the template wrote last, without white space at the end.
    fileprivate var endOfTemplate: String {
        guard let last = runs.last, last.origin == .template else { return "" }
        return String(decoding: bytes[last.range], as: UTF8.self).trimmedEnd
    }
}

extension String {
    /// Without white space at the end.
    var trimmedEnd: String {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// Without white space at both ends.
    var trimmed: String { String(drop(while: \.isWhitespace)).trimmedEnd }
}
