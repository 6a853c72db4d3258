/// SentencePiece's byte-pair encoding as GGUF holds it: no list of merges, but a score for each token.
///
/// Any two neighbours merge whose texts together are a token, the highest score first. So every way to cut a token in
/// two is a merge here, ranked by the token's score.
struct ScoredMerges {
    /// The tokens that a text may become.
    private(set) var spellings: SpellingTable
    /// The others, which only have a text: bytes, and tokens that are recognised as they stand.
    private(set) var hidden: [(spelling: [UInt8], token: Int32)] = []
    private(set) var model: BytePairModel

    init(_ vocabulary: VocabularyValues) throws(TokenizerError) {
        guard vocabulary.scores.count == vocabulary.tokens.count else {
            throw VocabularyValues.fault(
                "it has \(vocabulary.tokens.count) tokens, but \(vocabulary.scores.count) scores"
            )
        }
        spellings = SpellingTable(capacity: vocabulary.tokens.count)
        var bytes = SpellingTable()
        // No text may become a special token, whatever merges would make of it.
        let reserved = Set(vocabulary.addedTokens().filter { !$0.mayBeSpelled }.map(\.id))
        for (index, token) in vocabulary.tokens.enumerated() {
            let (spelling, number) = (Array(token.utf8), Int32(truncatingIfNeeded: index))
            switch vocabulary.kind(of: index) {
            case _ where reserved.contains(number): hidden.append((spelling, number))
            case .byte:
                bytes.insert(spelling, number)
                hidden.append((spelling, number))
            default:
                if let earlier = spellings.number(of: spelling) { hidden.append((spelling, earlier)) }
                spellings.insert(spelling, number)
            }
        }
        let options = BytePairModel.Options(
            unknown: vocabulary.unknownToken.map { Int32(truncatingIfNeeded: $0) },
            fallsBackToBytes: true
        )
        model = BytePairModel(spellings, options, fallback: bytes, mergeCount: 3 * spellings.count)
        addMerges(ranks: Self.ranks(vocabulary.scores), firstStray: Int32(truncatingIfNeeded: vocabulary.tokens.count))
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

    /// Adds each way to cut each token. A part of one character need not be a token: it gets a number of its own.
    private mutating func addMerges(ranks: [UInt32], firstStray: Int32) {
        var strays = SpellingTable()
        func symbol(_ text: [UInt8], _ range: Range<Int>, _ model: inout BytePairModel) -> Int32? {
            if let token = spellings.number(of: text, range) { return token }
            guard text.scalar(at: range.lowerBound).end == range.upperBound else { return nil }
            if let stray = strays.number(of: text, range) { return stray }
            let stray = firstStray + Int32(truncatingIfNeeded: strays.count)
            strays.insert(Array(text[range]), stray)
            model.addStray(Array(text[range]), stray)
            return stray
        }
        var grown = model
        spellings.forEach { spelling, token in
            var cut = 0
            while cut < spelling.count {
                cut = spelling.scalar(at: cut).end
                guard cut < spelling.count, let left = symbol(spelling, 0..<cut, &grown),
                    let right = symbol(spelling, cut..<spelling.count, &grown)
                else { continue }
                grown.addMerge(left, right, rank: ranks[Int(token)], result: token, spelling: spelling)
            }
        }
        model = grown
    }
}
