package import EngineContract
import Synchronization

/// Holds an answer to a grammar.
package struct GrammarConstraint: TokenConstraint {
    private var tables: ConstraintTables
    private var configurations: [Configuration]
    /// Whether an end token has come.
    private var isOver = false
    /// Whether the answer may end here.
    private var canEnd = false
    /// The tokens that must come next, as far as they are known.
    private var plan: ArraySlice<Token> = []
    /// Steps for which even new tables had hardly room: after too many, the answer fails and holds up no others.
    private var failures = 0
    private static let mostFailures = 100
    /// Whether only the usual spelling in tokens is allowed where one text must follow.
    private let forcesSpelling: Bool

    /// - Parameter forcesSpelling: whether `allow` permits only the first of the forced tokens where there are any, or
    ///   every token that spells the beginning of what must come.
    package init(
        _ grammar: Grammar,
        _ vocabulary: Vocabulary,
        forcesSpelling: Bool = true,
        limits: TableLimits = TableLimits()
    ) {
        self.init(ConstraintTables(grammar, vocabulary, limits), forcesSpelling: forcesSpelling)
    }

    init(_ tables: ConstraintTables, forcesSpelling: Bool = true) {
        self.tables = tables
        self.forcesSpelling = forcesSpelling
        configurations = tables.start
        tables.withTables { look(ahead: &$0) }
    }

    package var isComplete: Bool { !isOver && canEnd }

    package var forced: [Token] { isOver ? [] : Array(plan) }

    package var isFinished: Bool { configurations.allSatisfy { $0 == .end } }

    package func allow(into mask: inout TokenMask) {
        if isOver { return mask.removeAll() }
        if let token = plan.first {
            mask.removeAll()
            return mask.insert(token)
        }
        if !fill(&mask, tables, configurations) {
            // A bound was met on the way: once more where there is room.
            let (tables, configurations) = tables.moved(configurations)
            _ = fill(&mask, tables, configurations)
        }
        if canEnd { for token in tables.vocabulary.stopTokens { mask.insert(token) } }
    }

    /// - Returns: whether the tables had room for all that is needed.
    private func fill(
        _ mask: inout TokenMask,
        _ tables: ConstraintTables,
        _ configurations: [Configuration]
    ) -> Bool {
        let (known, isWhole) = tables.withTables { shared -> ([UInt64]?, Bool) in
            let hasOverflowed = shared.automaton.hasOverflowed
            if !hasOverflowed, let known = shared.masks.known(configurations) { return (known, true) }
            shared.masks.allow(configurations, into: &mask, &shared.automaton)
            return (nil, !shared.automaton.hasOverflowed)
        }
        if let known {
            mask.removeAll()
            mask.formUnion(known)
        }
        return isWhole
    }

    package mutating func accept(_ token: Token) -> Bool {
        guard !isOver else { return false }
        if tables.vocabulary.stopTokens.contains(token) {
            guard canEnd else { return false }
            isOver = true
            return true
        }
        if let isAccepted = advance(token, isLastTry: false) {
            guard isAccepted else { return false }
        } else {
            // Once more where there is room.
            (tables, configurations) = tables.moved(configurations)
            guard advance(token, isLastTry: true) == true else { return false }
            if tables.isWornOut { failures += 1 }
            guard failures <= Self.mostFailures else { return false }
        }
        if tables.isWornOut { (tables, configurations) = tables.moved(configurations) }
        return true
    }

    /// Goes on with a token, if it is allowed.
    /// - Returns: whether it is; nil if the tables had no room to find out.
    private mutating func advance(_ token: Token, isLastTry: Bool) -> Bool? {
        tables.withTables { shared in
            shared.automaton.pool.allowSearches()
            let next = follow(token, &shared.automaton)
            if shared.automaton.hasOverflowed, !isLastTry { return nil }
            guard !next.isEmpty else { return false }
            configurations = next
            if plan.first == token { plan.removeFirst() } else { plan = [] }
            look(ahead: &shared)
            return true
        }
    }

    private func follow(_ token: Token, _ automaton: inout Automaton) -> [Configuration] {
        let text = tables.vocabulary.text(token)
        if text.isEmpty { return automaton.step(configurations, special: token) }
        var next = configurations
        for byte in text {
            next = automaton.step(next, byte)
            if next.isEmpty { break }
        }
        return next
    }

    /// Sets what depends on the configurations. What must come is worked out once, so that the tokens do not change while
    /// they come.
    private mutating func look(ahead shared: inout ConstraintTables.Tables) {
        canEnd = shared.automaton.mayEnd(configurations)
        guard forcesSpelling, plan.isEmpty, !canEnd else { return }
        plan = shared.forced(configurations, tables.vocabulary)[...]
    }
}

extension GrammarConstraint {
    /// The memory of what sessions with the same grammar share.
    package var approximateBytes: Int { tables.approximateBytes }
}
