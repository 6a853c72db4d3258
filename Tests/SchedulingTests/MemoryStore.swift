import EngineContract
import Scheduling
import Support
import Synchronization

/// A store in memory, for the blocks and states of a scripted engine. It takes its time, and `failures` percent of what is
/// asked for turns out to be damaged.
final class MemoryStore: BlockStore {
    private struct Key: Hashable {
        var part: StoredPart
        var name: String
    }

    private struct State {
        var parts: [Key: [UInt8]] = [:]
        var numbers: SeededGenerator
        var reads: [StoredPart] = []
        var uses: [Key] = []
        var damaged: Set<Key> = []
        var isHung = false
        var hung: [CheckedContinuation<Void, Never>] = []
    }

    /// In parts, whatever their size.
    let capacity: Int
    private let failures: Int
    private let state: Mutex<State>

    init(capacity: Int = .max, failures: Int = 0, seed: UInt64 = 1) {
        self.capacity = capacity
        self.failures = failures
        state = Mutex(State(numbers: SeededGenerator(seed: seed)))
    }

    /// Blocks read.
    var readCount: Int { state.withLock { $0.reads.count { $0 == .block } } }
    var stateReadCount: Int { state.withLock { $0.reads.count { $0 == .state } } }
    /// The names of blocks in the order in which they counted as used last.
    var lastUses: [String] {
        var seen: Set<Key> = []
        let uses = state.withLock { $0.uses.reversed().filter { seen.insert($0).inserted } }
        return uses.reversed().filter { $0.part == .block }.map(\.name)
    }
    var names: Set<String> { names(of: .block) }
    var stateNames: Set<String> { names(of: .state) }

    private func names(of part: StoredPart) -> Set<String> {
        state.withLock { Set($0.parts.keys.filter { $0.part == part }.map(\.name)) }
    }

    func bytes(of part: StoredPart) -> Int { 1 }

    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        (parent.map { $0 + "|" } ?? "") + tokens.map(String.init).joined(separator: ",")
    }

    func contains(_ part: StoredPart, of name: String) -> Bool {
        state.withLock { $0.parts[Key(part: part, name: name)] != nil }
    }

    func use(_ part: StoredPart, of name: String) -> Bool {
        state.withLock { state in
            state.uses.append(Key(part: part, name: name))
            return state.parts[Key(part: part, name: name)] != nil
        }
    }

    /// From now on nothing is read or written, like on a disk that does not answer.
    func hang() { state.withLock { $0.isHung = true } }

    /// Goes on with what hangs.
    func goOn() {
        let hung = state.withLock { state in
            defer { (state.isHung, state.hung) = (false, []) }
            return state.hung
        }
        for continuation in hung { continuation.resume() }
    }

    private func waitForDisk() async {
        await withCheckedContinuation { continuation in
            let hangs = state.withLock { state in
                if state.isHung { state.hung.append(continuation) }
                return state.isHung
            }
            if !hangs { continuation.resume() }
        }
    }

    func read(_ blocks: [StoredBlock]) async -> [[UInt8]] {
        await waitForDisk()
        for _ in 0..<state.withLock({ Int.random(in: 0..<6, using: &$0.numbers) }) { await Task.yield() }
        return state.withLock { state in
            var result: [[UInt8]] = []
            for block in blocks {
                let key = Key(part: block.part, name: block.name)
                if Int.random(in: 0..<100, using: &state.numbers) < failures || state.damaged.contains(key) {
                    state.parts[key] = nil
                }
                guard let contents = state.parts[key] else { break }
                result.append(contents)
            }
            state.reads += blocks.prefix(result.count).map(\.part)
            return result
        }
    }

    func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool {
        await waitForDisk()
        state.withLock { $0.parts[Key(part: block.part, name: block.name)] = contents }
        return true
    }

    func contents(of block: StoredBlock) -> [UInt8]? {
        state.withLock { $0.parts[Key(part: block.part, name: block.name)] }
    }

    /// Lets a part be found, but not read.
    func damage(_ part: StoredPart, of name: String) {
        state.withLock { _ = $0.damaged.insert(Key(part: part, name: name)) }
    }

    /// Puts the full blocks of a text in, as a scripted engine would have them, and states after some blocks.
    /// - Parameter borders: after how many blocks.
    func add(_ text: [Token], blockSize: Int, statesAfter borders: Set<Int> = []) {
        var parent: String?
        for start in stride(from: 0, through: text.count - blockSize, by: blockSize) {
            let end = start + blockSize
            let name = name(after: parent, text[start..<end])
            state.withLock { state in
                state.parts[Key(part: .block, name: name)] = text[start..<end].withUnsafeBytes(Array.init)
                guard borders.contains(end / blockSize) else { return }
                state.parts[Key(part: .state, name: name)] = text[..<end].withUnsafeBytes(Array.init)
            }
            parent = name
        }
    }
}
