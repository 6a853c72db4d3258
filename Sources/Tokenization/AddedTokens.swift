/// A token that is found in the text as it stands, before anything is cut or merged.
package struct AddedToken: Sendable, Equatable {
    package internal(set) var id: Int32
    let content: [UInt8]
    /// The content as it is looked for, normalized or not.
    var spelling: [UInt8]
    private(set) var isSpecial: Bool
    /// Whether a user's text may spell it. Special tokens may not be spelled, nor what is written like one: some
    /// files leave the flag out, as Phi-3's does for `</s>` and DeepSeek's for the heads of turns. Nor may what a chat
    /// format writes between turns, which is known once there is one.
    private(set) var mayBeSpelled: Bool
    /// Found only where no letter or digit touches it.
    var isSingleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    var stripsRight = false
    /// Looked for after normalization, not before.
    var isNormalized = false

    /// A bound to what a hostile file can make us compare at each place of a text, normalized or not.
    static let longest = 4096

    /// Its content, for people and for looking it up.
    package var text: String { String(decoding: content, as: UTF8.self) }

    /// An element of `added_tokens`.
    init(_ node: JSONNode) throws(TokenizerError) {
        try self.init(node, id: Int32(truncatingIfNeeded: try node.required("id").integer(in: TokenNumbers.range)))
    }

    /// A token and its flags.
    /// - Parameter isNamed: whether it is special whatever its flag says.
    init(_ node: JSONNode, id: Int32, isNamed: Bool = false) throws(TokenizerError) {
        self.id = id
        content = try node.required("content").bytes()
        guard !content.isEmpty else { throw node.fault("has no content") }
        guard content.count <= Self.longest else { throw node.fault("has more than \(Self.longest) bytes of content") }
        spelling = content
        let isFlagged = try node.bool("special", default: false)
        isSpecial = isNamed || isFlagged
        mayBeSpelled = !isSpecial && !Self.isWrittenLikeSpecial(content)
        isSingleWord = try node.bool("single_word", default: false)
        stripsLeft = try node.bool("lstrip", default: false)
        stripsRight = try node.bool("rstrip", default: false)
        isNormalized = try node.bool("normalized", default: !isSpecial)
    }

    init(id: Int32, content: [UInt8], isSpecial: Bool) {
        self.id = id
        self.content = content
        spelling = content
        self.isSpecial = isSpecial
        mayBeSpelled = !isSpecial && !Self.isWrittenLikeSpecial(content)
    }

    /// The token as one that no message may spell. It is then looked for where the format wrote it and nowhere else: once
    /// a text is normalized, nobody can tell any more who wrote what.
    func guarded() -> AddedToken {
        var token = self
        token.mayBeSpelled = false
        token.isNormalized = false
        token.spelling = content
        return token
    }

    /// The token as a special one.
    func special() -> AddedToken {
        var token = self
        token.isSpecial = true
        token.mayBeSpelled = false
        return token
    }

    private static func isWrittenLikeSpecial(_ content: [UInt8]) -> Bool {
        let text = String(decoding: content, as: UTF8.self)
        return text.hasPrefix("<|") && text.hasSuffix("|>") || text.hasPrefix("<｜") && text.hasSuffix("｜>")
            || ["<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>", "<cls>", "<sep>"].contains(text)
    }
}

