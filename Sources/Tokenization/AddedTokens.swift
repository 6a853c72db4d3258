/// A token that is found in the text as it stands, before anything is cut or merged.
struct AddedToken: Sendable {
    let id: Int32
    let content: [UInt8]
    let isSpecial: Bool
    /// Found only where no letter or digit touches it.
    let isSingleWord: Bool
    /// Takes the white space before it along.
    let stripsLeft: Bool
    let stripsRight: Bool
    /// Looked for after normalization, not before.
    let isNormalized: Bool

    init(_ node: JSONNode) throws(TokenizerError) {
        id = Int32(truncatingIfNeeded: try node.required("id").integer(in: Vocabulary.tokenRange))
        content = try node.required("content").bytes()
        guard !content.isEmpty else { throw node.fault("has no content") }
        isSpecial = try node.bool("special", default: false)
        isSingleWord = try node.bool("single_word", default: false)
        stripsLeft = try node.bool("lstrip", default: false)
        stripsRight = try node.bool("rstrip", default: false)
        isNormalized = try node.bool("normalized", default: !isSpecial)
    }

    /// Whether a user's text may spell it. Special tokens may not be spelled, nor what is written like one: some
    /// files leave the flag out, as Phi-3's does for `</s>`.
    var mayBeSpelled: Bool {
        !isSpecial && !(content.first == UInt8(ascii: "<") && content.last == UInt8(ascii: ">"))
    }
}

/// The added tokens of a file, and where they are in a text.
struct AddedTokens: Sendable {
    enum Stage { case raw, normalized }

    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int32)
    }

    let tokens: [AddedToken]
    private var byContent: [[UInt8]: Int] = [:]
    private var raw = Trie()
    private var normalized = Trie()
    private let special: Set<Int32>
    private let anyMayBeSpelled: Bool

    init(_ node: JSONNode?, normalizer: Normalizer) throws(TokenizerError) {
        var tokens: [AddedToken] = []
        for element in try node?.elements() ?? [] { tokens.append(try AddedToken(element)) }
        self.tokens = tokens
        special = Set(tokens.filter(\.isSpecial).map(\.id))
        anyMayBeSpelled = tokens.contains(where: \.mayBeSpelled)
        for (index, token) in tokens.enumerated() {
            byContent[token.content] = index
            if token.isNormalized {
                normalized.insert(normalizer.apply(token.content), index)
            } else {
                raw.insert(token.content, index)
            }
        }
    }

    func isSpecial(_ token: Int32) -> Bool { special.contains(token) }

    subscript(_ content: String) -> AddedToken? { byContent[Array(content.utf8)].map { tokens[$0] } }

    /// Cuts a text at its added tokens: the leftmost first, of several the longest.
    func segments(of text: [UInt8], _ stage: Stage, specials: Bool) -> [Segment] {
        let trie = stage == .raw ? raw : normalized
        guard !text.isEmpty, !trie.isEmpty, specials || anyMayBeSpelled else {
            return text.isEmpty ? [] : [.text(0..<text.count)]
        }
        var result: [Segment] = []
        var done = 0
        var index = 0
        while index < text.count {
            guard let (found, end) = trie.longestMatch(in: text, at: index) else {
                index += 1
                continue
            }
            let match = index..<end
            let token = tokens[found]
            index = end
            guard specials || token.mayBeSpelled, !token.isSingleWord || Self.standsAlone(match, in: text) else {
                continue
            }
            let start =
                token.stripsLeft ? max(done, Self.spaceStart(before: match.lowerBound, in: text)) : match.lowerBound
            if done < start { result.append(.text(done..<start)) }
            result.append(.token(token.id))
            done = token.stripsRight ? Self.spaceEnd(from: end, in: text) : end
        }
        if done < text.count { result.append(.text(done..<text.count)) }
        return result
    }

    private static func standsAlone(_ match: Range<Int>, in text: [UInt8]) -> Bool {
        if let before = text.scalar(before: match.lowerBound), before.value.isWordCharacter { return false }
        return match.upperBound == text.count || !text.scalar(at: match.upperBound).value.isWordCharacter
    }

    private static func spaceStart(before index: Int, in text: [UInt8]) -> Int {
        var index = index
        while let (scalar, start) = text.scalar(before: index), scalar.properties.isWhitespace { index = start }
        return index
    }

    /// The end of the white space at `index`.
    static func spaceEnd(from index: Int, in text: [UInt8]) -> Int {
        var index = index
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            guard scalar.properties.isWhitespace else { break }
            index = end
        }
        return index
    }
}

/// A prefix tree over bytes.
private struct Trie: Sendable {
    private struct Node {
        var children: [UInt8: Int] = [:]
        var value: Int?
    }

    private var nodes = [Node()]

    var isEmpty: Bool { nodes.count == 1 }

    mutating func insert(_ bytes: [UInt8], _ value: Int) {
        var node = 0
        for byte in bytes {
            if let child = nodes[node].children[byte] {
                node = child
            } else {
                nodes.append(Node())
                nodes[node].children[byte] = nodes.count - 1
                node = nodes.count - 1
            }
        }
        // Nothing at the root: an empty text is found nowhere.
        if node != 0 { nodes[node].value = value }
    }

    func longestMatch(in text: [UInt8], at start: Int) -> (value: Int, end: Int)? {
        var node = 0
        var best: (value: Int, end: Int)?
        var index = start
        while index < text.count, let child = nodes[node].children[text[index]] {
            node = child
            index += 1
            if let value = nodes[node].value { best = (value, index) }
        }
        return best
    }
}
