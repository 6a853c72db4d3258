import EngineContract
import Scheduling
import Support

/// A scripted engine that checks every step it is given, takes its time, and fails now and then for one session or all,
/// leaving wrong contents where these would have written.
actor HostileEngine: InferenceEngine, BlockTransfer {
    nonisolated let description: EngineDescription
    private let engine: ScriptedEngine
    private let budget: Int
    private let seats: Int
    /// Of a hundred steps, how many fail, and of a hundred sessions' shares.
    private let failures: Int
    private var numbers: SeededGenerator
    /// What was wrong with the steps.
    private(set) var complaints: [String] = []

    init(_ description: EngineDescription, script: Script, budget: Int, seats: Int, failures: Int, seed: UInt64) {
        self.description = description
        // Drafts that are right, that are wrong, and that are no tokens.
        engine = ScriptedEngine(
            description: description,
            drafts: { $0.count % 5 < 3 ? script.next($0) : $0.count % 5 == 3 ? 0 : 10_000 },
            script: script.next
        )
        self.budget = budget
        self.seats = seats
        self.failures = failures
        numbers = SeededGenerator(seed: seed)
    }

    func step(_ step: Step) async throws(EngineError) -> StepResult {
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { await Task.yield() }
        check(step)
        var spoilt = step
        var failed: [Int: EngineError] = [:]
        let failsWhole = Int.random(in: 0..<100, using: &numbers) < failures
        for (index, entry) in step.entries.enumerated() {
            guard failsWhole || Int.random(in: 0..<100, using: &numbers) < failures else { continue }
            spoilt.entries[index].tokens = entry.tokens.map { _ in 0 }
            failed[index] = EngineError("hostile to \(entry.session)")
        }
        var result = try await engine.step(spoilt)
        if failsWhole { throw EngineError("hostile") }
        result.failures.merge(failed) { $1 }
        return result
    }

    nonisolated var blockIdentity: String { engine.blockIdentity }
    nonisolated var blockBytes: Int { engine.blockBytes }

    func contents(of block: BlockIndex) async throws(EngineError) -> [UInt8] { await engine.contents(of: block) }

    func restore(_ blocks: [RestoredBlock]) async throws(EngineError) {
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { await Task.yield() }
        if Int.random(in: 0..<100, using: &numbers) < failures { throw EngineError("hostile") }
        try await engine.restore(blocks)
    }

    func contents(ofState slot: StateSlot) async throws(EngineError) -> [UInt8] { await engine.contents(ofState: slot) }

    func restore(state slot: StateSlot, _ contents: [UInt8]) async throws(EngineError) {
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { await Task.yield() }
        if Int.random(in: 0..<100, using: &numbers) < failures { throw EngineError("hostile") }
        await engine.restore(state: slot, contents)
    }

    func release(_ blocks: [BlockIndex]) async {
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { await Task.yield() }
        await engine.release(blocks)
    }

    func release(states: [StateSlot]) async {
        for _ in 0..<Int.random(in: 0..<4, using: &numbers) { await Task.yield() }
        await engine.release(states: states)
    }

    /// Each slot may be written from one place, and not read by others then.
    private func checkStates(_ step: Step, _ expect: (Bool, @autoclosure () -> String) -> Void) {
        let count = description.stateMemory?.slotCount ?? 0
        var written: Set<StateSlot> = []
        for entry in step.entries {
            guard let state = entry.state else {
                expect(count == 0, "\(entry.session): no state")
                continue
            }
            expect((state.source == nil) == (entry.startPosition == 0), "\(entry.session): begins from \(state)")
            for slot in state.written {
                expect(0..<count ~= Int(slot), "\(entry.session): no such state slot")
                expect(written.insert(slot).inserted, "\(entry.session): a state slot is written twice")
            }
            let after = state.snapshots.map(\.tokens)
            expect(after == after.sorted(), "\(entry.session): snapshots out of order")
            let known = entry.tokens.count - entry.draftCount
            expect(entry.draftCount == 0 || after.contains(known), "\(entry.session): no snapshot before its drafts")
            expect(after.allSatisfy { 1...entry.tokens.count ~= $0 }, "\(entry.session): a snapshot beyond its tokens")
        }
        for entry in step.entries {
            guard let state = entry.state, let source = state.source, source != state.slot else { continue }
            expect(!written.contains(source), "\(entry.session): reads a state that is being written")
        }
    }

    private func check(_ step: Step) {
        func expect(_ condition: Bool, _ complaint: @autoclosure () -> String) {
            if !condition { complaints.append(complaint()) }
        }
        checkStates(step, expect)
        expect(!step.entries.isEmpty, "an empty step")
        expect(step.tokenCount <= budget, "\(step.tokenCount) tokens in a step")
        expect(step.entries.count <= seats, "\(step.entries.count) sessions in a step")
        expect(Set(step.entries.map(\.session)).count == step.entries.count, "a session twice in a step")
        let size = description.blockSize
        var written: Set<BlockIndex> = []
        for entry in step.entries {
            // Behind the window there may be nothing; in it there must be what was there before.
            let firstSeen = description.window.map { max(0, entry.startPosition + 1 - $0) } ?? 0
            let blocks = entry.blocks.dropFirst(firstSeen / size)
            let end = entry.startPosition + entry.tokens.count + entry.wantedDrafts
            expect(end <= description.contextLength, "\(entry.session): drafts beyond the context")
            expect(entry.wantedDrafts == 0 || description.drafter != nil, "\(entry.session): wants drafts of nothing")
            let isModel = description.drafter == .model
            expect(!entry.isFollowed || isModel, "\(entry.session): is followed by nothing")
            expect(entry.wantedDrafts == 0 || !isModel || entry.isFollowed, "\(entry.session): wants unfollowed drafts")
            let missed = entry.unfollowedStart..<entry.unfollowedStart + entry.unfollowed.count
            expect(missed.isEmpty || isModel && missed.upperBound <= entry.startPosition, "\(entry.session): \(missed)")
            expect(
                missed.isEmpty || !entry.isFollowed || missed.upperBound == entry.startPosition,
                "\(entry.session): is followed after \(missed)"
            )
            expect(Set(blocks).count == blocks.count, "\(entry.session): a block twice in its table")
            expect(blocks.allSatisfy { 0..<description.blockCount ~= Int($0) }, "\(entry.session): no such block")
            expect(!entry.tokens.isEmpty, "\(entry.session): no tokens")
            for block in entry.blocks.dropFirst(entry.startPosition / size) {
                expect(written.insert(block).inserted, "\(entry.session): a block is written twice")
            }
        }
        for entry in step.entries {
            let read = entry.blocks.prefix(entry.startPosition / size)
            expect(written.isDisjoint(with: read), "\(entry.session): reads what is being written")
        }
    }
}
