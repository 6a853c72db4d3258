package import EngineContract
package import JSON

/// A part of an answer.
package indirect enum GrammarElement: Sendable {
    case literal(String)
    /// A token that is no text, such as the marker of a call in some vocabularies.
    case token(Token)
    /// A JSON value.
    case schema(JSONNode, SchemaOptions)
    /// Any text up to a marker where that first appears, and the marker.
    case text(until: String)
    case sequence([GrammarElement])
    case alternatives([GrammarElement])
    /// Once or more, with something in between.
    case repetition(GrammarElement, separator: GrammarElement)
}

extension Grammar {
    /// Compiles an answer in several parts.
    /// - Throws: `SchemaError` if a schema cannot be enforced, or the whole is too large.
    package init(_ element: GrammarElement) throws(SchemaError) {
        var builder = GrammarBuilder()
        let root = try builder.sequence(element)
        guard !builder.pool.hasOverflowed else { throw SchemaError(.tooComplex, nil, "is too complex") }
        self.init(rules: builder.rules, pool: builder.pool, root: root, ignored: builder.ignored)
    }

    /// Compiles an answer that is one JSON value.
    /// - Throws: `SchemaError` if the schema cannot be enforced.
    package init(schema: JSONNode, options: SchemaOptions = SchemaOptions()) throws(SchemaError) {
        try self.init(.schema(schema, options))
    }
}

private struct GrammarBuilder {
    var rules = GrammarRules()
    var pool = RegexPool()
    var ignored: [String] = []

    /// The sequence that an element is by itself.
    mutating func sequence(_ element: GrammarElement) throws(SchemaError) -> Int32 {
        let parts = try parts(element)
        rules.sequences.append(SequenceRule(parts: parts))
        return Int32(rules.sequences.count - 1)
    }

    private mutating func parts(_ element: GrammarElement) throws(SchemaError) -> [SequenceRule.Part] {
        switch element {
        case .literal(let text): return text.isEmpty ? [] : [.lexeme(pool.literal(Array(text.utf8)))]
        case .token(let token): return [.lexeme(pool.special(token))]
        case .schema(let node, let options):
            rules.depth = max(rules.depth, Int32(options.depth))
            let value = try RuleBuilder.add(node, options, to: &rules, &pool, ignored: &ignored)
            return [.value(value, options.layout)]
        case .text(let marker): return [.lexeme(text(until: Array(marker.utf8)))]
        case .sequence(let elements):
            var all: [SequenceRule.Part] = []
            for element in elements { all += try parts(element) }
            return all
        case .alternatives(let elements):
            var choices: [Int32] = []
            for element in elements { choices.append(try sequence(element)) }
            return [.choice(choices)]
        case .repetition(let element, let separator):
            // Once, and then either nothing or a separator and all of it again.
            let empty = try sequence(.sequence([]))
            let more = Int32(rules.sequences.count)
            rules.sequences.append(SequenceRule(parts: []))
            let once = try parts(element) + [.choice([empty, more])]
            rules.sequences[Int(more)].parts = try parts(separator) + once
            return once
        }
    }

    private mutating func text(until marker: [UInt8]) -> RegexID {
        let any = pool.star(pool.bytes(.all))
        if marker.isEmpty { return any }
        let end = pool.literal(marker)
        let later = pool.sequence(any, end, pool.bytes(.all), any)
        let whole = pool.pair(any, end)
        return pool.intersection(whole, pool.complement(later))
    }
}
