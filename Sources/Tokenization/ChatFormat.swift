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
    private let ends: [String]

    /// `<|user|>\n…<|end|>\n<|assistant|>\n`, as Phi-3 writes it.
    package static let phi3 = ChatFormat(ends: ["<|end|>", "<|endoftext|>"])

    /// The tokens of a conversation, ready for the model to go on: after the head of an assistant's turn, or, if the
    /// last turn is an assistant's, inside that turn.
    package func encode(_ turns: [ChatTurn], with tokenizer: Tokenizer) -> [Int32] {
        let lineBreak = tokenizer.encode("\n")
        var result: [Int32] = []
        func open(_ role: ChatRole) {
            if let head = tokenizer.specialToken("<|\(role.rawValue)|>") { result.append(head) }
        }
        for (index, turn) in turns.enumerated() {
            open(turn.role)
            if turn.role == .assistant {
                // The answer was generated after its line break, so it is encoded apart from it.
                result += lineBreak + tokenizer.encode(turn.text)
                if index == turns.count - 1 { return result }
            } else {
                result += tokenizer.encode("\n" + turn.text)
            }
            if let end = tokenizer.specialToken("<|end|>") { result.append(end) }
            result += lineBreak
        }
        open(.assistant)
        return result + lineBreak
    }

    /// The tokens that end an answer.
    package func stopTokens(in tokenizer: Tokenizer) -> Set<Int32> {
        Set(ends.compactMap(tokenizer.specialToken))
    }
}
