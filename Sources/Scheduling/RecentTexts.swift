import EngineContract

/// Texts of sessions that have ended, for drafts: an answer that is asked for once more, that quotes what another session
/// was given, or that goes on where the client has changed an earlier turn.
///
/// A session is given drafts of its own tree alone: of the texts that begin with the same block, as all do that have the
/// same system prompt. Memory is bounded, and so is the work for a draft. Answers do not depend on any of it.
struct RecentTexts {
    /// Tokens that are kept in all; each takes some 100 bytes with its places in an index.
    static let maxTokens = 1 << 17

    private struct Kept {
        var tree = TextTree()
        var lastUse = 0
        var lastTick = 0
    }

    private var trees: [PrefixCache.Key: Kept] = [:]
    private var time = 0
    private var now = 0

    var isEmpty: Bool { trees.isEmpty }
    var tokenCount: Int { trees.values.reduce(0) { $0 + $1.tree.tokens.count } }

    /// The texts that a sequence may find drafts in.
    func tree(of sequence: SequenceState) -> TextTree? { sequence.firstKey.flatMap { trees[$0]?.tree } }

    /// Keeps what is new of a sequence's text.
    mutating func add(_ sequence: SequenceState) {
        guard let key = sequence.firstKey else { return }
        trees[key, default: Kept()].tree.add(sequence)
        use(for: sequence)
        while tokenCount > Self.maxTokens, let oldest = trees.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
            trees[oldest] = nil
        }
    }

    /// Takes note that a sequence uses its tree.
    mutating func use(for sequence: SequenceState) {
        guard let key = sequence.firstKey else { return }
        time += 1
        trees[key]?.lastUse = time
        trees[key]?.lastTick = now
    }

    // MARK: Idle memory

    /// Advances the clock by which trees count as idle.
    mutating func advanceTick() { now += 1 }

    /// Forgets the trees that nobody used for more than `ticks` ticks.
    mutating func forgetIdle(since ticks: Int) { trees = trees.filter { now - $0.value.lastTick <= ticks } }
}

/// Texts that begin with the same block, one behind the other, each without what another one begins with, too.
struct TextTree {
    /// Tokens that are kept; where there would be more, the older half goes.
    static let maxTokens = 1 << 16
    /// No token: it ends a text.
    private static let end: Token = -1

    private(set) var tokens: [Token] = []
    private var index = GramIndex()
    /// The prefix cache's keys of the blocks, and of what is left after the last whole one.
    private var known: Set<PrefixCache.Key> = []

    mutating func add(_ sequence: SequenceState) {
        let keys = sequence.keysOfAllTokens
        let first = keys.firstIndex { !known.contains($0) } ?? keys.count
        guard first < keys.count else { return }
        // With what is before it, which the next tokens will be found by.
        let start = max(0, first * sequence.blockSize - GramIndex.lengths[0])
        let part = sequence.tokens[start...].suffix(Self.maxTokens / 2)
        if tokens.count + part.count + 1 > Self.maxTokens {
            tokens = Array(tokens.suffix(Self.maxTokens / 2 - 1))
            index = GramIndex()
            known = []
        }
        known.formUnion(keys)
        tokens += part
        tokens.append(Self.end)
        index.add(tokens)
    }

    /// - Returns: up to `count` tokens that may follow `other`; none if its last tokens are not in a text.
    func draft(after other: [Token], count: Int) -> TextDraft {
        guard count > 0, let match = index.match(of: other, in: tokens) else { return TextDraft() }
        return TextDraft(
            tokens: Array(tokens[(match.end + 1)...].prefix(count).prefix { $0 != Self.end }),
            matched: match.length
        )
    }
}
