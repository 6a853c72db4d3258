/// Finds the first of some markers in a free text, symbol by symbol.
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
        /// What the automaton is told where it ends; `Tags.forbidden`: the symbol that would complete it may not come.
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
    private let hasStarts: Bool
    private let hasForbidden: Bool
    private let markers: MarkerAutomaton
    /// Of the markers that are only at the start, or nowhere: not both.
    private let others: MarkerAutomaton

    /// - Parameter ignoresSpace: whether a marker may have other white space than its own, as far as readers of answers
    ///   allow that.
    init(_ markers: [Marker], mayEnd: Bool, ignoresSpace: Bool = false) {
        self.mayEnd = mayEnd
        let starts = markers.filter { $0.place == .start }
        let forbidden = starts.isEmpty ? markers.filter { $0.place == .nowhere } : []
        hasStarts = !starts.isEmpty
        hasForbidden = !forbidden.isEmpty
        let spacing: MarkerAutomaton.Spacing = ignoresSpace ? .asRead : .exact
        self.markers = MarkerAutomaton(markers.filter { $0.place == .anywhere }, spacing, restarts: true)
        others =
            hasStarts
            ? MarkerAutomaton(starts, spacing, restarts: false) : MarkerAutomaton(forbidden, .any, restarts: true)
    }

    static func isSpace(_ symbol: Int32) -> Bool {
        symbol == 0x20 || symbol == 0x0A || symbol == 0x0D || symbol == 0x09
    }

    /// Where a text begins, among the other markers.
    var firstOther: Int32 { hasStarts || hasForbidden ? 0 : -1 }

    /// A marker at the start goes before others that end with the same symbol.
    func step(_ node: Int32, _ other: Int32, _ symbol: Int32) -> Step {
        let next = hasStarts || hasForbidden ? others.step(other, symbol) : -1
        if hasStarts, let tag = others.tag(next) { return Self.end(tag) }
        let place = markers.step(node, symbol)
        if let tag = markers.tag(place) { return Self.end(tag) }
        if hasForbidden, others.tag(next) != nil { return .impossible }
        if symbol >= 256, place == 0, next <= 0 { return .impossible }
        return .text(node: place, other: next)
    }

    private static func end(_ tag: LexemeTag) -> Step { tag == Tags.forbidden ? .impossible : .marker(tag) }

    /// The tokens that are no text and with which a marker may go on.
    func tokens(_ node: Int32, _ other: Int32) -> [Int32] {
        var symbols = Set(markers.symbols(node))
        if hasStarts { symbols.formUnion(others.symbols(other)) }
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
