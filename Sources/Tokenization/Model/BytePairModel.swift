/// Byte-pair encoding of pieces of text, over bytes (GPT-2 and its descendants) or characters (SentencePiece's kind).
struct BytePairModel: Sendable {
    struct Options: Sendable {
        /// The text's bytes are symbols, each with a token of its own; otherwise its characters are.
        var readsBytes = false
        /// The token of what has none.
        var unknown: Int32?
        /// Unknown characters side by side become one token.
        var fusesUnknown = false
        /// Unknown characters become tokens of their bytes.
        var fallsBackToBytes = false
        /// A piece that is a token as it stands is that token, whatever the merges make of it.
        var ignoresMerges = false
    }

    private let options: Options
    /// The tokens that no text may become.
    private let reserved: Set<Int32>
    private var merger: BytePairMerger
    /// With `readsBytes` the token of each byte; otherwise the token that a byte falls back to, or -1.
    private var byteTokens = [Int32](repeating: -1, count: 256)
    private var characterTokens = PairTable()
    /// With `ignoresMerges`, the pieces that are tokens.
    private var whole: SpellingTable?
    /// The pairs of characters side by side in what merges make: between others a text can be cut.
    private var joints = JointSet()
    /// Characters that are no tokens but parts of some, from the first number that is none; each with the tokens that it
    /// becomes where nothing is merged with it.
    private var strays: [[Int32]] = []
    private var firstStray = Int32.max
    /// Whether unknown characters matter to their neighbours, so that no cut may be made beside one.
    private var gluesUnknown = false

    /// - Parameters:
    ///   - spellings: the tokens as the vocabulary spells them; with `readsBytes`, in the byte alphabet.
    ///   - reserved: the tokens that no text may become.
    ///   - fallback: where the tokens of bytes are found, if not among them.
    init(
        _ spellings: SpellingTable,
        _ options: Options,
        reserved: Set<Int32> = [],
        fallback: SpellingTable? = nil,
        mergeCount: Int
    ) {
        self.options = options
        self.reserved = reserved
        merger = BytePairMerger(capacity: mergeCount)
        var whole = SpellingTable(capacity: options.ignoresMerges ? spellings.count : 0)
        spellings.forEach { spelling, token in
            let text = options.readsBytes ? ByteAlphabet.decode(spelling) : spelling
            guard let text, !text.isEmpty, !reserved.contains(token) else { return }
            if options.ignoresMerges { whole.insert(text, token) }
            if options.readsBytes {
                if text.count == 1 { byteTokens[Int(text[0])] = token }
            } else if case let (scalar, end) = text.scalar(at: 0), end == text.count {
                characterTokens.insert(UInt64(token), for: UInt64(scalar))
            }
        }
        if options.ignoresMerges { self.whole = whole }
        if options.fallsBackToBytes, !options.readsBytes {
            for byte in UInt8.min ... .max {
                byteTokens[Int(byte)] =
                    (fallback ?? spellings).number(of: ByteAlphabet.fallbackSpelling(of: byte)) ?? -1
            }
        }
        gluesUnknown =
            !options.readsBytes && byteTokens.contains(-1) && (options.fusesUnknown || options.fallsBackToBytes)
    }

    /// Adds the next merge.
    /// - Parameter spelling: what it makes.
    mutating func addMerge(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32, spelling: [UInt8]) {
        guard !reserved.contains(result) else { return }
        merger.add(left, right, rank: rank, result: result)
        guard !options.readsBytes else { return }
        joints.insert(spelling)
        if options.fallsBackToBytes, byteTokens.contains(left) || byteTokens.contains(right) { gluesUnknown = true }
    }

    /// Adds a character that is no token but may be merged. Numbers follow each other.
    mutating func addStray(_ character: [UInt8], _ symbol: Int32) {
        firstStray = min(firstStray, symbol)
        let tokens = character.map { byteTokens[Int($0)] }
        strays.append(tokens.contains(-1) ? options.unknown.map { [$0] } ?? [] : tokens)
        characterTokens.insert(UInt64(symbol), for: UInt64(character.scalar(at: 0).value))
    }

