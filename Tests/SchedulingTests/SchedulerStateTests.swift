import EngineContract
import Testing

@testable import Scheduling

/// Decisions without an engine: each test takes the turns itself.
@Suite struct SchedulerStateTests {
    private func state(_ configuration: SchedulerConfiguration = .init()) -> SchedulerState {
        SchedulerState(.make(blocks: 100, blockSize: 4), configuration: configuration, stored: nil)
    }

    private func session(_ id: UInt64, _ prompt: [Token], client: String = "c", maxTokens: Int = 100) -> Session {
        Session(
            id: SessionID(id),
            request: .make(prompt, maxTokens, client: client),
            channel: TokenChannel(window: 256, resumeScheduling: {}, endSession: { _ in }),
            room: 200,
            blockSize: 4
        )
    }

    private func next(_ state: inout SchedulerState) throws -> Step {
        let step = state.schedule()
        return try #require(step)
    }

    @Test("A turn schedules a prompt, then one token and its drafts; rejected drafts leave no block behind")
    func turns() throws {
        var state = state()
        let session = session(1, [1, 2, 3, 1, 2, 3, 1])
        state.add(session)
        let prompt = try next(&state)
        #expect(prompt.entries.map(\.tokens) == [[1, 2, 3, 1, 2, 3, 1]] && prompt.entries[0].samples)
        state.update(from: StepResult(samples: [[2]]), of: prompt)
        // The next token is known, and four are drafted: those need a third block.
        let decode = try next(&state)
        #expect(decode.entries.map(\.tokens) == [[2, 3, 1, 2, 3]] && decode.entries[0].draftCount == 4)
        #expect(decode.entries[0].startPosition == 7 && decode.entries[0].sampleIndex == 1)
        #expect(session.sequence.blocks.count == 3 && state.kv.pool.referencedCount == 3)
        // The first draft is right, the second is not.
        state.update(from: StepResult(samples: [[3, 9, 7, 7, 7]]), of: decode)
        #expect(session.sequence.tokens == [1, 2, 3, 1, 2, 3, 1, 2, 3, 9] && session.sequence.computed == 9)
        #expect(state.statistics.draftedTokensTotal == 4 && state.statistics.acceptedTokensTotal == 1)
        #expect(state.statistics.tokensGeneratedTotal == 3 && state.problem == nil)
        // Ten tokens take three blocks; where all drafts fail at a border, the block for them goes back.
        #expect(state.kv.pool.referencedCount == 3)
        state.finish(session, .cancelled)
        #expect(state.kv.pool.referencedCount == 0 && state.sessions.isEmpty && state.schedule() == nil)
    }

    @Test("The block that only drafts needed is given back as soon as they are rejected")
    func draftBlocks() throws {
        var state = state()
        let session = session(1, [1, 2, 1, 2, 1])
        state.add(session)
        state.update(from: StepResult(samples: [[2]]), of: try next(&state))
        let decode = try next(&state)
        #expect(decode.entries[0].draftCount == 4 && session.sequence.blocks.count == 3)
        state.update(from: StepResult(samples: [[9]]), of: decode)
        #expect(session.sequence.tokens.count == 7 && session.sequence.blocks.count == 2)
        #expect(state.kv.pool.referencedCount == 2 && state.problem == nil)
    }

    @Test("A result of the wrong shape ends the sessions that it concerns")
    func malformedResults() throws {
        for (samples, count) in [([], 0), ([[1], [1]], 0), ([[]], 0), ([[1, 2]], 0), ([[1]], 1)] as [([[Token]], Int)] {
            var state = state()
            state.add(session(1, [1, 2, 3]))
            state.update(from: StepResult(samples: samples), of: try next(&state))
            #expect(state.sessions.count == count && state.problem == nil, "\(samples)")
        }
    }

