package import EngineContract

/// The tokens of a model as texts, arranged for finding those that continue an answer. Made once for a model.
package final class Vocabulary: Sendable {
    /// Longer tokens are never allowed under a constraint.
    static let longestText = 256

    package let tokenCount: Int
    package let stopTokens: [Token]
    /// Cuts a text into tokens as the model's tokenizer does.
    private let encode: (@Sendable ([UInt8]) -> [Token])?
    /// The texts one after the other; that of token t is `offsets[t] ..< offsets[t + 1]`.
    private let bytes: [UInt8]
    private let offsets: [Int32]
    /// All tokens with a text.
    let all: VocabularyTrie
    /// Those that are not plain.
    let marked: VocabularyTrie
    let plain: PlainTokens
    /// Tokens with a text that another has too, and that other.
    let twins: [(token: Token, first: Token)]

    /// - Parameters:
    ///   - texts: the bytes that each token stands for; empty for control tokens, which no text leads to.
    ///   - stopTokens: those that end an answer.
    ///   - encode: the tokens of a text as the model's tokenizer cuts it. Without, forced text is cut into longest tokens,
    ///     which models were not trained on.
    package init(texts: [[UInt8]], stopTokens: [Token], encode: (@Sendable ([UInt8]) -> [Token])? = nil) {
        self.encode = encode
        tokenCount = texts.count
        self.stopTokens = stopTokens
        var bytes: [UInt8] = []
        bytes.reserveCapacity(texts.count * 8)
        var offsets: [Int32] = [0]
        offsets.reserveCapacity(texts.count + 1)
        let stops = Set(stopTokens)
        for (token, text) in texts.enumerated() {
            if text.count <= Self.longestText, !stops.contains(Token(token)) { bytes += text }
            offsets.append(Int32(bytes.count))
        }
        self.bytes = bytes
        self.offsets = offsets
        let (order, twins) = Self.sorted(bytes, offsets)
        self.twins = twins
        (all, marked, plain) = bytes.withUnsafeBufferPointer { bytes in
            let text = { (token: Int32) in
                UnsafeBufferPointer(rebasing: bytes[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])])
            }
            var (markedOrder, plainLengths): ([Int32], [(Token, Int)]) = ([], [])
            for token in order {
                if let length = PlainTokens.length(text(token)) {
                    plainLengths.append((token, length))
                } else {
                    markedOrder.append(token)
                }
            }
            return (
                VocabularyTrie(order, text), VocabularyTrie(markedOrder, text),
                PlainTokens(plainLengths, tokenCount: offsets.count - 1)
            )
        }
    }

    /// The text of a token; empty for one that has none.
    package func text(_ token: Token) -> ArraySlice<UInt8> {
        guard token >= 0, token < tokenCount else { return [] }
        return bytes[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])]
    }

    /// The tokens that have a text in the order of the texts, and those that have one that came before.
    private static func sorted(_ bytes: [UInt8], _ offsets: [Int32]) -> ([Int32], [(token: Token, first: Token)]) {
        // The first eight bytes as a number decide most comparisons.
        var keys: [(prefix: UInt64, token: Int32)] = []
        keys.reserveCapacity(offsets.count)
        for token in 0..<(offsets.count - 1) where offsets[token] < offsets[token + 1] {
            var prefix: UInt64 = 0
            for index in 0..<8 {
                let place = Int(offsets[token]) + index
                prefix = prefix << 8 | (place < Int(offsets[token + 1]) ? UInt64(bytes[place]) : 0)
            }
            keys.append((prefix, Int32(token)))
        }
        let text = { (token: Int32) in bytes[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])] }
        keys.sort {
            if $0.prefix != $1.prefix { return $0.prefix < $1.prefix }
            let (left, right) = (text($0.token), text($1.token))
            if left.elementsEqual(right) { return $0.token < $1.token }
            return left.lexicographicallyPrecedes(right)
        }
        var order: [Int32] = []
        order.reserveCapacity(keys.count)
        var twins: [(token: Token, first: Token)] = []
        for key in keys {
            if let last = order.last, text(last).elementsEqual(text(key.token)) {
                twins.append((key.token, last))
            } else {
                order.append(key.token)
            }
        }
        return (order, twins)
    }
}

/// Text that must come, in tokens.
extension Vocabulary {
    /// The tokens that spell a text, as far as what follows cannot change them: a token goes no further than the text unless
    /// the text is whole.
    func tokens(of text: [UInt8], isWhole: Bool) -> [Token] {
        var result: [Token] = []
        var rest = text[...]
        for token in encoded(text) {
            guard isWhole || !goesOn(rest) else { break }
            result.append(token)
            rest = rest.dropFirst(self.text(token).count)
        }
        return result
    }

    /// As the tokenizer has it, if its tokens spell that text and no other, else in longest tokens.
    private func encoded(_ text: [UInt8]) -> [Token] {
        if let encode {
            let tokens = encode(text)
            if spells(tokens[...], text) { return tokens }
            // Some tokenizers put a space before a text: none behind a line break.
            let behind = encode([UInt8(ascii: "\n")] + text)
            let start = behind.firstIndex { self.text($0).last == UInt8(ascii: "\n") }.map { $0 + 1 } ?? behind.count
            if spells(behind[start...], text) { return Array(behind[start...]) }
        }
        var result: [Token] = []
        var rest = text[...]
        while let (token, length) = longest(rest) {
            result.append(token)
            rest = rest.dropFirst(length)
        }
        return result
    }

    private func spells(_ tokens: ArraySlice<Token>, _ text: [UInt8]) -> Bool {
        tokens.flatMap { self.text($0) } == text
    }

    /// The longest token that a text begins with.
    private func longest(_ text: ArraySlice<UInt8>) -> (token: Token, length: Int)? {
        var found: (token: Token, length: Int)?
        descend(text) { token, length in if token >= 0 { found = (token, length) } }
        return found
    }

    /// Whether a token begins with all of a text and goes on.
    private func goesOn(_ text: ArraySlice<UInt8>) -> Bool {
        guard let node = descend(text, { _, _ in }) else { return false }
        return Int(all.nodes[node].end) > node + 1
    }

    /// The node that a whole text leads to; `visit` sees the tokens on the way, -1 for none, and their lengths.
    @discardableResult
    private func descend(_ text: ArraySlice<UInt8>, _ visit: (Token, Int) -> Void) -> Int? {
        var (index, end) = (0, all.nodes.count)
        var last: Int?
        for (offset, byte) in text.enumerated() {
            while index < end, all.nodes[index].byte != byte { index = Int(all.nodes[index].end) }
            guard index < end else { return nil }
            visit(all.nodes[index].token, offset + 1)
            last = index
            (index, end) = (index + 1, Int(all.nodes[index].end))
        }
        return last
    }
}
