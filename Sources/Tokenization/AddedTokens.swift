import JSON

/// A token that is found in the text as it stands, before anything is cut or merged.
package struct AddedToken: Sendable, Equatable {
    package internal(set) var id: Int32
    let content: [UInt8]
    /// The content as it is looked for, normalized or not.
    var spelling: [UInt8]
    private(set) var isSpecial: Bool
    /// Whether it is found in a user's text. Special tokens are not, and neither are tokens written like one: some files
    /// leave the flag out, as Phi-3's does for `</s>` and DeepSeek's for the heads of turns. Once a chat format is known,
    /// neither are the tokens that it writes between turns.
    private(set) var mayAppearInText: Bool
    /// Found only where no letter or digit touches it.
    var isSingleWord = false
    /// Includes the white space before it (`lstrip`).
    var stripsLeft = false
    /// Includes the white space after it (`rstrip`).
    var stripsRight = false
    /// Looked for after normalization, not before.
    var isNormalized = false

    /// Bounds the work at each position of a text, whatever a file contains.
    static let longest = 4096

    /// Its content, for people and for looking it up.
    package var text: String { String(decoding: content, as: UTF8.self) }

    /// An element of `added_tokens`.
    init(_ node: JSONNode) throws(JSONError) {
        try self.init(node, id: try node["id"].token())
    }

    /// A token and its flags.
    /// - Parameter isNamed: whether it is special whatever its flag says.
    init(_ node: JSONNode, id: Int32, isNamed: Bool = false) throws(JSONError) {
        self.id = id
        content = try node["content"].bytes()
        guard !content.isEmpty else { throw node.error("has no content") }
        guard content.count <= Self.longest else { throw node.error("has more than \(Self.longest) bytes of content") }
        spelling = content
        let isFlagged = try node["special"].nullable?.bool() ?? false
        isSpecial = isNamed || isFlagged
        mayAppearInText = !isSpecial && !Self.isWrittenLikeSpecial(content)
        isSingleWord = try node["single_word"].nullable?.bool() ?? false
        stripsLeft = try node["lstrip"].nullable?.bool() ?? false
        stripsRight = try node["rstrip"].nullable?.bool() ?? false
        isNormalized = try node["normalized"].nullable?.bool() ?? !isSpecial
    }

    init(id: Int32, content: [UInt8], isSpecial: Bool) {
        self.id = id
        self.content = content
        spelling = content
        self.isSpecial = isSpecial
        mayAppearInText = !isSpecial && !Self.isWrittenLikeSpecial(content)
    }

    /// The token as one that is found only in the format's own text. It is looked for before normalization, which does not
    /// keep track of who wrote what.
    func protected() -> AddedToken {
        var token = self
        token.mayAppearInText = false
        token.isNormalized = false
        token.spelling = content
        return token
    }

    /// The token as a special one.
    func special() -> AddedToken {
        var token = self
        token.isSpecial = true
        token.mayAppearInText = false
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

    /// Many times the number in any model.
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
        var (raw, normalized) = (TokenStrings(), TokenStrings())
        for index in tokens.indices {
            if tokens[index].isNormalized {
                tokens[index].spelling = try normalizer.apply(NormalizedText(tokens[index].content, isFirst: true))
                    .bytes
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
    func segments(of text: [UInt8], _ stage: Stage, _ policy: SpecialTokenPolicy) -> [Segment] {
        let trie = stage == .raw ? raw : normalized
        var result: [Segment] = []
        var done = 0
        var index = 0
        var known = 0..<0
        while let (match, found) = firstMatch(of: trie, in: text, from: index, policy) {
            index = match.upperBound
            let token = tokens[found]
            guard policy.allows(token, match), !token.isSingleWord || Self.standsAlone(match, in: text) else {
                continue
            }
            let start =
                token.stripsLeft
                ? max(done, Self.spaceStart(before: match.lowerBound, notBefore: done, in: text)) : match.lowerBound
            if done < start { result.append(.text(done..<start)) }
            result.append(.token(token.id))
            done = match.upperBound
            if token.stripsRight {
                // Matches inside this white space may include it again: its end is searched for once.
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
        _ policy: SpecialTokenPolicy
    ) -> (match: Range<Int>, found: Int)? {
        guard !trie.isEmpty else { return nil }
        for start in index..<text.count where trie.begins(with: text[start]) {
            var found: (Range<Int>, Int)?
            trie.forEachPrefix(of: text, start..<text.count) { end, token in
                if policy.counts(tokens[Int(token)], start..<end) { found = (start..<end, Int(token)) }
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