    @Test("A session gives way to another client's only if its client has at least two more")
    func shares() {
        var state = state()
        for (id, client) in [(1, "a"), (2, "b"), (3, "a")] as [(UInt64, String)] {
            state.add(session(id, [Token(id)], client: client))
        }
        state.admitWaiting()
        #expect(state.running.count == 3 && state.youngestOfLargestClient(besides: "b") == nil)
        #expect(state.youngestOfLargestClient(besides: "new")?.id == SessionID(3))
        state.add(session(4, [4], client: "a"))
        state.admitWaiting()
        #expect(state.youngestOfLargestClient(besides: "b")?.id == SessionID(4))
        #expect(state.youngestOfLargestClient(besides: "a") == nil)
    }

    @Test("A session whose reader reads slowly is kept, and one whose reader reads nothing is not")
    func stalledReaders() throws {
        var configuration = SchedulerConfiguration()
        configuration.readerStallLimit = .seconds(60)
        var state = state(configuration)
        let (slow, stalled, recent) = (session(1, [1]), session(2, [2]), session(3, [3]))
        let now = ContinuousClock.now
        for (session, unread, age) in [(slow, 5, 61), (stalled, 4, 61), (recent, 4, 30)] {
            state.add(session)
            for token in 0..<4 as Range<Token> { session.channel.send(token) }
            session.pause = Session.Pause(since: now - .seconds(age), unread: unread)
        }
        let looked = state.finishStalled()
        let next = try #require(looked)
        #expect(state.sessions.keys.sorted() == [SessionID(1), SessionID(3)])
        // The one that reads has its whole time again, the other what is left of it.
        #expect(slow.pause?.unread == 4 && next >= now + .seconds(29) && next <= now + .seconds(31))
        #expect(try #require(slow.pause?.since) >= now)
    }

    /// What was to be read from the store since this was last called.
    private func reads(of state: inout SchedulerState) -> [BlockRead] {
        state.takeEvents().compactMap { event -> BlockRead? in
            guard case .readBlocks(let read) = event else { return nil }
            return read
        }
    }

    @Test("A preempted answer waits for a state from the store also where one token is left after it")
    func preemptedNearStoredState() throws {
        let store = MemoryStore()
        let description = EngineDescription.make(blocks: 100, blockSize: 4, stateSlots: 8)
        let engine = ScriptedEngine(description: description, script: { _ in 0 })
        let stored = StoredBlocks(engine: engine, store: store)
        var state = SchedulerState(description, configuration: .init(), stored: stored)
        let session = session(1, (0..<10).map { Token($0) })
        state.add(session)
        for token in 50..<53 as Range<Token> {
            state.update(from: StepResult(samples: [[token]]), of: try next(&state))
        }
        // Of what was computed, only the store has anything: three blocks, and the state at their end.
        state.preempt(session)
        let cached = state.kv.pool.evictableBlocks
        state.kv.evict(cached)
        store.add(session.sequence.tokens, blockSize: 4, statesAfter: [3])

        let first = state.schedule()
        let firstReads = reads(of: &state)
        let ofBlocks = try #require(firstReads.first)
        #expect(first == nil && ofBlocks.blocks.count == 3 && !ofBlocks.isOfState)
        let prepared = state.prepareRestoring(ofBlocks, ofBlocks.blocks.compactMap { store.contents(of: $0) })
        #expect(prepared?.blocks.count == 3)
        state.finishRestoring(session, blocks: 3)
        state.endRead(ofBlocks)
        #expect(session.sequence.remaining == 1)

        let second = state.schedule()
        let secondReads = reads(of: &state)
        let ofState = try #require(secondReads.first)
        #expect(second == nil && ofState.isOfState)
        let slot = state.prepareRestoringState(ofState)?.slot
        state.finishRestoringState(session)
        state.endRead(ofState)
        let step = try next(&state)
        #expect(step.entries[0].tokens == [52] && step.entries[0].startPosition == 12)
        #expect(slot != nil && step.entries[0].state?.source == slot && state.problem == nil)
    }
}
