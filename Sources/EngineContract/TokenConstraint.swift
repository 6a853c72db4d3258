/// A set of tokens: a bit for each of a vocabulary. Its memory is used again from step to step.
package struct TokenMask: Sendable, Equatable {
    /// Token t is bit t % 64 of word t / 64. Bits beyond the vocabulary are 0.
    package private(set) var words: [UInt64]
    package let tokenCount: Int

    /// The empty set.
    package init(tokenCount: Int) {
        self.tokenCount = max(0, tokenCount)
        words = [UInt64](repeating: 0, count: (self.tokenCount + 63) / 64)
    }

    package mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    package mutating func insertAll() {
        for index in words.indices { words[index] = .max }
        if tokenCount % 64 != 0 { words[words.count - 1] = 1 << UInt64(tokenCount % 64) - 1 }
    }

    /// Tokens beyond the vocabulary are left out.
    package mutating func insert(_ token: Token) {
        guard token >= 0, token < tokenCount else { return }
        words[Int(token) >> 6] |= 1 << UInt64(token & 63)
    }

    package func contains(_ token: Token) -> Bool {
        token >= 0 && token < tokenCount && words[Int(token) >> 6] >> UInt64(token & 63) & 1 != 0
    }

    /// Adds the tokens of another set of as many words.
    package mutating func formUnion(_ other: [UInt64]) {
        words.withUnsafeMutableBufferPointer { words in
            other.withUnsafeBufferPointer { other in
                for index in 0..<min(words.count, other.count) { words[index] |= other[index] }
            }
        }
        // The other set may be of a larger vocabulary.
        if tokenCount % 64 != 0, other.count >= words.count {
            words[words.count - 1] &= 1 << UInt64(tokenCount % 64) - 1
        }
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The lowest token; nil if there is none.
    package var first: Token? {
        words.firstIndex { $0 != 0 }.map { Token($0 * 64 + words[$0].trailingZeroBitCount) }
    }

    package var tokens: [Token] {
        var result: [Token] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                result.append(Token(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return result
    }
}

/// What a session may say next: a value that moves on with each token, copied to look ahead.
package protocol TokenConstraint: Sendable {
    /// Sets `mask` to the tokens that may come next. Empty only when the answer cannot go on: the session has failed, or
    /// has been given an end token.
    func allow(into mask: inout TokenMask)

    /// Moves on by a token.
    /// - Returns: whether the token was allowed; if not, nothing has changed.
    mutating func accept(_ token: Token) -> Bool

    /// The tokens that come next, as far as nothing else can, up to a bound. `allow` permits only the first of them, so
    /// they may ride along as guesses that cannot fail.
    var forced: [Token] { get }

    /// Whether the answer may end here: the end tokens are among those allowed.
    var isComplete: Bool { get }

    /// Whether nothing but an end token can follow: the answer ends here, without asking the model.
    var isFinished: Bool { get }
}

extension TokenConstraint {
    package var isFinished: Bool { false }
}
