import Chat
import Constraints
import EngineContract
import Scheduling
import Tokenization

extension MessagesAPI {
    /// What the answer to a request may be; nil if it may be anything. What is not known is compiled on this thread.
    /// - Throws: `APIError` if a schema cannot be enforced, by its place.
    func constraint(_ message: MessagesRequest, _ prompt: ChatPrompt) throws(APIError) -> (any TokenConstraint)? {
        let syntax = model.grammars.syntax.syntax
        let hasForm = message.format != nil || !message.tools.isEmpty
        // A prompt may begin a thought that nobody wants: it is ended at once.
        let thinking = message.mayThink || prompt.isInsideThinking ? syntax.thinking : nil
        guard hasForm || thinking != nil else { return nil }
        let (vocabulary, cache) = model.grammars.make(rows: scheduler.engineDescription.vocabularySize)
        var form: (any TokenConstraint)?
        do throws(SchemaError) {
            let made = try AnswerGrammar.constraint(
                for: model.grammars.syntax,
                tools: message.tools,
                choice: message.toolChoice,
                format: message.format,
                isInsideThinking: prompt.isInsideThinking,
                mayThink: message.mayThink,
                tokenizer: model.tokenizer,
                stopTokens: model.grammars.stopTokens,
                controlTokens: model.grammars.controlTokens,
                cache: cache
            )
            form = made?.constraint
            if let ignored = made?.ignored { ignoredKeywords.note(ignored, in: configuration.log) }
        } catch {
            throw APIError(error, isOfFormat: message.format != nil)
        }
        guard let thinking else { return form }
        return ThinkingBudget(
            form,
            budget: thinkingBudget(message, prompt),
            start: thinking.start,
            end: thinking.end,
            closing: model.tokenizer.encode(parsingSpecials: thinking.closing),
            isInsideThinking: prompt.isInsideThinking,
            vocabulary: vocabulary,
            specialTexts: model.grammars.markerTexts
        )
    }

    /// The most tokens that the model may think with: the client's budget, or what its effort comes to, and never so many
    /// that none are left for the answer.
    private func thinkingBudget(_ message: MessagesRequest, _ prompt: ChatPrompt) -> Int {
        guard message.mayThink else { return 0 }
        let room = max(0, min(message.maxTokens ?? .max, contextLength - prompt.tokens.count))
        let asked = message.thinking.budget ?? message.thinking.effort.map(\.tokens) ?? .max
        return min(asked, room - min(room / 4, Self.tokensForAnswer))
    }

    private static let tokensForAnswer = 512
}

extension ThinkingEffort {
    /// How many tokens of thinking it is worth.
    var tokens: Int {
        switch self {
        case .low: 1024
        case .medium: 4096
        case .high: 16_384
        case .xhigh: 32_768
        case .max: .max
        }
    }
}

extension APIError {
    /// - Parameter isOfFormat: whether the schema of `output_config.format` was read, beside those of tools.
    init(_ error: SchemaError, isOfFormat: Bool) {
        let path = !error.path.isEmpty ? error.path : isOfFormat ? "output_config.format.schema" : "tools"
        self = .invalidRequest("\(path): \(error.message)", logged: "\(path): this schema cannot be enforced")
    }
}
