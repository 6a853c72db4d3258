/// A token that is found in the text as it stands, before anything is cut or merged.
struct AddedToken: Sendable {
    var id: Int32
    let content: [UInt8]
    let isSpecial: Bool
    /// Whether a user's text may spell it. Special tokens may not be spelled, nor what is written like one: some
    /// files leave the flag out, as Phi-3's does for `</s>` and DeepSeek's for the heads of turns.
    let mayBeSpelled: Bool
    /// Found only where no letter or digit touches it.
    var isSingleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    var stripsRight = false
    /// Looked for after normalization, not before.
    var isNormalized = false

    /// A bound to what a hostile file can make us compare at each place of a text.
    private static let longest = 4096

    init(_ node: JSONNode) throws(TokenizerError) {
        id = Int32(truncatingIfNeeded: try node.required("id").integer(in: TokenNumbers.range))
        content = try node.required("content").bytes()
        guard !content.isEmpty else { throw node.fault("has no content") }
        guard content.count <= Self.longest else { throw node.fault("has more than \(Self.longest) bytes of content") }
        isSpecial = try node.bool("special", default: false)
        mayBeSpelled = !isSpecial && !Self.isWrittenLikeSpecial(content)
        isSingleWord = try node.bool("single_word", default: false)
        stripsLeft = try node.bool("lstrip", default: false)
        stripsRight = try node.bool("rstrip", default: false)
        isNormalized = try node.bool("normalized", default: !isSpecial)
    }

    init(id: Int32, content: [UInt8], isSpecial: Bool) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
        mayBeSpelled = !isSpecial && !Self.isWrittenLikeSpecial(content)
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

    let tokens: [AddedToken]
    private let byContent: SpellingTable
    private let raw: Finder
    private let normalized: Finder
    private let special: Set<Int32>

    init(_ tokens: [AddedToken], normalizer: Normalizer) {
        self.tokens = tokens
        special = Set(tokens.filter(\.isSpecial).map(\.id))
        // Of several with the same content the last counts.
        var byContent = SpellingTable(capacity: tokens.count)
        var (raw, normalized) = (SpellingTable(), SpellingTable())
        for (index, token) in tokens.enumerated() {
            let number = Int32(truncatingIfNeeded: index)
            byContent.insert(token.content, number)
            if token.isNormalized {
                normalized.insert(Self.normalized(token, by: normalizer), number)
            } else {
                raw.insert(token.content, number)
            }
        }
        self.byContent = byContent
        self.raw = Finder(raw)
        self.normalized = Finder(normalized)
    }

    static func normalized(_ token: AddedToken, by normalizer: Normalizer) -> [UInt8] {
        token.isNormalized ? normalizer.apply(SourceText(token.content, isFirst: true)).bytes : token.content
    }

    func isSpecial(_ token: Int32) -> Bool { special.contains(token) }

    subscript(_ content: String) -> AddedToken? { byContent.number(of: Array(content.utf8)).map { tokens[Int($0)] } }

    /// Cuts a text at its added tokens: the leftmost first, of several the longest.
    func segments(of text: [UInt8], _ stage: Stage, _ trust: Trust) -> [Segment] {
        let finder = stage == .raw ? raw : normalized
        var result: [Segment] = []
        var done = 0
        var index = 0
        var known = 0..<0
        while let (match, found) = finder.next(in: text, from: index, tokens, trust) {
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
    static func spaceEnd(from index: Int, in text: [UInt8]) -> Int {
        var index = index
        while index < text.count, case let (scalar, end) = text.scalar(at: index), CharacterClass.isSpace(scalar) {
            index = end
        }
        return index
    }
}

extension AddedTokens {
    /// Finds contents of added tokens in a text.
    fileprivate struct Finder: Sendable {
        private let trie: ByteTrie
        /// The bytes that contents begin with.
        private var first = [Bool](repeating: false, count: 256)

        init(_ contents: SpellingTable) {
            trie = ByteTrie(contents)
            contents.forEach { content, _ in if let byte = content.first { first[Int(byte)] = true } }
        }

        /// The first match at `index` or later, the longest of several.
        func next(in text: [UInt8], from index: Int, _ tokens: [AddedToken], _ trust: Trust) -> (Range<Int>, Int)? {
            guard !trie.isEmpty else { return nil }
            var index = index
            while index < text.count {
                guard first[Int(text[index])] else {
                    index += 1
                    continue
                }
                var found: (Range<Int>, Int)?
                trie.forEachPrefix(of: text, index..<text.count) { end, token in
                    if trust.sees(tokens[Int(token)], index..<end) { found = (index..<end, Int(token)) }
                }
                if let found { return found }
                index += 1
            }
            return nil
        }
    }
}
