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
    private let table: TokenStringTable
    /// The tokens that no text may become.
    private var forbidden: Set<Int32>
    /// Whether one of them is a single character.
    private var forbidsCharacters: Bool
    private var merger: BytePairMerger
    /// With `readsBytes` the token of each byte; otherwise the token that a byte falls back to, or -1.
    private var byteTokens: [Int32]
    /// Without `readsBytes` the token of each character of ASCII, or -1.
    private var asciiTokens: [Int32] = []
    /// The pairs of neighbouring characters inside merged tokens: between any others a text can be cut.
    private var mergeablePairs: PairFilter
    /// The symbols of characters that have no token of their own but are merged into some.
    private var mergeOnlySymbols: [UInt32: Int32] = [:]
    /// In the order of those symbols: the tokens that each becomes where it is not merged.
    private var mergeOnlyTokens: [[Int32]] = []
    private var firstMergeOnly = Int32.max
    /// Whether an unknown character changes the tokens of its neighbours, so that no cut may be made beside it.
    private var unknownAffectsNeighbours = false

    /// - Parameters:
    ///   - table: the tokens as the vocabulary spells them; with `readsBytes`, in the byte alphabet.
    ///   - forbidden: the tokens that no text may become.
    ///   - fallback: where the tokens of bytes are found, if not among them.
    ///   - mergeCount: how many merges are expected; there may be more.
    init(
        _ table: TokenStringTable,
        _ options: Options,
        forbidden: Set<Int32> = [],
        fallback: TokenStringTable? = nil,
        mergeCount: Int
    ) {
        self.options = options
        self.table = table
        self.forbidden = forbidden
        forbidsCharacters = Self.haveCharacter(forbidden, table)
        merger = BytePairMerger(capacity: mergeCount)
        mergeablePairs = PairFilter(capacity: options.readsBytes ? 0 : mergeCount)
        byteTokens = [Int32](repeating: -1, count: 256)
        for byte in UInt8.min ... .max {
            if options.readsBytes {
                let spelling = ByteAlphabet.spelling(of: byte)
                byteTokens[Int(byte)] = token(spelling, spelling.indices) ?? -1
            } else if options.fallsBackToBytes {
                byteTokens[Int(byte)] = (fallback ?? table).id(of: ByteAlphabet.fallbackSpelling(of: byte)) ?? -1
            }
        }
        if !options.readsBytes {
            asciiTokens = (0..<0x80 as Range<UInt8>).map { token([$0], 0..<1) ?? -1 }
        }
        unknownAffectsNeighbours =
            !options.readsBytes && byteTokens.contains(-1) && (options.fusesUnknown || options.fallsBackToBytes)
    }

    /// Whether one of these tokens is a single character.
    private static func haveCharacter(_ tokens: Set<Int32>, _ table: TokenStringTable) -> Bool {
        tokens.contains { token in
            let spelling = Array(table.tokenStrings[token])
            return !spelling.isEmpty && spelling.scalar(at: 0).end == spelling.count
        }
    }

    /// The model, with more tokens that no text may become.
    func forbidding(_ tokens: Set<Int32>) -> BytePairModel {
        var model = self
        model.forbidden.formUnion(tokens)
        model.forbidsCharacters = forbidsCharacters || Self.haveCharacter(tokens, table)
        model.merger.removeMerges(into: tokens)
        model.byteTokens = byteTokens.map { tokens.contains($0) ? -1 : $0 }
        model.asciiTokens = asciiTokens.map { tokens.contains($0) ? -1 : $0 }
        model.mergeOnlyTokens = mergeOnlyTokens.map { spelled in
            spelled.contains(where: tokens.contains) ? model.options.unknown.map { [$0] } ?? [] : spelled
        }
        model.unknownAffectsNeighbours =
            unknownAffectsNeighbours
            || !options.readsBytes && model.byteTokens.contains(-1)
                && (options.fusesUnknown || options.fallsBackToBytes)
        return model
    }

    /// Whether some texts have no tokens without these.
    func needs(_ tokens: Set<Int32>) -> Bool {
        options.unknown.map(tokens.contains) ?? false || byteTokens.contains(where: tokens.contains)
    }

    /// The token of a string, if a text may become it.
    private func token(_ spelling: [UInt8], _ part: Range<Int>) -> Int32? {
        guard let token = table.id(of: spelling, part), forbidden.isEmpty || !forbidden.contains(token) else {
            return nil
        }
        return token
    }

    /// Adds the next merge.
    /// - Parameter string: what it makes.
    /// - Returns: whether there was room for it.
    mutating func addMerge(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32, spelling: [UInt8]) -> Bool {
        guard !forbidden.contains(result) else { return true }
        guard merger.add(left, right, rank: rank, result: result) else { return false }
        guard !options.readsBytes else { return true }
        mergeablePairs.insert(spelling)
        let joinsUnknown = options.unknown.map { [left, right].contains($0) } ?? false
        let joinsByte = options.fallsBackToBytes && (byteTokens.contains(left) || byteTokens.contains(right))
        if joinsUnknown || joinsByte { unknownAffectsNeighbours = true }
        return true
    }

    /// Adds a character that is no token but may be merged. The symbols are consecutive.
    mutating func addMergeOnlyCharacter(_ character: [UInt8], _ symbol: Int32) {
        firstMergeOnly = min(firstMergeOnly, symbol)
        let tokens = character.map { byteTokens[Int($0)] }
        mergeOnlyTokens.append(tokens.contains(-1) ? options.unknown.map { [$0] } ?? [] : tokens)
        mergeOnlySymbols[character.scalar(at: 0).value] = symbol
    }

    /// The token of a string, nil if it is none.
    func id(of string: [UInt8]) -> Int32? { table.id(of: string) }

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
            if !mergeablePairs.contains(last, scalar) {
                guard unknownAffectsNeighbours, symbol(text, before..<index) == nil || symbol(text, index..<end) == nil
                else {
                    return index
                }
            }
            last = scalar
            before = index
            index = end
        }
        return limit
    }

    /// The symbol that a character is merged as, nil if it is unknown.
    @inline(__always)
    private func symbol(_ text: [UInt8], _ character: Range<Int>) -> Int32? {
        let lead = text[character.lowerBound]
        if lead < 0x80, asciiTokens[Int(lead)] >= 0 { return asciiTokens[Int(lead)] }
        return lead < 0x80 && mergeOnlySymbols.isEmpty ? nil : rareSymbol(text, character)
    }

    private func rareSymbol(_ text: [UInt8], _ character: Range<Int>) -> Int32? {
        if let token = table.id(of: text, character), !forbidsCharacters || !forbidden.contains(token) {
            return token
        }
        return mergeOnlySymbols.isEmpty ? nil : mergeOnlySymbols[text.scalar(at: character.lowerBound).value]
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
            if mergeOnlyTokens.isEmpty {
                result += work.merging.symbols
            } else {
                for symbol in work.merging.symbols {
                    if symbol < firstMergeOnly {
                        result.append(symbol)
                    } else {
                        result += mergeOnlyTokens[Int(symbol - firstMergeOnly)]
                    }
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

    /// As in the reference, the token of an unknown character is added only at the next known one, after any bytes.
    private func spellCharacters(_ text: [UInt8], _ word: Range<Int>, _ symbols: inout [Int32]) {
        var hasPendingUnknown = false
        var index = word.lowerBound
        while index < word.upperBound {
            let bytes = index..<min(text.scalar(at: index).end, word.upperBound)
            index = bytes.upperBound
            if let symbol = symbol(text, bytes) {
                if hasPendingUnknown, let unknown = options.unknown { symbols.append(unknown) }
                hasPendingUnknown = false
                symbols.append(symbol)
            } else if options.fallsBackToBytes, bytes.allSatisfy({ byteTokens[Int(text[$0])] >= 0 }) {
                for byte in bytes { symbols.append(byteTokens[Int(text[byte])]) }
            } else if let unknown = options.unknown {
                if hasPendingUnknown, !options.fusesUnknown { symbols.append(unknown) }
                hasPendingUnknown = true
            }
        }
        if hasPendingUnknown, let unknown = options.unknown { symbols.append(unknown) }
    }
}
