/// SentencePiece's byte-pair encoding as GGUF holds it: no list of merges, but a score for each token.
///
/// Two neighbours merge if together they are a token, the highest score first. So every way to cut a token in two is a
/// merge here, ranked by the token's score.
struct ScoredMerges {
    /// The longest token that is cut in all ways, in bytes: that takes the square of its length.
    private static let longest = 1024

    /// The tokens that a text may become; it has the strings of the others too.
    let table: TokenStringTable
    private(set) var model: BytePairModel

    init(_ vocabulary: VocabularyValues) throws(TokenizerError) {
        guard vocabulary.scores.count == vocabulary.tokens.count else {
            throw VocabularyValues.error(
                "it has \(vocabulary.tokens.count) tokens, but \(vocabulary.scores.count) scores"
            )
        }
        // No text may become a special token, whatever merges would make of it; nor a byte's, by its name.
        let forbidden = Set(vocabulary.addedTokens().filter { !$0.mayAppearInText }.map(\.id))
        let numbers = vocabulary.tokens.indices.map { Int32(truncatingIfNeeded: $0) }
        let bytes = Set(numbers.filter { vocabulary.kind(of: Int($0)) == .byte && !forbidden.contains($0) })
        let tokenStrings = vocabulary.makeTokenStrings()
        table = TokenStringTable(tokenStrings, hiding: forbidden.union(bytes))
        let options = BytePairModel.Options(
            unknown: vocabulary.unknownToken.map { Int32(truncatingIfNeeded: $0) },
            fallsBackToBytes: true
        )
        model = BytePairModel(
            table,
            options,
            fallback: TokenStringTable(tokenStrings, hiding: Set(numbers).subtracting(bytes)),
            mergeCount: 3 * tokenStrings.count
        )
        try addMerges(
            ranks: Self.ranks(vocabulary.scores),
            firstMergeOnly: Int32(truncatingIfNeeded: tokenStrings.count)
        )
    }

    /// For each token the place of its score among all of them, the highest first.
    private static func ranks(_ scores: [Float]) -> [UInt32] {
        let scores = scores.map { $0.isNaN ? -.infinity : $0 }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        var ranks = [UInt32](repeating: 0, count: scores.count)
        var rank: UInt32 = 0
        for (before, token) in zip(order, order.dropFirst()) {
            if scores[token] < scores[before] { rank += 1 }
            ranks[token] = rank
        }
        return ranks
    }

    /// Adds each way to cut each token.
    private mutating func addMerges(ranks: [UInt32], firstMergeOnly: Int32) throws(TokenizerError) {
        var mergeOnlyTokens: [[UInt8]: Int32] = [:]
        for token in 0..<Int32(truncatingIfNeeded: table.tokenStrings.count) {
            let spelling = Array(table.tokenStrings[token])
            guard table.id(of: spelling) == token else { continue }
            guard spelling.count <= Self.longest else {
                throw VocabularyValues.error(
                    "its token \(token) has \(spelling.count) bytes; at most \(Self.longest) are possible"
                )
            }
            var cut = 0
            while cut < spelling.count {
                cut = spelling.scalar(at: cut).end
                guard cut < spelling.count,
                    let left = try symbol(spelling, 0..<cut, &mergeOnlyTokens, from: firstMergeOnly),
                    let right = try symbol(spelling, cut..<spelling.count, &mergeOnlyTokens, from: firstMergeOnly)
                else { continue }
                guard model.addMerge(left, right, rank: ranks[Int(token)], result: token, spelling: spelling) else {
                    throw VocabularyValues.error("its tokens can be cut in more than \(MergeTable.mostMerges) ways")
                }
            }
        }
    }

    /// The symbol of a part of a token. A single character need not be a token: it gets a number of its own.
    private mutating func symbol(
        _ text: [UInt8],
        _ part: Range<Int>,
        _ mergeOnlyTokens: inout [[UInt8]: Int32],
        from firstMergeOnly: Int32
    ) throws(TokenizerError) -> Int32? {
        if let token = table.id(of: text, part) { return token }
        guard text.scalar(at: part.lowerBound).end == part.upperBound else { return nil }
        let character = Array(text[part])
        if let symbol = mergeOnlyTokens[character] { return symbol }
        let symbol = firstMergeOnly + Int32(truncatingIfNeeded: mergeOnlyTokens.count)
        guard symbol <= MergeTable.largestSymbol else {
            throw VocabularyValues.error("it has more than \(MergeTable.largestSymbol) tokens and characters")
        }
        mergeOnlyTokens[character] = symbol
        model.addMergeOnlyCharacter(character, symbol)
        return symbol
    }
}
