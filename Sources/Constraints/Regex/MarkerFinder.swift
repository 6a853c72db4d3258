/// Finds the first of some markers in a free text, symbol by symbol: the usual automaton of several words at once.
///
/// A symbol is a byte, or a token that is no text. Such a token may come only where a marker has it.
struct MarkerFinder: Sendable {
    struct Marker: Sendable {
        enum Place: Sendable {
            case anywhere
            /// Only where the text begins.
            case start
            /// Nowhere, unless another marker ends with it; white space between its symbols does not make it another.
            case nowhere
        }

        var symbols: [Int32]
        var place = Place.anywhere
        /// What the automaton is told where it ends.
        var tag: LexemeTag
    }

    /// Where one more symbol leads.
    enum Step: Equatable, Sendable {
        case marker(LexemeTag)
        /// - Parameters:
        ///   - node: the longest end of the text that begins a marker.
        ///   - other: the same of those that are only at the start, where it is -1 behind them, or nowhere.
        case text(node: Int32, other: Int32)
        case impossible
    }

    private struct Node: Sendable {
        var children: [Int32: Int32] = [:]
        /// The node of the longest proper end of this node's text.
        var fallback: Int32 = 0
        var tag: LexemeTag?
    }

    /// The symbol of a token that is no text.
    static func symbol(of token: Int32) -> Int32 { token &+ 256 }

    static func symbols(of part: MarkerPart) -> [Int32] {
        switch part {
        case .text(let text): text.utf8.map { Int32($0) }
        case .token(let token): [symbol(of: token)]
        }
    }

    /// Whether the text may end anywhere without a marker, and the whole answer with it.
    let mayEnd: Bool
    /// Whether white space within a marker does not make it another.
    private let ignoresSpace: Bool
    private let hasStarts: Bool
    private let hasForbidden: Bool
    private var nodes = [Node()]
    /// Of the markers that are only at the start, or nowhere: not both.
    private var others = [Node()]

    init(_ markers: [Marker], mayEnd: Bool, ignoresSpace: Bool = false) {
        self.mayEnd = mayEnd
        self.ignoresSpace = ignoresSpace
        hasStarts = markers.contains { $0.place == .start }
        hasForbidden = !hasStarts && markers.contains { $0.place == .nowhere }
        for marker in markers where !marker.symbols.isEmpty {
            switch marker.place {
            case .anywhere: Self.add(marker, ignoresSpace, to: &nodes)
            case .start: Self.add(marker, ignoresSpace, to: &others)
            case .nowhere: if hasForbidden { Self.add(marker, true, to: &others) }
            }
        }
        Self.linkFallbacks(&nodes)
        if hasForbidden { Self.linkFallbacks(&others) }
    }

    private static func add(_ marker: Marker, _ ignoresSpace: Bool, to nodes: inout [Node]) {
        var place = 0
        for symbol in marker.symbols where !ignoresSpace || !isSpace(symbol) {
            if let child = nodes[place].children[symbol] {
                place = Int(child)
            } else {
                nodes[place].children[symbol] = Int32(nodes.count)
                place = nodes.count
                nodes.append(Node())
            }
        }
        if place > 0 { nodes[place].tag = nodes[place].tag ?? marker.tag }
    }

    /// Breadth first, so that the fallback of a node is known before its children's.
    private static func linkFallbacks(_ nodes: inout [Node]) {
        var pending: [Int32] = [0]
        var index = 0
        while index < pending.count {
            let parent = pending[index]
            index += 1
            for (symbol, child) in nodes[Int(parent)].children {
                let fallback = parent == 0 ? 0 : follow(nodes[Int(parent)].fallback, symbol, nodes)
                nodes[Int(child)].fallback = fallback
                if nodes[Int(child)].tag == nil { nodes[Int(child)].tag = nodes[Int(fallback)].tag }
                pending.append(child)
            }
        }
    }

    private static func follow(_ node: Int32, _ symbol: Int32, _ nodes: [Node]) -> Int32 {
        var place = node
        while true {
            if let child = nodes[Int(place)].children[symbol] { return child }
            if place == 0 { return 0 }
            place = nodes[Int(place)].fallback
        }
    }

    static func isSpace(_ symbol: Int32) -> Bool {
        symbol == 0x20 || symbol == 0x0A || symbol == 0x0D || symbol == 0x09
    }

    /// Where a text begins, among the other markers.
    var firstOther: Int32 { hasStarts || hasForbidden ? 0 : -1 }

    /// A marker at the start goes before others that end with the same symbol.
    func step(_ node: Int32, _ other: Int32, _ symbol: Int32) -> Step {
        let isSpace = Self.isSpace(symbol)
        if isSpace, ignoresSpace { return .text(node: node, other: other) }
        var next: Int32 = -1
        if hasStarts, other >= 0, let child = others[Int(other)].children[symbol] {
            if let tag = others[Int(child)].tag { return .marker(tag) }
            next = child
        }
        let place = Self.follow(node, symbol, nodes)
        if let tag = nodes[Int(place)].tag { return .marker(tag) }
        if hasForbidden {
            next = isSpace ? other : Self.follow(other, symbol, others)
            if others[Int(next)].tag != nil { return .impossible }
        }
        if symbol >= 256, place == 0, next <= 0 { return .impossible }
        return .text(node: place, other: next)
    }

    /// The tokens that are no text and may come next.
    func tokens(_ node: Int32, _ other: Int32) -> [Int32] {
        var symbols = Set<Int32>()
        var place = node
        while true {
            symbols.formUnion(nodes[Int(place)].children.keys)
            if place == 0 { break }
            place = nodes[Int(place)].fallback
        }
        if hasStarts, other >= 0 { symbols.formUnion(others[Int(other)].children.keys) }
        return symbols.filter { $0 >= 256 }.map { $0 - 256 }.sorted()
    }
}

/// Free text, and tokens that are no text.
extension RegexPool {
    /// Any text up to the first of some markers, where the automaton is told the marker's tag.
    mutating func text(_ finder: MarkerFinder) -> RegexID {
        finders.append(finder)
        hasSpecials = true
        return text(Int32(finders.count - 1), node: 0, other: finder.firstOther)
    }

    /// Whether an answer may end within an expression: it is a free text that may.
    func mayEnd(_ id: RegexID) -> Bool {
        let node = self[id]
        return node.kind == .text && finders[Int(node.a)].mayEnd
    }

    /// What follows after a symbol in a free text.
    mutating func target(of node: RegexNode, _ symbol: Int32) -> RegexID {
        switch finders[Int(node.a)].step(node.b, node.c, symbol) {
        case .marker(let tag): return accept(tag)
        case .text(let next, let other): return text(node.a, node: next, other: other)
        case .impossible: return Self.nothing
        }
    }
}
