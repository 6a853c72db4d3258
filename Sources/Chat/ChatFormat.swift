package import Templates
package import Tokenization

/// How a model's conversations are written in tokens.
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

    private enum Writer: Sendable {
        case phi3(Phi3Format)
        case template(TemplateFormat)
    }

    package let origin: Origin
    private let writer: Writer
    /// Special tokens that end an answer, by their text.
    private let stops: [String]
    /// Further tokens that end an answer, by their number.
    private let endTokens: Set<Int32>
    /// The texts of the special tokens that have a role.
    private var specialTokens: [String] = []
    /// Whether a conversation begins with the tokenizer's `tokensBeforeText`, whatever the template writes.
    private var addsTokensBeforeText = false

    /// Phi-3's format without its template.
    package static let phi3 = ChatFormat(
        origin: .family("phi3"),
        writer: .phi3(Phi3Format()),
        stops: Phi3Format.stops,
        endTokens: []
    )

    private init(origin: Origin, writer: Writer, stops: [String], endTokens: Set<Int32>) {
        self.origin = origin
        self.writer = writer
        self.stops = stops
        self.endTokens = endTokens
    }

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
        let origin = own == nil ? Origin.family(family.rawValue) : .model
        if let source = own ?? family.template {
            let format = try TemplateFormat(
                template: try ChatTemplate(source: source),
                toolTemplate: try configuration.toolTemplate.map { (source) throws(TemplateError) in
                    try ChatTemplate(source: source)
                },
                specialTokens: configuration.specialTokens
            )
            let stops = format.turnEnds(with: tokenizer) + [configuration.specialTokens["eos_token"]].compactMap { $0 }
            self.init(origin: origin, writer: .template(format), stops: stops, endTokens: endTokens)
        } else {
            self.init(origin: origin, writer: .phi3(Phi3Format()), stops: Phi3Format.stops, endTokens: endTokens)
        }
        specialTokens = configuration.specialTokens.values.sorted()
        addsTokensBeforeText = configuration.addsTokensBeforeText
    }

    /// Warnings for the operator about how conversations are written.
    package var notes: [String] {
        guard case .template(let format) = writer else { return [] }
        return format.notes
    }

    /// The tokens of a conversation, ready for the model to go on: after the head of an assistant's turn, or, if the
    /// last turn is an assistant's and has a text, inside that turn.
    /// - Parameter tools: descriptions in the form that templates take, `{"type": "function", "function": {…}}`.
    /// - Throws: `TemplateError` if the template raises one or fails, or the text cannot be tokenized.
    package func encode(
        _ turns: [ChatTurn],
        tools: [TemplateValue] = [],
        with tokenizer: Tokenizer
    ) throws(TemplateError) -> [Int32] {
        var tokens: [Int32]
        switch writer {
        case .phi3(let format):
            tokens = try Self.refusing { () throws(TokenizerError) in try format.encode(turns, with: tokenizer) }
        case .template(let format):
            let text = try format.render(turns, tools: tools)
            tokens = try Self.refusing { () throws(TokenizerError) in try format.encode(text, with: tokenizer) }
        }
        guard !tokens.isEmpty else { throw TemplateError(.operation, "nothing is left of this conversation") }
        let beginning = tokenizer.tokensBeforeText
        if addsTokensBeforeText, !tokens.starts(with: beginning) { tokens.insert(contentsOf: beginning, at: 0) }
        return tokens
    }

    /// A text that cannot be tokenized is the request's fault, as one that the template refuses is.
    private static func refusing(_ body: () throws(TokenizerError) -> [Int32]) throws(TemplateError) -> [Int32] {
        do throws(TokenizerError) {
            return try body()
        } catch {
            throw TemplateError(.limit, error.description)
        }
    }

    /// The conversation as text, to be shown; nil if the format has no template.
    package func preview(_ turns: [ChatTurn], tools: [TemplateValue] = []) throws(TemplateError) -> String? {
        guard case .template(let format) = writer else { return nil }
        return try format.render(turns, tools: tools).string
    }

    /// The tokens that end an answer: its end, and the head of another turn.
    package func stopTokens(in tokenizer: Tokenizer) -> Set<Int32> {
        endTokens.union(stops.compactMap(tokenizer.specialToken))
    }

    /// The tokens that no message may contain, whatever flags a file gives them: those that end an answer, stand between
    /// turns, or have a role. To be given to `Tokenizer.protecting`.
    package func controlTokens(in tokenizer: Tokenizer) -> Set<Int32> {
        var tokens = stopTokens(in: tokenizer)
        tokens.formUnion(specialTokens.compactMap(tokenizer.specialToken))
        tokens.formUnion(tokenizer.tokensBeforeText + tokenizer.tokensAfterText)
        if case .template(let format) = writer { tokens.formUnion(format.turnTokens(with: tokenizer)) }
        return tokens.filter { !tokenizer.isPlain($0) }
    }

    /// The format's special tokens that a tokenizer lacks; `encode` would leave them out.
    package func missingTokens(in tokenizer: Tokenizer) -> [String] {
        stops.filter { tokenizer.specialToken($0) == nil }
    }
}
