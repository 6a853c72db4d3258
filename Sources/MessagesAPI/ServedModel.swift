package import Chat
package import Tokenization

/// The loaded model as clients see it, and how texts become its tokens.
package struct ServedModel: Sendable {
    /// As listed by `/v1/models`.
    package var id: String
    /// Honest about what the model is: people choose by it.
    package var displayName: String
    /// RFC 3339.
    package var createdAt: String
    package var tokenizer: Tokenizer
    package var chatFormat: ChatFormat
    /// What holds its answers to a form.
    let grammars: ModelGrammars

    package init(id: String, displayName: String, createdAt: String, tokenizer: Tokenizer, chatFormat: ChatFormat) {
        self.id = id
        self.displayName = displayName
        self.createdAt = createdAt
        self.tokenizer = tokenizer
        self.chatFormat = chatFormat
        grammars = ModelGrammars(
            tokenizer,
            chatFormat.syntax,
            stopTokens: chatFormat.stopTokens(in: tokenizer),
            controlTokens: chatFormat.controlTokens(in: tokenizer),
            markerTexts: chatFormat.markerTexts(in: tokenizer)
        )
    }
}
