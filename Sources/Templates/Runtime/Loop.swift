/// What a loop's body knows as `loop`.
final class Loop {
    /// Gives the next item, filtered if the loop has a condition.
    private let advance: () throws(TemplateError) -> Value?
    private var knownLength: Int?
    /// Items taken before their iteration, the next one last.
    private var ahead: [Value] = []
    private var isExhausted = false
    private var current: Value?
    private var previous: Value?
    /// What `changed` saw last.
    private var lastSeen: [Value]?
    private(set) var index0 = -1
    /// The recursion depth of a recursive loop, from 0.
    let level: Int
    /// Of values, for `Value.depth`.
    let nestingDepth: Int
    /// Of a recursive loop: what renders it for other items.
    let recursion: Recursion?

    struct Recursion {
        let statement: ForLoop
        let scope: Scope
    }

    /// - Parameter length: nil if it is known only once all items are taken.
    init(
        length: Int?,
        nestingDepth: Int,
        level: Int,
        recursion: Recursion?,
        advance: @escaping () throws(TemplateError) -> Value?
    ) {
        knownLength = length
        self.nestingDepth = nestingDepth
        self.level = level
        self.recursion = recursion
        self.advance = advance
    }

    func next() throws(TemplateError) -> Value? {
        let early = ahead.popLast()
        guard let item = early == nil ? try taken() : early else { return nil }
        index0 += 1
        previous = current
        current = item
        return item
    }

    private func taken() throws(TemplateError) -> Value? {
        guard !isExhausted else { return nil }
        let item = try advance()
        isExhausted = item == nil
        return item
    }

    private func peek() throws(TemplateError) -> Value? {
        if let item = ahead.last { return item }
        guard let item = try taken() else { return nil }
        ahead.append(item)
        return item
    }

    func length() throws(TemplateError) -> Int {
        if let knownLength { return knownLength }
        var items = Array(ahead.reversed())
        while let item = try taken() { items.append(item) }
        ahead = items.reversed()
        let length = index0 + 1 + items.count
        knownLength = length
        return length
    }

    /// An attribute other than a method; nil if the name is unknown.
    func attribute(_ name: String) throws(TemplateError) -> Value? {
        switch name {
        case "index": .integer(index0 + 1)
        case "index0": .integer(index0)
        case "first": .bool(index0 == 0)
        case "last": .bool(try peek() == nil)
        case "length": .integer(try length())
        case "revindex": .integer(try length() - index0)
        case "revindex0": .integer(try length() - index0 - 1)
        case "previtem": previous ?? .undefined(Undefined(.other("there is no previous item")))
        case "nextitem": try peek() ?? .undefined(Undefined(.other("there is no next item")))
        case "depth": .integer(level + 1)
        case "depth0": .integer(level)
        default: nil
        }
    }

    /// Whether the values differ from those of the call before.
    func changed(_ values: [Value], _ budget: Budget) throws(TemplateError) -> Bool {
        defer { lastSeen = values }
        guard let lastSeen, lastSeen.count == values.count else { return true }
        for (old, new) in zip(lastSeen, values) where try !Comparison.areEqual(old, new, budget) { return true }
        return false
    }

    func clear() {
        lastSeen = nil
        ahead = []
        current = nil
        previous = nil
    }
}