    /// Appends the tokens of one piece.
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        if options.readsBytes {
            encodeWord(text, piece, isWhole: true, &work, to: &result)
        } else if let token = whole?.number(of: text, piece) {
            result.append(token)
        } else {
            var start = piece.lowerBound
            while start < piece.upperBound {
                let end = wordEnd(text, start, piece.upperBound)
                encodeWord(text, start..<end, isWhole: false, &work, to: &result)
                start = end
            }
        }
    }

    /// Where the merges of the word that begins at `start` end: before the first character that none joins to the one
    /// before it.
    private func wordEnd(_ text: [UInt8], _ start: Int, _ limit: Int) -> Int {
        var (last, index) = text.scalar(at: start)
        while index < limit {
            let (scalar, end) = text.scalar(at: index)
            if !joints.contains(last, scalar), !gluesUnknown || (isKnown(last) && isKnown(scalar)) { return index }
            last = scalar
            index = end
        }
        return limit
    }

    private func isKnown(_ scalar: UInt32) -> Bool { characterTokens[UInt64(scalar)] != nil }

    private func encodeWord(
        _ text: [UInt8],
        _ word: Range<Int>,
        isWhole: Bool,
        _ work: inout EncodingWorkspace,
        to result: inout [Int32]
    ) {
        let isShort = word.count <= WordCache.longestWord
        let hash = isShort ? ByteHash.hash(text, word) : 0
        if isShort, work.words.append(text, word, hash, to: &result) { return }
        let start = result.count
        if isWhole, let token = whole?.number(of: text, word) {
            result.append(token)
        } else {
            work.merging.symbols.removeAll(keepingCapacity: true)
            options.readsBytes
                ? spellBytes(text, word, &work.merging.symbols) : spellCharacters(text, word, &work.merging.symbols)
            merger.merge(&work.merging)
            if strays.isEmpty {
                result += work.merging.symbols
            } else {
                for symbol in work.merging.symbols {
                    if symbol < firstStray { result.append(symbol) } else { result += strays[Int(symbol - firstStray)] }
                }
            }
        }
        if isShort { work.words.insert(text, word, hash, result[start...]) }
    }

    private func spellBytes(_ text: [UInt8], _ word: Range<Int>, _ symbols: inout [Int32]) {
        for index in word { symbols.append(byteTokens[Int(text[index])]) }
    }

    /// In the reference an unknown character waits for the next known one, and bytes pass it by.
    private func spellCharacters(_ text: [UInt8], _ word: Range<Int>, _ symbols: inout [Int32]) {
        var isUnknownWaiting = false
        var index = word.lowerBound
        while index < word.upperBound {
            let (scalar, end) = text.scalar(at: index)
            let bytes = index..<end
            index = end
            if let token = characterTokens[UInt64(scalar)] {
                if isUnknownWaiting, let unknown = options.unknown { symbols.append(unknown) }
                isUnknownWaiting = false
                symbols.append(Int32(truncatingIfNeeded: token))
            } else if options.fallsBackToBytes, bytes.allSatisfy({ byteTokens[Int(text[$0])] >= 0 }) {
                for byte in bytes { symbols.append(byteTokens[Int(text[byte])]) }
            } else if let unknown = options.unknown {
                if isUnknownWaiting, !options.fusesUnknown { symbols.append(unknown) }
                isUnknownWaiting = true
            }
        }
        if isUnknownWaiting, let unknown = options.unknown { symbols.append(unknown) }
    }
}

/// What one encoding uses for all its pieces: working memory, and the words seen before.
struct EncodingWorkspace {
    var merging = BytePairMerger.Workspace()
    var words = WordCache()
    var path = UnigramModel.Path()

    /// Gives back what only a very long piece needed.
    mutating func shrink() {
        merging.shrink()
        path.shrink()
    }
}
