package enum ChatRole: String, Sendable { case system, user, assistant }

/// One turn of a conversation, in plain text.
package struct ChatTurn: Sendable, Equatable {
    package var role: ChatRole
    package var text: String

    package init(role: ChatRole, text: String) {
        self.role = role
        self.text = text
    }
}

/// How a model family writes a conversation in tokens.
///
/// Special tokens are placed by number and texts are encoded as plain text between them, so no text can forge a turn.
package struct ChatFormat: Sendable {
    private let stops: [String]

    /// `<|user|>\n…<|end|>\n<|assistant|>\n`, as Phi-3 writes it.
    package static let phi3 = ChatFormat(
        stops: ["<|end|>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>"]
    )

    /// The tokens of a conversation, ready for the model to go on: after the head of an assistant's turn, or, if the
    /// last turn is an assistant's, inside that turn.
    package func encode(_ turns: [ChatTurn], with tokenizer: Tokenizer) -> [Int32] {
        var conversation = Conversation(tokenizer: tokenizer)
        for (index, turn) in turns.enumerated() {
            conversation.place("<|\(turn.role.rawValue)|>")
            if turn.role == .assistant {
                // The answer was generated after its line break, so it is encoded apart from it.
                conversation.write("\n")
                conversation.write(turn.text)
                if index == turns.count - 1 { return conversation.tokens }
            } else {
                conversation.write("\n" + turn.text)
            }
            conversation.place("<|end|>")
            conversation.write("\n")
        }
        conversation.place("<|assistant|>")
        conversation.write("\n")
        return conversation.tokens
    }

    /// The tokens that end an answer: its end, and the head of another turn.
    package func stopTokens(in tokenizer: Tokenizer) -> Set<Int32> { Set(stops.compactMap(tokenizer.specialToken)) }

    /// The format's special tokens that a tokenizer lacks; `encode` leaves them out, so it is of no use without them.
    package func missingTokens(in tokenizer: Tokenizer) -> [String] {
        stops.filter { tokenizer.specialToken($0) == nil }
    }
}

/// Tokens under construction.
private struct Conversation {
    let tokenizer: Tokenizer
    var tokens: [Int32] = []
    /// Whether the last special token takes the white space after it along, as Phi-3's own file has it.
    private var swallowsSpace = false

    init(tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    mutating func place(_ content: String) {
        guard let token = tokenizer.added[content] else { return }
        tokens.append(token.id)
        swallowsSpace = token.stripsRight
    }

    mutating func write(_ text: String) {
        var bytes = Array(text.utf8)
        if swallowsSpace { bytes.removeFirst(AddedTokens.spaceEnd(from: 0, in: bytes)) }
        guard !bytes.isEmpty else { return }
        swallowsSpace = false
        tokens += tokenizer.encode(bytes, .none)
    }
}
