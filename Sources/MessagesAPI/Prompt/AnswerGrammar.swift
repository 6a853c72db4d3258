import Chat
import Constraints
import EngineContract
import JSON
import Tokenization

/// How a model writes its answers, and the same printed once, as a part of what grammars are known by.
struct PrintedSyntax: Sendable {
    let syntax: AnswerSyntax
    let text: ArraySlice<UInt8>

    init(_ syntax: AnswerSyntax) {
        self.syntax = syntax
        text = Array("\(syntax)".utf8)[...]
    }
}

/// What the answer to a request may be, put together from how the model writes (`AnswerSyntax`) and what is asked for.
///
/// Where the model decides (`auto`), text is free until the marker of a call or of thinking begins; from there on its
/// exact syntax is enforced. So whatever comes out can be read. Where no tool may be called (`none`), the marker of a call
/// cannot come.
struct AnswerGrammar {
    private let syntax: AnswerSyntax
    private let tools: [ToolDefinition]
    private let choice: ToolChoice
    private let format: JSONNode?
    private let isInsideThinking: Bool
    private let mayThink: Bool
    private let markers: MarkerReader

    /// The constraint of an answer; nil if it may be anything.
    /// - Parameters:
    ///   - tools: those of the prompt, which the answer may call as `choice` says.
    ///   - format: the schema of `output_config.format`.
    ///   - isInsideThinking: whether the prompt ends inside a block of thinking.
    ///   - mayThink: whether the answer may begin with thinking.
    ///   - controlTokens: tokens that no text has, beside those that the tokenizer calls special.
    /// - Returns: the constraint and, the first time, the paths of keywords that it does not enforce.
    /// - Throws: `SchemaError` if a schema cannot be enforced, with its place in the document of the schema.
    static func constraint(
        for printed: PrintedSyntax,
        tools: [ToolDefinition],
        choice: ToolChoice,
        format: JSONNode?,
        isInsideThinking: Bool,
        mayThink: Bool = true,
        tokenizer: Tokenizer,
        stopTokens: Set<Token>,
        controlTokens: Set<Token> = [],
        cache: GrammarCache
    ) throws(SchemaError) -> (constraint: any TokenConstraint, ignored: [String])? {
        guard !tools.isEmpty || format != nil else { return nil }
        let tools = choice.kind == .none ? [] : tools
        let syntax = printed.syntax
        let key = key(printed, tools, format, "\(choice) \(isInsideThinking) \(mayThink)")
        let made = try cache.constraint(key) { () throws(SchemaError) in
            AnswerGrammar(
                syntax: syntax,
                tools: tools,
                choice: choice,
                format: format,
                isInsideThinking: isInsideThinking && syntax.thinking != nil,
                mayThink: mayThink && syntax.thinking != nil,
                markers: MarkerReader(syntax, tokenizer, stopTokens: stopTokens, controlTokens: controlTokens)
            )
            .element
        }
        return (made.constraint, made.ignored)
    }

    /// The definitions as they are written.
    private static func key(
        _ printed: PrintedSyntax,
        _ tools: [ToolDefinition],
        _ format: JSONNode?,
        _ options: String
    ) -> GrammarKey {
        var parts = [printed.text, Array(options.utf8)[...], format?.source ?? []]
        parts.reserveCapacity(parts.count + 2 * tools.count)
        for tool in tools {
            parts.append(Array("\(tool.isStrict ? "!" : " ")\(tool.name)".utf8)[...])
            parts.append(tool.inputSchema.source)
        }
        return GrammarKey(parts)
    }

    // MARK: The whole answer

    private var element: GrammarElement {
        guard let thinking = syntax.thinking, isInsideThinking || mayThink else { return answer(thinking: nil) }
        if isInsideThinking { return thought(thinking) }
        if isFree { return answer(thinking: thinking) }
        let start = markers.parts(thinking.start)
        return .alternatives([answer(thinking: nil), .sequence([markers.element(start), thought(thinking)])])
    }

