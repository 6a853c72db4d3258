import Tokenization

/// `<|user|>\n…<|end|>\n<|assistant|>\n`, as Phi-3 writes it.
///
/// Special tokens are placed by number and texts are encoded as plain text between them, so no text can forge a turn.
struct Phi3Format: Sendable {
    static let stops = ["<|end|>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>"]

    func encode(_ turns: [ChatTurn], with tokenizer: Tokenizer) throws(TokenizerError) -> [Int32] {
        var conversation = Conversation(tokenizer: tokenizer)
        for (index, turn) in turns.enumerated() {
            // A tool's result is written as a user's turn.
            let role = turn.role == .tool ? ChatRole.user : turn.role
            conversation.place("<|\(role.rawValue)|>")
            if turn.role == .assistant {
                // The answer was generated after its line break, so it is encoded apart from it.
                try conversation.write("\n")
                try conversation.write(turn.text)
                if index == turns.count - 1 { return conversation.tokens }
            } else {
                try conversation.write("\n" + turn.text)
            }
            conversation.place("<|end|>")
            try conversation.write("\n")
        }
        conversation.place("<|assistant|>")
        try conversation.write("\n")
        return conversation.tokens
    }
}

/// Tokens under construction.
private struct Conversation {
    let tokenizer: Tokenizer
    var tokens: [Int32] = []
    /// Whether the last special token strips the white space after it (`rstrip` in Phi-3's own file).
    private var stripsSpace = false

    init(tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    mutating func place(_ content: String) {
        guard let token = tokenizer.specialToken(content) else { return }
        tokens.append(token)
        stripsSpace = tokenizer.stripsSpaceAfter(token)
    }

    mutating func write(_ text: String) throws(TokenizerError) {
        let scalars = text.unicodeScalars
        let kept = stripsSpace ? scalars.drop(while: \.properties.isWhitespace) : scalars[...]
        guard !kept.isEmpty else { return }
        stripsSpace = false
        tokens += try tokenizer.encode(Array(String(kept).utf8), .none)
    }
}
