import EngineContract
import Synchronization

/// What sessions with one grammar and one vocabulary share: the automaton as far as it is built, and masks.
final class ConstraintTables: Sendable {
    struct Tables: Sendable {
        /// Forced tokens that are known by heart.
        private static let mostRuns = 4096
        /// Tokens and bytes that are forced at once.
        private static let (mostForced, mostForcedBytes) = (256, 2048)

        var automaton: Automaton
        var masks: MaskMaker
        private var runs: [Configuration: [Token]] = [:]

        init(automaton: Automaton, masks: MaskMaker) {
            self.automaton = automaton
            self.masks = masks
        }

        var approximateBytes: Int {
            automaton.approximateBytes + masks.approximateBytes + runs.values.reduce(0) { $0 + $1.count * 4 + 64 }
        }

        /// The tokens that must come next: the bytes that must, cut as the tokenizer does. Where a token could go on beyond
        /// them, the choice is open.
        mutating func forced(_ configurations: [Configuration], _ vocabulary: Vocabulary) -> [Token] {
            guard let first = automaton.onlySymbol(configurations) else { return [] }
            let key = configurations.count == 1 ? configurations[0] : nil
            if let key, let known = runs[key] { return known }
            let result = run(configurations, first, vocabulary)
            if let key {
                if runs.count >= Self.mostRuns { runs.removeAll(keepingCapacity: true) }
                runs[key] = result
            }
            return result
        }

        private mutating func run(
            _ configurations: [Configuration],
            _ first: Automaton.Symbol,
            _ vocabulary: Vocabulary
        ) -> [Token] {
            var (tokens, bytes): ([Token], [UInt8]) = ([], [])
            var last = configurations
            var symbol: Automaton.Symbol? = first
            while let next = symbol, bytes.count < Self.mostForcedBytes, tokens.count < Self.mostForced {
                switch next {
                case .byte(let byte):
                    bytes.append(byte)
                    last = automaton.step(last, byte)
                case .special(let token):
                    tokens += vocabulary.tokens(of: bytes, isWhole: true)
                    bytes.removeAll()
                    tokens.append(token)
                    last = automaton.step(last, special: token)
                }
                symbol = automaton.onlySymbol(last)
            }
            return tokens + vocabulary.tokens(of: bytes, isWhole: last == [.end])
        }
    }

    let vocabulary: Vocabulary
    private let tables: Mutex<Tables>
    let start: [Configuration]
    private let grammar: Grammar
    private let limits: TableLimits
    /// Where sessions go on when these tables have grown to a bound.
    private let next = Mutex<ConstraintTables?>(nil)

    init(_ grammar: Grammar, _ vocabulary: Vocabulary, _ limits: TableLimits = TableLimits()) {
        self.grammar = grammar
        self.vocabulary = vocabulary
        self.limits = limits
        var automaton = Automaton(grammar, limits)
        start = automaton.start
        let masks = MaskMaker(vocabulary, &automaton)
        tables = Mutex(Tables(automaton: automaton, masks: masks))
    }

    func withTables<Result: Sendable>(_ body: (inout Tables) -> Result) -> Result {
        tables.withLock { body(&$0) }
    }

    var approximateBytes: Int { withTables { $0.approximateBytes } }

    /// Whether a bound is near: sessions go on in `successor`.
    var isWornOut: Bool { withTables { $0.automaton.isWornOut } }

    /// The newest tables that all sessions move to.
    private func successor() -> ConstraintTables {
        next.withLock { next in
            if let known = next, !known.isWornOut { return known }
            let made = ConstraintTables(grammar, vocabulary, limits)
            next = made
            return made
        }
    }

    /// A session's readings in tables that have room left.
    func moved(_ configurations: [Configuration]) -> (tables: ConstraintTables, configurations: [Configuration]) {
        let new = successor()
        let adopted = withTables { old in new.withTables { $0.automaton.adopt(configurations, from: old.automaton) } }
        return (new, adopted)
    }
}
