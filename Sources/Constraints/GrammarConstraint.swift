package import EngineContract
import Synchronization

/// What sessions with one grammar and one vocabulary share: the automaton as far as it is built, and masks.
final class ConstraintTables: Sendable {
    struct Tables: Sendable {
        var automaton: Automaton
        var masks: MaskMaker
    }

    let vocabulary: Vocabulary
    private let tables: Mutex<Tables>
    let start: [Configuration]

    init(_ grammar: Grammar, _ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        var automaton = Automaton(grammar)
        start = automaton.start
        let masks = MaskMaker(vocabulary, &automaton)
        tables = Mutex(Tables(automaton: automaton, masks: masks))
    }

    func withTables<Result: Sendable>(_ body: (inout Tables) -> Result) -> Result {
        tables.withLock { body(&$0) }
    }

    var approximateBytes: Int { withTables { $0.automaton.approximateBytes + $0.masks.approximateBytes } }

    /// Whether a bound was met: new sessions need new tables.
    var isWornOut: Bool { withTables { $0.automaton.hasOverflowed } }
}

/// Holds an answer to a grammar.
package struct GrammarConstraint: TokenConstraint {
    /// Tokens that are forced at once.
    private static let mostForced = 64
    private static let mostForcedBytes = 512

    private let tables: ConstraintTables
    private var configurations: [Configuration]
    private var isOver = false
    /// Whether only the usual spelling in tokens is allowed where one text must follow.
    private let forcesSpelling: Bool

    /// - Parameter forcesSpelling: whether `allow` permits only the first of the forced tokens where there are any, or
    ///   every token that spells the beginning of what must come.
    package init(_ grammar: Grammar, _ vocabulary: Vocabulary, forcesSpelling: Bool = true) {
        self.init(ConstraintTables(grammar, vocabulary), forcesSpelling: forcesSpelling)
    }

    init(_ tables: ConstraintTables, forcesSpelling: Bool = true) {
        self.tables = tables
        self.forcesSpelling = forcesSpelling
        configurations = tables.start
    }

    package var isComplete: Bool { !isOver && configurations.contains(.end) }

    package var isFinished: Bool { configurations.allSatisfy { $0 == .end } }

    package func allow(into mask: inout TokenMask) {
        if isOver { return mask.removeAll() }
        if forcesSpelling, let token = forced(atMost: 1).first {
            mask.removeAll()
            return mask.insert(token)
        }
        let (configurations, tables) = (configurations, tables)
        mask = tables.withTables { [mask] shared in
            var mask = mask
            shared.masks.allow(configurations, into: &mask, &shared.automaton)
            return mask
        }
        if isComplete { for token in tables.vocabulary.stopTokens { mask.insert(token) } }
    }

    package mutating func accept(_ token: Token) -> Bool {
        guard !isOver else { return false }
        if tables.vocabulary.stopTokens.contains(token) {
            guard isComplete else { return false }
            isOver = true
            return true
        }
        let next = follow(token)
        guard !next.isEmpty else { return false }
        configurations = next
        return true
    }

    private func follow(_ token: Token) -> [Configuration] {
        let text = tables.vocabulary.text(token)
        return tables.withTables { shared in
            if text.isEmpty { return shared.automaton.step(configurations, special: token) }
            var next = configurations
            for byte in text {
                next = shared.automaton.step(next, byte)
                if next.isEmpty { break }
            }
            return next
        }
    }

    // MARK: Forced tokens

    package var forced: [Token] { forced(atMost: Self.mostForced) }

    /// The bytes that must come next are cut into the longest tokens. Where a token could go on beyond them, the choice is
    /// open.
    private func forced(atMost most: Int) -> [Token] {
        guard !isOver else { return [] }
        let vocabulary = tables.vocabulary
        return tables.withTables { shared in
            var bytes: [UInt8] = []
            var last = configurations
            while bytes.count < Self.mostForcedBytes, let byte = shared.automaton.onlyByte(last) {
                bytes.append(byte)
                last = shared.automaton.step(last, byte)
            }
            var tokens: [Token] = []
            var rest = bytes[...]
            while tokens.count < most, let (token, length) = vocabulary.longest(rest, isWhole: last == [.end]),
                length > 0
            {
                tokens.append(token)
                rest = rest.dropFirst(length)
            }
            return tokens
        }
    }
}

extension GrammarConstraint {
    /// The memory of what sessions with the same grammar share.
    package var approximateBytes: Int { tables.approximateBytes }
}