    /// Whether the answer may begin with a text that nothing holds to a form.
    private var isFree: Bool { !choice.isForced && format == nil }

    /// What is thought, from behind the beginning of the block, and the answer.
    private func thought(_ thinking: ThinkingSyntax) -> GrammarElement {
        var rest = markers.closingRest(thinking)
        // Between thought and text, a model may leave the space out.
        if isFree, rest.allSatisfy(\.isSpace) { rest = [] }
        let answer = GrammarElement.sequence([markers.element(rest), .shared("answer", answer(thinking: nil))])
        let branches = markers.branches(of: markers.parts(thinking.end), then: answer)
        return .text(FreeText(until: branches, mayEnd: isFree, ignoresSpace: true))
    }

    /// - Parameter thinking: how a thought begins, if the answer may begin with one.
    private func answer(thinking: ThinkingSyntax?) -> GrammarElement {
        if choice.isForced { return calls(syntax.calls, opening: Self.opening(of: syntax.calls)) }
        if let format {
            var options = SchemaOptions(layout: .free)
            options.isClosed = true
            let value = GrammarElement.schema(format, options)
            guard tools.isEmpty else { return .alternatives([textStart(then: value), forcedCalls]) }
            return textStart(then: value)
        }
        return freeAnswer(thinking)
    }

    private var forcedCalls: GrammarElement { calls(syntax.calls, opening: Self.opening(of: syntax.calls)) }

    private func textStart(then value: GrammarElement) -> GrammarElement {
        let starts = syntax.textStarts.filter { !$0.isEmpty }.map { markers.element(markers.parts($0)) }
        guard !starts.isEmpty else { return value }
        return .sequence([.alternatives(starts + [.sequence([])]), value])
    }

    // MARK: Calls

    private static func opening(of calls: CallSyntax) -> String { calls.sectionStart + calls.callStart }

    /// One or several calls.
    /// - Parameter opening: what of `sectionStart` and `callStart` is still to come.
    private func calls(_ calls: CallSyntax, opening: String) -> GrammarElement {
        .sequence([markers.element(markers.parts(opening)), .shared("calls \(calls)", openedCalls(calls))])
    }

    private func openedCalls(_ calls: CallSyntax) -> GrammarElement {
        let called =
            if case .tool(let name) = choice.kind { tools.filter { $0.name == name } } else { tools }
        let ending = markers.parts(calls.identifier?.start ?? calls.nameEnd)
        let names = called.map { tool in
            // A text behind the name tells it from longer ones at once.
            var (text, rest) = (tool.name, ending[...])
            if case .text(let first)? = ending.first { (text, rest) = (text + first, ending.dropFirst()) }
            return (text: text, then: GrammarElement.sequence([markers.element(Array(rest)), afterName(calls, tool)]))
        }
        let (end, isLast) = markers.partsBeforeStop(calls.callEnd)
        let call = GrammarElement.sequence([.choice(names), markers.element(end)])
        let sectionEnd = isLast ? [] : markers.partsBeforeStop(calls.sectionEnd).parts
        guard choice.allowsParallel, !isLast else { return .sequence([call, markers.element(sectionEnd)]) }
        let next = markers.parts(calls.separator + calls.callStart)
        return .sequence([.repetition(call, separator: markers.element(next)), markers.element(sectionEnd)])
    }

    private func afterName(_ calls: CallSyntax, _ tool: ToolDefinition) -> GrammarElement {
        var elements: [GrammarElement] = []
        if let identifier = calls.identifier {
            elements.append(Self.element(identifier.form))
            elements.append(markers.element(markers.parts(calls.nameEnd)))
        }
        elements.append(.shared("\(calls.arguments) \(tool.name)", arguments(calls.arguments, tool)))
        return .sequence(elements)
    }

