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

    private var options: Options
    private let table: SpellingTable
    /// The tokens that no text may become.
    private var reserved: Set<Int32>
    /// Whether one of them is a single character.
    private var reservesCharacters: Bool
    private var merger: BytePairMerger
    /// With `readsBytes` the token of each byte; otherwise the token that a byte falls back to, or -1.
    private var byteTokens: [Int32]
    /// Without `readsBytes` the token of each character of ASCII, or -1.
    private var asciiTokens: [Int32] = []
    /// The pairs of characters side by side in what merges make: between others a text can be cut.
    private var joints: JointSet
    /// Characters that are no tokens but parts of some, with their symbols.
    private var strayCharacters: [UInt32: Int32] = [:]
    /// By their symbols, which follow each other: the tokens that each becomes where nothing is merged with it.
    private var strays: [[Int32]] = []
    private var firstStray = Int32.max
    /// Whether unknown characters matter to their neighbours, so that no cut may be made beside one.
    private var gluesUnknown = false

    /// - Parameters:
    ///   - table: the tokens as the vocabulary spells them; with `readsBytes`, in the byte alphabet.
    ///   - reserved: the tokens that no text may become.
    ///   - fallback: where the tokens of bytes are found, if not among them.
    ///   - mergeCount: how many merges are expected; there may be more.
    init(
        _ table: SpellingTable,
        _ options: Options,
        reserved: Set<Int32> = [],
        fallback: SpellingTable? = nil,
        mergeCount: Int
    ) {
        self.options = options
        self.table = table
        self.reserved = reserved
        reservesCharacters = Self.haveCharacter(reserved, table)
        merger = BytePairMerger(capacity: mergeCount)
        joints = JointSet(capacity: options.readsBytes ? 0 : mergeCount)
        byteTokens = [Int32](repeating: -1, count: 256)
        for byte in UInt8.min ... .max {
            if options.readsBytes {
                let spelling = ByteAlphabet.spelling(of: byte)
                byteTokens[Int(byte)] = token(spelling, spelling.indices) ?? -1
            } else if options.fallsBackToBytes {
                byteTokens[Int(byte)] = (fallback ?? table).number(of: ByteAlphabet.fallbackSpelling(of: byte)) ?? -1
            }
        }
        if !options.readsBytes {
            asciiTokens = (0..<0x80 as Range<UInt8>).map { token([$0], 0..<1) ?? -1 }
        }
        gluesUnknown =
            !options.readsBytes && byteTokens.contains(-1) && (options.fusesUnknown || options.fallsBackToBytes)
    }

    /// Whether one of these tokens is a single character.
    private static func haveCharacter(_ tokens: Set<Int32>, _ table: SpellingTable) -> Bool {
        tokens.contains { token in
            let spelling = Array(table.spellings[token])
            return !spelling.isEmpty && spelling.scalar(at: 0).end == spelling.count
        }
    }

    /// The model, with more tokens that no text may become.
    func reserving(_ tokens: Set<Int32>) -> BytePairModel {
        var model = self
        model.reserved.formUnion(tokens)
        model.reservesCharacters = reservesCharacters || Self.haveCharacter(tokens, table)
        model.merger.removeMerges(into: tokens)
        model.byteTokens = byteTokens.map { tokens.contains($0) ? -1 : $0 }
        model.asciiTokens = asciiTokens.map { tokens.contains($0) ? -1 : $0 }
        model.strays = strays.map { spelled in
            spelled.contains(where: tokens.contains) ? model.options.unknown.map { [$0] } ?? [] : spelled
        }
        model.gluesUnknown =
            gluesUnknown
            || !options.readsBytes && model.byteTokens.contains(-1)
                && (options.fusesUnknown || options.fallsBackToBytes)
        return model
    }

    /// Whether some texts have no tokens without these.
    func needs(_ tokens: Set<Int32>) -> Bool {
        options.unknown.map(tokens.contains) ?? false || byteTokens.contains(where: tokens.contains)
    }

    /// The token of a spelling, if a text may become it.
    private func token(_ spelling: [UInt8], _ part: Range<Int>) -> Int32? {
        guard let token = table.number(of: spelling, part), reserved.isEmpty || !reserved.contains(token) else {
            return nil
        }
        return token
    }

    /// Adds the next merge.
    /// - Parameter spelling: what it makes.
    /// - Returns: whether there was room for it.
    mutating func addMerge(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32, spelling: [UInt8]) -> Bool {
        guard !reserved.contains(result) else { return true }
        guard merger.add(left, right, rank: rank, result: result) else { return false }
        guard !options.readsBytes else { return true }
        joints.insert(spelling)
        let joinsUnknown = options.unknown.map { [left, right].contains($0) } ?? false
        let joinsByte = options.fallsBackToBytes && (byteTokens.contains(left) || byteTokens.contains(right))
        if joinsUnknown || joinsByte { gluesUnknown = true }
        return true
    }

    /// Adds a character that is no token but may be merged. Numbers follow each other.
    mutating func addStray(_ character: [UInt8], _ symbol: Int32) {
        firstStray = min(firstStray, symbol)
        let tokens = character.map { byteTokens[Int($0)] }
        strays.append(tokens.contains(-1) ? options.unknown.map { [$0] } ?? [] : tokens)
        strayCharacters[character.scalar(at: 0).value] = symbol
    }

    /// The token of a spelling, nil if it is none.
    func number(of spelling: [UInt8]) -> Int32? { table.number(of: spelling) }

    /// Appends the tokens of one piece.
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        if options.readsBytes {
            encodeWord(text, piece, isWhole: true, &work, to: &result)
        } else if options.ignoresMerges, let token = token(text, piece) {
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
        var before = start
        while index < limit {
            let (scalar, end) = text.scalar(at: index)
            if !joints.contains(last, scalar) {
                guard gluesUnknown, symbol(text, before..<index) == nil || symbol(text, index..<end) == nil else {
                    return index
                }
            }
            last = scalar
            before = index
            index = end
        }
        return limit
    }

    /// What a character is to the merges, nil if it is unknown.
    @inline(__always)
    private func symbol(_ text: [UInt8], _ character: Range<Int>) -> Int32? {
        let lead = text[character.lowerBound]
        if lead < 0x80, asciiTokens[Int(lead)] >= 0 { return asciiTokens[Int(lead)] }
        return lead < 0x80 && strayCharacters.isEmpty ? nil : rareSymbol(text, character)
    }

    private func rareSymbol(_ text: [UInt8], _ character: Range<Int>) -> Int32? {
        if let token = table.number(of: text, character), !reservesCharacters || !reserved.contains(token) {
            return token
        }
        return strayCharacters.isEmpty ? nil : strayCharacters[text.scalar(at: character.lowerBound).value]
    }

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
        if isWhole, options.ignoresMerges, let token = spelledToken(text, word, &work.spelling) {
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

    /// The token that bytes are as they stand.
    private func spelledToken(_ text: [UInt8], _ word: Range<Int>, _ spelling: inout [UInt8]) -> Int32? {
        spelling.removeAll(keepingCapacity: true)
        ByteAlphabet.appendSpelling(of: text[word], to: &spelling)
        return token(spelling, spelling.indices)
    }

    private func spellBytes(_ text: [UInt8], _ word: Range<Int>, _ symbols: inout [Int32]) {
        for index in word {
            let token = byteTokens[Int(text[index])]
            // A byte whose token no text may become is unknown.
            if token >= 0 { symbols.append(token) } else if let unknown = options.unknown { symbols.append(unknown) }
        }
    }

    /// In the reference an unknown character waits for the next known one, and bytes pass it by.
    private func spellCharacters(_ text: [UInt8], _ word: Range<Int>, _ symbols: inout [Int32]) {
        var isUnknownWaiting = false
        var index = word.lowerBound
        while index < word.upperBound {
            let bytes = index..<min(text.scalar(at: index).end, word.upperBound)
            index = bytes.upperBound
            if let symbol = symbol(text, bytes) {
                if isUnknownWaiting, let unknown = options.unknown { symbols.append(unknown) }
                isUnknownWaiting = false
                symbols.append(symbol)
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
    /// A word in the byte alphabet.
    var spelling: [UInt8] = []
    var words = WordCache()
    var path = UnigramModel.Path()

    /// Gives back what only a very long piece needed.
    mutating func shrink() {
        merging.shrink()
        if spelling.capacity > 1 << 16 { spelling = [] }
        path.shrink()
    }
}
