import EngineContract
import Synchronization

/// Grammars that were compiled before, by their content, within a bound of memory; the least recently used go first.
///
/// Sessions with one grammar share its automaton and masks. When those have grown to a bound, new sessions get new ones,
/// and the old are freed with the last session that has them.
package final class GrammarCache: Sendable {
    private struct Entry: Sendable {
        var grammar: Grammar
        var tables: ConstraintTables
        var use: UInt64
    }

    private struct State: Sendable {
        var entries: [String: Entry] = [:]
        var uses: UInt64 = 0
    }

    private let vocabulary: Vocabulary
    private let mostBytes: Int
    /// The bound of one grammar's tables.
    private let mostTableBytes: Int
    private let state = Mutex(State())

    package init(_ vocabulary: Vocabulary, mostBytes: Int = 256 << 20, mostTableBytes: Int = 48 << 20) {
        self.vocabulary = vocabulary
        self.mostBytes = mostBytes
        self.mostTableBytes = mostTableBytes
    }

    package var count: Int { state.withLock { $0.entries.count } }

    /// A constraint at the beginning of an answer. What is not known is compiled on the calling thread.
    /// - Parameters:
    ///   - key: tells one answer's form from every other, such as the text of the schema and the options.
    ///   - element: makes what is compiled if the key is not known.
    /// - Returns: the constraint, and, if it was not known, the paths of keywords that are not enforced.
    /// - Throws: `SchemaError` if a schema cannot be enforced.
    package func constraint(
        _ key: String,
        _ element: () throws(SchemaError) -> GrammarElement
    ) throws(SchemaError) -> (constraint: GrammarConstraint, ignored: [String]) {
        if let entry = find(key) { return (GrammarConstraint(entry.tables), []) }
        let grammar = try Grammar(try element())
        let tables = ConstraintTables(grammar, vocabulary)
        store(key, grammar, tables)
        return (GrammarConstraint(tables), grammar.ignored)
    }

    private func find(_ key: String) -> Entry? {
        guard let entry = state.withLock({ $0.entries[key] }) else { return nil }
        var found = entry
        if entry.tables.isWornOut || entry.tables.approximateBytes > mostTableBytes {
            found.tables = ConstraintTables(entry.grammar, vocabulary)
        }
        state.withLock { state in
            state.uses += 1
            found.use = state.uses
            state.entries[key] = found
        }
        return found
    }

    private func store(_ key: String, _ grammar: Grammar, _ tables: ConstraintTables) {
        let sizes = state.withLock { $0.entries.mapValues { ($0.tables, $0.grammar) } }
            .map { (key, entry) in (key, key.utf8.count + entry.0.approximateBytes + entry.1.approximateBytes) }
        let known = Dictionary(uniqueKeysWithValues: sizes)
        var total = sizes.reduce(0) { $0 + $1.1 } + key.utf8.count
        total += tables.approximateBytes + grammar.approximateBytes
        state.withLock { state in
            for (old, entry) in state.entries.sorted(by: { $0.value.use < $1.value.use }) where total > mostBytes {
                state.entries[old] = nil
                total -= known[old] ?? entry.grammar.approximateBytes
            }
            state.uses += 1
            state.entries[key] = Entry(grammar: grammar, tables: tables, use: state.uses)
        }
    }
}
