package import Templates
package import Tokenization

/// How a model's conversations are written in tokens, and its answers read.
///
/// Special tokens come from the format alone: what a user writes is encoded as plain text, whatever it spells.
package struct ChatFormat: Sendable {
    /// Where the format comes from.
    package enum Origin: Sendable, Equatable {
        /// The model's own chat template.
        case model
        /// The usual format of its family: it has no template.
        case family(String)
    }

    package let origin: Origin
    private let format: TemplateFormat
    /// Special tokens that end an answer, by their text.
    private let stops: [String]
    /// Further tokens that end an answer, by their number.
    private let endTokens: Set<Int32>
    /// The texts of the special tokens that have a role.
    private var specialTokens: [String] = []
    /// Whether a conversation begins with the tokenizer's `tokensBeforeText`, whatever the template writes.
    private var addsTokensBeforeText = false

    /// The format of a model: its template's, or its family's if it has none.
    /// - Parameters:
    ///   - configuration: what `tokenizer_config.json` and the files beside it say.
    ///   - architecture: the `model_type` of its `config.json`.
    ///   - endTokens: the tokens that end an answer, as its configuration has them.
    /// - Throws: `TemplateError` if the model has a template that cannot be read, or that loses what users say.
    package init(
        _ configuration: TokenizerConfiguration,
        architecture: String,
        endTokens: Set<Int32>,
        tokenizer: Tokenizer
    ) throws(TemplateError) {
        let own = configuration.template
        let family = FamilyFormat.of(architecture, tokenizer)
        origin = own == nil ? Origin.family(family.rawValue) : .model
        format = try TemplateFormat(
            template: try ChatTemplate(source: own ?? family.template),
            toolTemplate: try configuration.toolTemplate.map { (source) throws(TemplateError) in
                try ChatTemplate(source: source)
            },
            specialTokens: configuration.specialTokens
        )
        self.endTokens = endTokens
        stops =
            format.turnEnds(with: tokenizer) + (own == nil ? family.tokens : [])
            + KnownSyntaxes.stops(of: format)
        specialTokens = configuration.specialTokens.values.sorted()
        addsTokensBeforeText = configuration.addsTokensBeforeText
    }

    /// Warnings for the operator about how conversations are written.
    package var notes: [String] { format.notes }

    /// What the template has a place for, and what is written in the form that Hermes models made common.
    package var toolSupport: ToolSupport {
        ToolSupport(
            tools: format.forms.tools != nil,
            calls: format.forms.calls != nil,
            results: format.forms.writesResults,
            origin: format.syntaxOrigin
        )
    }

    /// How the model writes its calls and its thoughts.
    package var syntax: AnswerSyntax { format.syntax }

    /// A conversation in tokens, ready for the model to go on: after the head of an assistant's turn, or, if the last turn
    /// is an assistant's and has a text, inside that turn.
    /// - Parameter recall: earlier answers; where the conversation has one of them, it has the tokens that were sampled.
    /// - Throws: `TemplateError` if the template raises one or fails, or the text cannot be tokenized.
    package func prompt(
        _ conversation: ChatConversation,
        with tokenizer: Tokenizer,
        recalling recall: (any AnswerRecall)? = nil
    ) throws(TemplateError) -> ChatPrompt {
        let (rendered, isInsideThinking) = try format.render(conversation)
        let text = PromptText(rendered)
        let encoder = PromptEncoder(
            tokenizer: tokenizer,
            ends: stops.map { Array($0.utf8) },
            emptyThinking: conversation.thinking == .off ? format.emptyThinking(at: text) : []
        )
        var tokens: [Int32]
        do throws(TokenizerError) {
            tokens = try encoder.encode(text, recalling: recall)
        } catch {
            // The request's fault, as a text is that the template refuses.
            throw TemplateError(.limit, error.description)
        }
        guard !tokens.isEmpty else { throw TemplateError(.operation, "nothing is left of this conversation") }
        let beginning = tokenizer.tokensBeforeText
        if addsTokensBeforeText, !tokens.starts(with: beginning) { tokens.insert(contentsOf: beginning, at: 0) }
        var prompt = ChatPrompt(tokens: tokens, isInsideThinking: isInsideThinking)
        prompt.key = text.key
        return prompt
    }

    /// The conversation as text, to be shown.
    package func preview(_ conversation: ChatConversation) throws(TemplateError) -> String {
        try format.render(conversation).text.string
    }

    /// The tokens that end an answer: its end, and the head of another turn. What a model writes within an answer does not
    /// end it.
    package func stopTokens(in tokenizer: Tokenizer) -> Set<Int32> {
        let inner = Set(tokens(of: syntax.innerMarkers, in: tokenizer))
        return endTokens.union(stops.compactMap(tokenizer.specialToken).filter { !inner.contains($0) })
    }

    /// Special tokens that are part of a marker, by what they spell: an answer's text must have them, so that it can be read.
    package func markerTexts(in tokenizer: Tokenizer) -> [Int32: [UInt8]] {
        let all = tokens(of: syntax.innerMarkers + syntax.outerMarkers, in: tokenizer).filter(tokenizer.isSpecial)
        let visible = Set(all).subtracting(stopTokens(in: tokenizer))
        return Dictionary(uniqueKeysWithValues: visible.map { ($0, tokenizer.bytes(of: $0)) })
    }

    private func tokens(of markers: [String], in tokenizer: Tokenizer) -> [Int32] {
        tokenizer.addedTokens(writtenIn: markers.map { Array($0.utf8) }).map(\.id)
    }

    /// The tokens that no message may contain, whatever flags a file gives them: those that end an answer, stand between
    /// turns, or have a role. To be given to `Tokenizer.protecting`.
    package func controlTokens(in tokenizer: Tokenizer) -> Set<Int32> {
        var tokens = stopTokens(in: tokenizer)
        tokens.formUnion(specialTokens.compactMap(tokenizer.specialToken))
        tokens.formUnion(tokenizer.tokensBeforeText + tokenizer.tokensAfterText)
        tokens.formUnion(format.turnTokens(with: tokenizer))
        return tokens.filter { !tokenizer.isPlain($0) }
    }
}

/// What of tools a template writes itself.
package struct ToolSupport: Sendable, Equatable {
    /// Where the syntax of calls comes from.
    package enum Origin: String, Sendable {
        case derived, known, ours
    }

    package var tools: Bool
    package var calls: Bool
    package var results: Bool
    package var origin: Origin
}
