import EngineContract

/// Finds the tokens that may come next.
///
/// A token either stays within the lexeme in progress, which depends on the lexeme alone and is kept with it, or crosses
/// its end into what the frame has next, which is tried by a walk from each place where the lexeme can end.
struct MaskMaker: Sendable {
    /// What is known of a lexeme.
    private struct LexemeMask: Sendable {
        var reach: PlainReach
        /// The tokens that stay inside, beside the plain ones within reach: as a list, or as a set if they are many.
        var tokens: [Int32] = []
        var set: [UInt64] = []
        var crossings: [TrieWalk.Crossing] = []
        /// What it took to find out.
        var work = 0
    }

    /// What may follow one reading.
    private struct ReadingMask: Sendable {
        var words: [UInt64]
        var work: Int
    }

    /// More tokens than this are kept as a set.
    private static let mostListed = 1024
    private static let (mostLexemes, mostSets, mostMasks) = (4096, 400, 96)
    /// Nodes of the trie that are visited for one reading, and for one mask. Tokens beyond that are not allowed, which
    /// leaves an answer valid. Known masks count as if they were made again, so that a mask does not depend on the past.
    private static let (mostReadingWork, mostWork) = (4_000_000, 8_000_000)
    /// What a walk costs besides.
    private static let walkWork = 16

    private let vocabulary: Vocabulary
    private var plain: PlainReachFinder
    private var lexemes: [RegexID: LexemeMask] = [:]
    private var setCount = 0
    private var masks: [Configuration: ReadingMask] = [:]
    private var walk = TrieWalk()
    private var budget = 0

    init(_ vocabulary: Vocabulary, _ automaton: inout Automaton) {
        self.vocabulary = vocabulary
        plain = PlainReachFinder(&automaton.pool)
    }

    var approximateBytes: Int {
        (setCount + masks.count) * vocabulary.tokenCount / 8 + lexemes.count * 200
            + lexemes.values.reduce(0) { $0 + $1.tokens.count * 4 + $1.crossings.count * 8 }
    }

    /// The tokens that may follow where there is one way to read the text, if they are known.
    func known(_ configurations: [Configuration]) -> [UInt64]? {
        configurations.count == 1 ? masks[configurations[0]]?.words : nil
    }

    /// Sets `mask` to the tokens, with a text or special, that may follow.
    mutating func allow(_ configurations: [Configuration], into mask: inout TokenMask, _ automaton: inout Automaton) {
        mask.removeAll()
        if automaton.rows.isFull { automaton.rows.removeAll() }
        automaton.pool.allowSearches()
        var work = 0
        for configuration in configurations where configuration != .end {
            guard work < Self.mostWork else { break }
            if let known = masks[configuration] {
                mask.formUnion(known.words)
                work += known.work
            } else {
                budget = Self.mostReadingWork
                add(configuration, to: &mask, &automaton)
                work += Self.mostReadingWork - budget
            }
        }
        for (token, first) in vocabulary.twins where mask.contains(first) { mask.insert(token) }
        guard configurations.count == 1, configurations[0] != .end else { return }
        if masks.count >= Self.mostMasks { masks.removeAll(keepingCapacity: true) }
        masks[configurations[0]] = ReadingMask(words: mask.words, work: work)
    }

    private mutating func add(
        _ configuration: Configuration,
        to mask: inout TokenMask,
        _ automaton: inout Automaton
    ) {
        for edge in automaton.pool.specials(of: configuration.lexeme) { mask.insert(edge.token) }
        let lexeme = canonical(configuration.lexeme, &automaton.pool)
        let inside = lexemes[lexeme] ?? make(lexeme, &automaton)
        budget -= inside.work
        let trie: VocabularyTrie
        switch inside.reach {
        case .unknown: trie = vocabulary.all
        case .all:
            vocabulary.plain.add(upTo: nil, to: &mask)
            trie = vocabulary.marked
        case .upTo(let length):
            vocabulary.plain.add(upTo: length, to: &mask)
            trie = vocabulary.marked
        }
        if inside.set.isEmpty { for token in inside.tokens { mask.insert(token) } } else { mask.formUnion(inside.set) }
        cross(inside.crossings, trie, configuration.frame, &mask, &automaton)
    }

    /// Goes on behind the ends of lexemes.
    private mutating func cross(
        _ crossings: [TrieWalk.Crossing],
        _ trie: VocabularyTrie,
        _ frame: Int32,
        _ mask: inout TokenMask,
        _ automaton: inout Automaton
    ) {
        // Most lexemes end in one way only.
        var (lastTag, following): (LexemeTag, [Configuration]) = (-1, [])
        for crossing in crossings {
            let tag = automaton.pool[crossing.lexeme].tag
            if tag != lastTag { (lastTag, following) = (tag, automaton.continuation(of: frame, after: tag)) }
            let node = trie.nodes[Int(crossing.node)]
            let range = (Int(crossing.node) + 1)..<Int(node.end)
            for configuration in following where configuration != .end {
                guard budget > 0 else { return }
                walk.removeAll()
                walk.run(trie, range, depth: Int(node.depth), configuration.lexeme, &automaton)
                budget -= walk.visits + Self.walkWork
                for token in walk.tokens { mask.insert(token) }
                if !walk.crossings.isEmpty {
                    let inner = walk.crossings
                    cross(inner, trie, configuration.frame, &mask, &automaton)
                }
            }
        }
    }

    private mutating func make(_ lexeme: RegexID, _ automaton: inout Automaton) -> LexemeMask {
        let reach = plain.reach(of: lexeme, &automaton.pool)
        let trie = reach == .unknown ? vocabulary.all : vocabulary.marked
        walk.removeAll()
        walk.run(trie, 0..<trie.nodes.count, depth: 0, lexeme, &automaton)
        var result = LexemeMask(reach: reach, crossings: walk.crossings, work: walk.visits + Self.walkWork)
        if lexemes.count >= Self.mostLexemes || setCount >= Self.mostSets {
            lexemes.removeAll(keepingCapacity: true)
            setCount = 0
        }
        if walk.tokens.count > Self.mostListed {
            var set = TokenMask(tokenCount: vocabulary.tokenCount)
            for token in walk.tokens { set.insert(token) }
            result.set = set.words
            setCount += 1
        } else {
            result.tokens = walk.tokens
        }
        lexemes[lexeme] = result
        return result
    }

    /// The lexeme with counts that no token can exhaust made equal, so that a long string needs few masks.
    private func canonical(_ lexeme: RegexID, _ pool: inout RegexPool) -> RegexID {
        let node = pool[lexeme]
        guard node.kind == .sequence else { return lexeme }
        let head = pool[node.a]
        guard head.kind == .repetition else {
            let tail = pool[node.b]
            guard tail.kind == .sequence, pool[tail.a].kind == .repetition else { return lexeme }
            let rest = canonical(node.b, &pool)
            return rest == node.b ? lexeme : pool.pair(node.a, rest)
        }
        let most = Int32(vocabulary.all.depth) + 1
        guard !pool[head.a].isNullable, head.b > most || head.c > most else { return lexeme }
        let part = pool.repetition(head.a, min(head.b, most), head.c > most ? RegexNode.unlimited : head.c)
        return pool.pair(part, node.b)
    }
}
