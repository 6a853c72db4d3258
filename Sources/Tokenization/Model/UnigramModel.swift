/// SentencePiece's unigram model: of all ways to cut a piece into tokens, the one with the highest sum of scores
/// (Kudo, 2018), found by Viterbi's algorithm as the reference does it, ties and all.
struct UnigramModel: Sendable {
    /// How much lower than the lowest score an unknown character's is.
    private static let unknownPenalty = 10.0

    /// The best path to each place in a piece.
    struct Path {
        fileprivate struct Step {
            var score = 0.0
            /// Where its last token begins, -1 while no path leads here.
            var start = -1
            var token: Int32 = -1
        }
        fileprivate var steps: [Step] = []
        fileprivate var pieces: [(range: Range<Int>, isUnknown: Bool)] = []

        mutating func shrink() { if steps.capacity > 1 << 16 { self = Path() } }
    }

    private let trie: ByteTrie
    /// Of each token; -infinity for those that no text may become.
    private var scores: [Double]
    private let unknown: Int32
    private let unknownScore: Double
    /// The token that each byte falls back to; empty without byte fallback.
    private var byteTokens: [Int32] = []

    /// - Parameters:
    ///   - trie: the tokens by their token strings.
    ///   - scores: each token's, by its number; finite.
    ///   - unknown: the token of what has none.
    ///   - forbidden: the tokens that no text may become.
    init(
        _ trie: ByteTrie,
        scores: consuming [Double],
        unknown: Int32,
        forbidden: Set<Int32>,
        fallsBackToBytes: Bool
    ) {
        self.trie = trie
        self.unknown = unknown
        unknownScore = (scores.min() ?? .infinity) - Self.unknownPenalty
        for token in forbidden { scores[Int(token)] = -.infinity }
        self.scores = scores
        if fallsBackToBytes {
            byteTokens = (UInt8.min ... .max).map { trie.id(of: ByteAlphabet.fallbackSpelling(of: $0)) ?? -1 }
        }
    }

    /// The token of a string, nil if it is none.
    func id(of string: [UInt8]) -> Int32? { trie.id(of: string) }

    /// The model, with more tokens that no text may become.
    func forbidding(_ tokens: Set<Int32>) -> UnigramModel {
        var model = self
        for token in tokens where scores.indices.contains(Int(token)) { model.scores[Int(token)] = -.infinity }
        model.byteTokens = byteTokens.map { tokens.contains($0) ? -1 : $0 }
        return model
    }

    /// Whether some texts have no tokens without these.
    func needs(_ tokens: Set<Int32>) -> Bool { tokens.contains(unknown) }

    /// Appends the tokens of one piece.
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        let isShort = piece.count <= WordCache.longestWord
        let hash = isShort ? ByteHash.hash(text, piece) : 0
        if isShort, work.words.append(text, piece, hash, to: &result) { return }
        let start = result.count
        findPath(text, piece, &work.path)
        for (range, isUnknown) in work.path.pieces.reversed() {
            append(text, range, isUnknown, to: &result)
        }
        if isShort { work.words.insert(text, piece, hash, result[start...]) }
    }

    /// Leaves the best path's pieces, from the last to the first, unknown characters side by side as one.
    private func findPath(_ text: [UInt8], _ piece: Range<Int>, _ path: inout Path) {
        path.steps.removeAll(keepingCapacity: true)
        path.steps += repeatElement(Path.Step(), count: piece.count + 1)
        let base = piece.lowerBound
        var start = base
        while start < piece.upperBound {
            let score = path.steps[start - base].score
            let next = min(text.scalar(at: start).end, piece.upperBound)
            var hasSingle = false
            trie.forEachPrefix(of: text, start..<piece.upperBound) { end, token in
                guard scores[Int(token)] > -.infinity else { return }
                Self.improve(&path.steps[end - base], score + scores[Int(token)], from: start, token)
                hasSingle = hasSingle || end == next
            }
            if !hasSingle { Self.improve(&path.steps[next - base], score + unknownScore, from: start, unknown) }
            start = next
        }
        path.pieces.removeAll(keepingCapacity: true)
        var end = piece.upperBound
        while end > base {
            let step = path.steps[end - base]
            let isUnknown = step.token == unknown
            if isUnknown, let last = path.pieces.last, last.isUnknown {
                path.pieces[path.pieces.count - 1].range = step.start..<last.range.upperBound
            } else {
                path.pieces.append((step.start..<end, isUnknown))
            }
            end = step.start
        }
    }

    private static func improve(_ step: inout Path.Step, _ score: Double, from start: Int, _ token: Int32) {
        if step.start < 0 || score > step.score { step = Path.Step(score: score, start: start, token: token) }
    }

    private func append(_ text: [UInt8], _ range: Range<Int>, _ isUnknown: Bool, to result: inout [Int32]) {
        if let token = trie.id(of: text, range), scores[Int(token)] > -.infinity {
            result.append(token)
        } else if !byteTokens.isEmpty, range.allSatisfy({ byteTokens[Int(text[$0])] >= 0 }) {
            for index in range { result.append(byteTokens[Int(text[index])]) }
        } else {
            result.append(unknown)
        }
    }
}
