import EngineContract
import Synchronization

/// What tells one answer's form from every other, such as the texts of its schemas and the options: bytes, compared as they
/// are.
package struct GrammarKey: Hashable, Sendable {
    /// Of the bytes, which may be megabytes and are looked up more than once.
    private let digest: Int
    private let bytes: [UInt8]

    package init(_ parts: [ArraySlice<UInt8>]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count + MemoryLayout<Int>.size })
        for part in parts {
            // So that no other parts come to the same bytes.
            withUnsafeBytes(of: part.count) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: part)
        }
        self.bytes = bytes
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        digest = hasher.finalize()
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    var byteCount: Int { bytes.count }
}

/// Grammars that were compiled before, by their content, within a bound of memory; the least recently used go first.
///
/// Sessions with one grammar share its automaton and masks. When those have grown to a bound, new sessions get new ones,
/// and the old are freed with the last session that has them.
package final class GrammarCache: Sendable {
    private struct Entry: Sendable {
        var grammar: Grammar
        var tables: ConstraintTables
        var use: UInt64
        /// The size when it was last used.
        var bytes = 0
    }

    private struct State: Sendable {
        var entries: [GrammarKey: Entry] = [:]
        var uses: UInt64 = 0
        /// The sum of the entries' sizes.
        var bytes = 0

        mutating func set(_ key: GrammarKey, _ entry: Entry) {
            bytes += entry.bytes - (entries[key]?.bytes ?? 0)
            uses += 1
            entries[key] = entry
            entries[key]?.use = uses
        }

        /// Leaves out the least recently used until the bound is kept; the one just used stays.
        mutating func shrink(to mostBytes: Int) {
            guard bytes > mostBytes else { return }
            for (key, entry) in entries.sorted(by: { $0.value.use < $1.value.use }).dropLast() where bytes > mostBytes {
                entries[key] = nil
                bytes -= entry.bytes
            }
        }
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

    /// The sizes of the entries when they were last used.
    package var approximateBytes: Int { state.withLock { $0.bytes } }

    package var count: Int { state.withLock { $0.entries.count } }

    /// A constraint at the beginning of an answer. What is not known is compiled on the calling thread.
    /// - Parameters:
    ///   - key: tells the answer's form from every other.
    ///   - element: makes what is compiled if the key is not known.
    /// - Returns: the constraint, and, if it was not known, the paths of keywords that are not enforced.
    /// - Throws: `SchemaError` if a schema cannot be enforced.
    package func constraint(
        _ key: GrammarKey,
        _ element: () throws(SchemaError) -> GrammarElement
    ) throws(SchemaError) -> (constraint: GrammarConstraint, ignored: [String]) {
        if let entry = find(key) { return (GrammarConstraint(entry.tables), []) }
        let grammar = try Grammar(try element())
        let tables = ConstraintTables(grammar, vocabulary)
        store(key, grammar, tables)
        return (GrammarConstraint(tables), grammar.ignored)
    }

    private func find(_ key: GrammarKey) -> Entry? {
        guard var entry = state.withLock({ $0.entries[key] }) else { return nil }
        var size = entry.tables.approximateBytes
        if entry.tables.isWornOut || size > mostTableBytes {
            entry.tables = ConstraintTables(entry.grammar, vocabulary)
            size = entry.tables.approximateBytes
        }
        store(key, entry.grammar, entry.tables, size)
        return entry
    }

    private func store(_ key: GrammarKey, _ grammar: Grammar, _ tables: ConstraintTables, _ tableBytes: Int? = nil) {
        let bytes = key.byteCount + grammar.approximateBytes + (tableBytes ?? tables.approximateBytes)
        state.withLock { state in
            state.set(key, Entry(grammar: grammar, tables: tables, use: 0, bytes: bytes))
            state.shrink(to: mostBytes)
        }
    }
}