/// The added tokens of a file, and where they are in a text.
struct AddedTokens: Sendable {
    enum Stage { case raw, normalized }

    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int32)
    }

    /// Many times what any model has.
    static let most = 1 << 18

    let tokens: [AddedToken]
    // Of several tokens with the same content or number the last counts.
    private var byContent: [[UInt8]: Int] = [:]
    private var byNumber: [Int32: Int] = [:]
    private let special: Set<Int32>
    /// Finds their contents in a text as it stands.
    private let raw: ByteTrie
    /// Finds those that are looked for after normalization.
    private let normalized: ByteTrie

    /// - Throws: if there are more than `most`, or a normalizer makes one too long.
    init(_ tokens: [AddedToken], normalizer: Normalizer) throws(TokenizerError) {
        guard tokens.count <= Self.most else {
            throw TokenizerError("tokenizer.json: more than \(Self.most) added tokens")
        }
        var tokens = tokens
        special = Set(tokens.filter(\.isSpecial).map(\.id))
        var (raw, normalized) = (Spellings(), Spellings())
        for index in tokens.indices {
            if tokens[index].isNormalized {
                tokens[index].spelling = try normalizer.apply(SourceText(tokens[index].content, isFirst: true)).bytes
                guard tokens[index].spelling.count <= AddedToken.longest else {
                    throw TokenizerError(
                        "tokenizer.json: added_tokens.\(index) has more than \(AddedToken.longest) bytes once normalized"
                    )
                }
                normalized.append(tokens[index].spelling)
                raw.skip()
            } else {
                raw.append(tokens[index].content)
                normalized.skip()
            }
            byContent[tokens[index].content] = index
            byNumber[tokens[index].id] = index
        }
        self.tokens = tokens
        self.raw = ByteTrie(raw)
        self.normalized = ByteTrie(normalized)
    }

    func isSpecial(_ token: Int32) -> Bool { special.contains(token) }

    subscript(_ content: String) -> AddedToken? { byContent[Array(content.utf8)].map { tokens[$0] } }

    subscript(_ token: Int32) -> AddedToken? { byNumber[token].map { tokens[$0] } }

    /// Cuts a text at its added tokens: the leftmost first, of several the longest.
    func segments(of text: [UInt8], _ stage: Stage, _ trust: Trust) -> [Segment] {
        let trie = stage == .raw ? raw : normalized
        var result: [Segment] = []
        var done = 0
        var index = 0
        var known = 0..<0
        while let (match, found) = firstMatch(of: trie, in: text, from: index, trust) {
            index = match.upperBound
            let token = tokens[found]
            guard trust.allows(token, match), !token.isSingleWord || Self.standsAlone(match, in: text) else { continue }
            let start =
                token.stripsLeft
                ? max(done, Self.spaceStart(before: match.lowerBound, notBefore: done, in: text)) : match.lowerBound
            if done < start { result.append(.text(done..<start)) }
            result.append(.token(token.id))
            done = match.upperBound
            if token.stripsRight {
                // Matches in the white space taken along may take it along again: it is looked at once.
                if !known.contains(done) { known = done..<Self.spaceEnd(from: done, in: text) }
                done = max(done, known.upperBound)
            }
        }
        if done < text.count { result.append(.text(done..<text.count)) }
        return result
    }

    /// The first match at `index` or later, the longest of several, and the token's place among all.
    private func firstMatch(
        of trie: ByteTrie,
        in text: [UInt8],
        from index: Int,
        _ trust: Trust
    ) -> (match: Range<Int>, found: Int)? {
        guard !trie.isEmpty else { return nil }
        for start in index..<text.count where trie.begins(with: text[start]) {
            var found: (Range<Int>, Int)?
            trie.forEachPrefix(of: text, start..<text.count) { end, token in
                if trust.sees(tokens[Int(token)], start..<end) { found = (start..<end, Int(token)) }
            }
            if let found { return found }
        }
        return nil
    }

    private static func standsAlone(_ match: Range<Int>, in text: [UInt8]) -> Bool {
        let words = WordCharacters.ofWords
        if let (before, _) = text.scalar(before: match.lowerBound), words.contains(before) { return false }
        return match.upperBound == text.count || !words.contains(text.scalar(at: match.upperBound).value)
    }

    private static func spaceStart(before index: Int, notBefore limit: Int, in text: [UInt8]) -> Int {
        var index = index
        while index > limit, let (scalar, start) = text.scalar(before: index), CharacterClass.isSpace(scalar) {
            index = start
        }
        return index
    }

    /// The end of the white space at `index`.
    private static func spaceEnd(from index: Int, in text: [UInt8]) -> Int {
        var index = index
        while index < text.count, case let (scalar, end) = text.scalar(at: index), CharacterClass.isSpace(scalar) {
            index = end
        }
        return index
    }
}
