/// Which of some markers a text has begun, symbol by symbol, as states of a deterministic automaton.
struct MarkerAutomaton: Sendable {
    /// The white space that may stand within a marker, between its symbols.
    enum Spacing: Sendable {
        /// Only its own.
        case exact
        /// Where the marker has some, and between two signs, any that `mostSpace` allows, or none: as answers are read.
        case asRead
        /// Anywhere, any.
        case any
    }

    /// White space that is passed over within a marker, at each place.
    private static let mostSpace = 32
    /// More states than any model's markers need.
    private static let mostStates = 20_000

    /// A place in a marker, and the white space before it that was passed over.
    private struct Position: Hashable, Comparable {
        var marker: Int32
        var place: Int32
        var spaces: Int32

        static func < (left: Position, right: Position) -> Bool {
            (left.marker, left.place, left.spaces) < (right.marker, right.place, right.spaces)
        }
    }

    private struct Pattern: Sendable {
        var symbols: [Int32] = []
        /// For each symbol, whether white space may stand before it.
        var allowsSpace: [Bool] = []
        var tag: LexemeTag
    }

    private struct State: Sendable {
        /// Where symbols lead that a marker goes on with.
        var next: [Int32: Int32] = [:]
        /// Where white space leads.
        var space: Int32?
        var tag: LexemeTag?
    }

    private let spacing: Spacing
    /// Whether a marker may begin anywhere, or only where the text does.
    private let restarts: Bool
    private var patterns: [Pattern] = []
    private var states: [State] = []
    private var ids: [[Position]: Int32] = [:]

    /// State 0 is where nothing of a marker has been read.
    init(_ markers: [MarkerFinder.Marker], _ spacing: Spacing, restarts: Bool) {
        self.spacing = spacing
        self.restarts = restarts
        for marker in markers {
            let pattern = Self.pattern(marker, spacing)
            if !pattern.symbols.isEmpty { patterns.append(pattern) }
        }
        build()
    }

    private static func pattern(_ marker: MarkerFinder.Marker, _ spacing: Spacing) -> Pattern {
        var pattern = Pattern(tag: marker.tag)
        var followsSpace = false
        for symbol in marker.symbols {
            if spacing != .exact, MarkerFinder.isSpace(symbol) {
                followsSpace = true
                continue
            }
            let isBetweenSigns = pattern.symbols.last.map { !isWord($0) && !isWord(symbol) } ?? false
            let isInside = !pattern.symbols.isEmpty
            pattern.allowsSpace.append(
                spacing == .any || spacing == .asRead && isInside && (followsSpace || isBetweenSigns)
            )
            pattern.symbols.append(symbol)
            followsSpace = false
        }
        return pattern
    }

    /// Whether a symbol is a letter, a digit or an underscore; all that is not ASCII counts as letters, a token as a sign.
    private static func isWord(_ symbol: Int32) -> Bool {
        switch symbol {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80..<0x100: true
        default: false
        }
    }

    private mutating func build() {
        let starts = patterns.indices.map { Position(marker: Int32($0), place: 0, spaces: 0) }
        var pending = [starts]
        ids[starts] = 0
        states = [State()]
        var index = 0
        while index < pending.count {
            let positions = pending[index]
            if states[index].tag == nil {
                for symbol in Set(positions.map { patterns[Int($0.marker)].symbols[Int($0.place)] }) {
                    states[index].next[symbol] = id(after(positions, symbol, starts), &pending)
                }
                states[index].space = id(afterSpace(positions, starts), &pending)
            }
            index += 1
        }
        ids = [:]
    }

    /// The positions after a symbol of a marker.
    private func after(_ positions: [Position], _ symbol: Int32, _ starts: [Position]) -> [Position] {
        var result = restarts ? starts : []
        for position in positions where patterns[Int(position.marker)].symbols[Int(position.place)] == symbol {
            result.append(Position(marker: position.marker, place: position.place + 1, spaces: 0))
        }
        return result.sorted()
    }

    private func afterSpace(_ positions: [Position], _ starts: [Position]) -> [Position] {
        var result = Set(restarts ? starts : [])
        for position in positions {
            var position = position
            if position.place > 0, spacing != .any {
                let isAllowed = patterns[Int(position.marker)].allowsSpace[Int(position.place)]
                guard isAllowed, position.spaces < Self.mostSpace else { continue }
                position.spaces += 1
            }
            result.insert(position)
        }
        return result.sorted()
    }

    /// - Returns: the state of some positions; -1 for none.
    private mutating func id(_ positions: [Position], _ pending: inout [[Position]]) -> Int32 {
        if positions.isEmpty { return -1 }
        if let known = ids[positions] { return known }
        guard states.count < Self.mostStates else { return restarts ? 0 : -1 }
        let id = Int32(states.count)
        ids[positions] = id
        pending.append(positions)
        // The longest marker that ends here, and of equal ones the first.
        var (tag, length): (LexemeTag?, Int) = (nil, 0)
        for position in positions {
            let pattern = patterns[Int(position.marker)]
            guard pattern.symbols.count == Int(position.place), pattern.symbols.count > length else { continue }
            (tag, length) = (pattern.tag, pattern.symbols.count)
        }
        states.append(State(tag: tag))
        return id
    }

    /// The state after one more symbol; -1 if no marker can come any more.
    func step(_ state: Int32, _ symbol: Int32) -> Int32 {
        guard state >= 0 else { return -1 }
        if let next = states[Int(state)].next[symbol] { return next }
        if spacing != .exact, MarkerFinder.isSpace(symbol) { return states[Int(state)].space ?? 0 }
        return restarts ? 0 : -1
    }

    /// The tag of the marker that ends in a state.
    func tag(_ state: Int32) -> LexemeTag? { state < 0 ? nil : states[Int(state)].tag }

    /// The symbols that markers go on with.
    func symbols(_ state: Int32) -> [Int32] { state < 0 ? [] : Array(states[Int(state)].next.keys) }
}
