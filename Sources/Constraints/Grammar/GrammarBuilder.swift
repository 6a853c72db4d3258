package import EngineContract
package import JSON

/// A part of an answer.
package indirect enum GrammarElement: Sendable {
    case literal(String)
    /// A token that is no text, such as the marker of a call in some vocabularies.
    case token(Token)
    /// A JSON value.
    case schema(JSONNode, SchemaOptions)
    /// Any text up to the first of some markers, the marker, and what follows that one.
    case text(FreeText)
    /// One of some texts, each another, and what follows that one.
    case choice([(text: String, then: GrammarElement)])
    /// So many of some ASCII characters.
    case characters(String, ClosedRange<Int32>)
    /// An element that stands in several places, compiled once; the name tells it from others.
    case shared(String, GrammarElement)
    case sequence([GrammarElement])
    case alternatives([GrammarElement])
    /// Once or more, with something in between.
    case repetition(GrammarElement, separator: GrammarElement)
}

/// Any text up to the first of some markers, which are in it, and what follows that one; without others, which it cannot
/// have.
package struct FreeText: Sendable {
    /// A marker, and what follows it.
    package struct Branch: Sendable {
        package var marker: [MarkerPart]
        /// Whether it is a marker only where the text begins.
        package var isAtStart: Bool
        /// Nil: the text cannot have the marker.
        package var next: GrammarElement?

        package init(_ marker: [MarkerPart], isAtStart: Bool = false, then next: GrammarElement? = .sequence([])) {
            self.marker = marker
            self.isAtStart = isAtStart
            self.next = next
        }
    }

    package var branches: [Branch]
    /// Whether the answer may end within the text; nothing may follow this element then.
    package var mayEnd: Bool
    /// Whether a marker is one with other white space in it, as far as readers of answers pass over it.
    package var ignoresSpace: Bool

    package init(until branches: [Branch], mayEnd: Bool = false, ignoresSpace: Bool = false) {
        self.branches = branches
        self.mayEnd = mayEnd
        self.ignoresSpace = ignoresSpace
    }
}

extension GrammarElement {
    /// Any text up to a marker where that first appears, and the marker.
    package static func text(until marker: String) -> GrammarElement {
        .text(FreeText(until: [FreeText.Branch([.text(marker)])]))
    }
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
    private var work = 0
    private var shared: [String: Int32] = [:]

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
            let value = try RuleBuilder.add(node, options, to: &rules, &pool, ignored: &ignored, work: &work)
            return [.value(value, options.layout)]
        case .text(let text): return [try self.text(text)]
        case .choice(let choices): return [try choice(choices)]
        case .characters(let characters, let count):
            let set = pool.bytes(ByteSet(characters.utf8))
            return [.lexeme(pool.repetition(set, count.lowerBound, count.upperBound))]
        case .shared(let name, let element):
            if let known = shared[name] { return [.choice([known])] }
            let sequence = try sequence(element)
            shared[name] = sequence
            return [.choice([sequence])]
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

    private mutating func text(_ text: FreeText) throws(SchemaError) -> SequenceRule.Part {
        var markers: [MarkerFinder.Marker] = []
        var following: [GrammarElement] = []
        for branch in text.branches {
            let symbols = branch.marker.flatMap(MarkerFinder.symbols)
            let place: MarkerFinder.Marker.Place = branch.isAtStart ? .start : .anywhere
            let tag = branch.next == nil ? Tags.forbidden : Tags.branch(following.count)
            markers.append(.init(symbols: symbols, place: place, tag: tag))
            if let next = branch.next { following.append(next) }
        }
        let next = try add(following)
        let finder = MarkerFinder(markers, mayEnd: text.mayEnd, ignoresSpace: text.ignoresSpace)
        return .branch(pool.text(finder), next)
    }

    private mutating func choice(
        _ choices: [(text: String, then: GrammarElement)]
    ) throws(SchemaError) -> SequenceRule.Part {
        var texts: [RegexID] = []
        for (index, choice) in choices.enumerated() {
            texts.append(pool.literal(Array(choice.text.utf8), then: pool.accept(Tags.branch(index))))
        }
        return .branch(pool.union(texts), try add(choices.map(\.then)))
    }

    /// - Returns: the index of a list of branches.
    private mutating func add(_ branches: [GrammarElement]) throws(SchemaError) -> Int32 {
        var sequences: [Int32] = []
        for branch in branches { sequences.append(try sequence(branch)) }
        rules.branches.append(sequences)
        return Int32(rules.branches.count - 1)
    }
}
