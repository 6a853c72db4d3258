import EngineContract
import Scheduling
import Support
import Synchronization

/// A store in memory, for the blocks of a scripted engine. It takes its time, and `failures` percent of the blocks asked for
/// turn out to be damaged.
final class MemoryStore: BlockStore {
    private struct State {
        var blocks: [String: [UInt8]] = [:]
        var numbers: SeededGenerator
        var readCount = 0
        var uses: [String] = []
    }

    let capacity: Int
    private let failures: Int
    private let state: Mutex<State>

    init(capacity: Int = .max, failures: Int = 0, seed: UInt64 = 1) {
        self.capacity = capacity
        self.failures = failures
        state = Mutex(State(numbers: SeededGenerator(seed: seed)))
    }

    /// Blocks read.
    var readCount: Int { state.withLock { $0.readCount } }
    /// The names of blocks in the order in which they counted as used last.
    var lastUses: [String] {
        var seen: Set<String> = []
        return state.withLock { $0.uses.reversed().filter { seen.insert($0).inserted }.reversed() }
    }
    var names: Set<String> { state.withLock { Set($0.blocks.keys) } }

    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        (parent.map { $0 + "|" } ?? "") + tokens.map(String.init).joined(separator: ",")
    }

    func contains(_ name: String) -> Bool { state.withLock { $0.blocks[name] != nil } }

    func use(_ name: String) -> Bool {
        state.withLock { state in
            state.uses.append(name)
            return state.blocks[name] != nil
        }
    }

    func read(_ blocks: [StoredBlock]) async -> [[UInt8]] {
        for _ in 0..<state.withLock({ Int.random(in: 0..<6, using: &$0.numbers) }) { await Task.yield() }
        return state.withLock { state in
            var result: [[UInt8]] = []
            for block in blocks {
                if Int.random(in: 0..<100, using: &state.numbers) < failures { state.blocks[block.name] = nil }
                guard let contents = state.blocks[block.name] else { break }
                result.append(contents)
            }
            state.readCount += result.count
            return result
        }
    }

    func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool {
        state.withLock { $0.blocks[block.name] = contents }
        return true
    }

    func contents(of block: StoredBlock) -> [UInt8]? { state.withLock { $0.blocks[block.name] } }

    /// Puts the full blocks of a text in, as a scripted engine would have them.
    func add(_ text: [Token], blockSize: Int) {
        var parent: String?
        for start in stride(from: 0, through: text.count - blockSize, by: blockSize) {
            let tokens = text[start..<(start + blockSize)]
            let name = name(after: parent, tokens)
            state.withLock { $0.blocks[name] = tokens.withUnsafeBytes(Array.init) }
            parent = name
        }
    }
}