    private static func element(_ form: CallIdentifier.Form) -> GrammarElement {
        switch form {
        case .number:
            let more = GrammarElement.characters("0123456789", 0...4)
            return .alternatives([.literal("0"), .sequence([.characters("123456789", 1...1), more])])
        case .nineCharacters:
            let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
            return .characters(letters, 9...9)
        }
    }

    private func arguments(_ syntax: ArgumentSyntax, _ tool: ToolDefinition) -> GrammarElement {
        var options = SchemaOptions(ignoresUnsupported: !tool.isStrict, layout: .spaced)
        options.isObject = true
        options.isClosed = true
        switch syntax {
        case .json(let layout): options.layout = layout == .compact ? .compact : .spaced
        case .python: options.syntax = .python
        case .bare(let quote):
            options.syntax = .bare(quote: markers.parts(quote))
            options.layout = .compact
        case .parameters(let syntax):
            options.syntax = .parameters(
                ParameterMarkers(
                    start: markers.parts(syntax.start),
                    nameEnd: markers.parts(syntax.nameEnd),
                    otherNameEnd: syntax.otherNameEnd.map(markers.parts),
                    valueEnd: markers.parts(syntax.valueEnd),
                    spelledValueEnd: syntax.valueEnd,
                    separator: markers.parts(syntax.separator)
                )
            )
        }
        return .schema(tool.inputSchema, options)
    }

    // MARK: Free text

    /// A way to go on from free text: its marker, and what follows it.
    private struct Start {
        var marker: [MarkerPart]
        var isAtStart: Bool
        /// Nil: the marker cannot come.
        var next: GrammarElement?
    }

    private func freeAnswer(_ thinking: ThinkingSyntax?) -> GrammarElement {
        var starts: [Start] = []
        for calls in [syntax.calls] + syntax.otherCalls {
            guard let (marker, rest) = markers.trigger(of: Self.opening(of: calls)) else { continue }
            // Of several ways that begin alike, the model's own is the one to ask for.
            if starts.contains(where: { $0.marker == marker }) { continue }
            let next = choice.kind == .none ? nil : self.calls(calls, opening: rest)
            starts.append(Start(marker: marker, isAtStart: calls.isWholeAnswer, next: next))
        }
        let inner = GrammarElement.text(freeText(starts))
        if let thinking, let (marker, rest) = markers.trigger(of: thinking.start) {
            let next = GrammarElement.sequence([markers.element(markers.parts(rest)), thought(thinking)])
            starts.append(Start(marker: marker, isAtStart: true, next: next))
        }
        for text in syntax.textStarts {
            guard let (marker, rest) = markers.trigger(of: text) else { continue }
            let next = GrammarElement.sequence([markers.element(markers.parts(rest)), inner])
            starts.append(Start(marker: marker, isAtStart: true, next: next))
        }
        return .text(freeText(starts))
    }

    /// Free text with one branch for each marker. One that is a marker anywhere is also one at the start, where others may
    /// share it.
    private func freeText(_ starts: [Start]) -> FreeText {
        var branches: [FreeText.Branch] = []
        var known: [[MarkerPart]] = []
        let hasStarts = starts.contains(where: \.isAtStart)
        for start in starts where hasStarts && !known.contains(start.marker) {
            known.append(start.marker)
            let next = Self.alternatives(starts.filter { $0.marker == start.marker })
            branches.append(FreeText.Branch(start.marker, isAtStart: true, then: next))
        }
        known = []
        for start in starts where !start.isAtStart && !known.contains(start.marker) {
            known.append(start.marker)
            let next = Self.alternatives(starts.filter { $0.marker == start.marker && !$0.isAtStart })
            branches.append(FreeText.Branch(start.marker, then: next))
        }
        return FreeText(until: branches.flatMap(markers.spellings), mayEnd: true, ignoresSpace: true)
    }

    private static func alternatives(_ starts: [Start]) -> GrammarElement? {
        let next = starts.compactMap(\.next)
        return next.isEmpty ? nil : .alternatives(next)
    }
}
