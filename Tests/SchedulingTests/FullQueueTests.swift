import EngineContract
import Scheduling
import Testing

/// Who gives way when the queue is full.
@Suite(.timeLimit(.minutes(5))) struct FullQueueTests {
    private let engine = GatedEngine(.make(blocks: 100))

    private func scheduler(running: Int = 1, waiting: Int) -> Scheduler {
        var configuration = SchedulerConfiguration()
        configuration.maxRunningSessions = running
        configuration.maxWaitingSessions = waiting
        return Scheduler(engine: engine, configuration: configuration)
    }

    /// Submits sessions of these clients, one letter each; the first steps are at the gate once the seats are taken.
    private func submit(_ clients: String, to scheduler: Scheduler) async throws -> [Generation] {
        var generations: [Generation] = []
        for (index, client) in clients.enumerated() {
            generations.append(try await scheduler.submit(.make([Token(index)], 2, client: String(client))))
            if index == 0 { await engine.stepArrives() }
        }
        return generations
    }

    private func reasons(_ generations: [Generation]) async -> [FinishReason?] {
        await engine.open()
        var result: [FinishReason?] = []
        for generation in generations { result.append(await generation.collect().summary?.reason) }
        return result
    }

    @Test("One client cannot keep the others out: its newest sessions make room until all have as many")
    func newestOfTheMost() async throws {
        let scheduler = scheduler(waiting: 4)
        let many = try await submit("aaaaa", to: scheduler)
        await #expect(throws: AdmissionError.queueFull(retryAfterSeconds: 2)) {
            try await scheduler.submit(.make([9], 2, client: "a"))
        }
        var others: [Generation] = []
        for _ in 0..<2 { others.append(try await scheduler.submit(.make([8], 2, client: "b"))) }
        // Each has two now.
        await #expect(throws: AdmissionError.self) { try await scheduler.submit(.make([8], 2, client: "b")) }
        await #expect(throws: AdmissionError.self) { try await scheduler.submit(.make([8], 2, client: "a")) }
        others.append(try await scheduler.submit(.make([7], 2, client: "c")))
        #expect(await scheduler.statistics().sessionsWaiting == 4)
        // The newest of those with two is b's second.
        #expect(many.map(\.finishReason) == [nil, nil, nil, .displaced, .displaced])
        #expect(others.map(\.finishReason) == [nil, .displaced, nil])
        #expect(await reasons([many[0], many[1], many[2], others[0], others[2]]).allSatisfy { $0 == .maxTokens })
        #expect(await many[4].collect().summary?.reason == .displaced)
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
    }

    @Test("Of two that would only change places, the one that has more running gives way")
    func changingPlaces() async throws {
        let scheduler = scheduler(waiting: 1)
        let greedy = try await submit("aa", to: scheduler)
        let modest = try await scheduler.submit(.make([5], 2, client: "b"))
        #expect(greedy.map(\.finishReason) == [nil, .displaced])
        // And not back again.
        await #expect(throws: AdmissionError.self) { try await scheduler.submit(.make([6], 2, client: "a")) }
        await #expect(throws: AdmissionError.self) { try await scheduler.submit(.make([6], 2, client: "c")) }
        #expect(await reasons([greedy[0], modest]) == [.maxTokens, .maxTokens])
    }

    @Test("A session that waits for its turn is told when it comes, and when it never will")
    func turns() async throws {
        let scheduler = scheduler(waiting: 2)
        let sessions = try await submit("aaa", to: scheduler)
        await sessions[0].waitForStart(atMost: .seconds(3600))
        #expect(sessions[0].finishReason == nil)
        await sessions[1].waitForStart(atMost: .milliseconds(5))
        #expect(sessions[1].finishReason == nil)
        async let told: Void = sessions[2].waitForStart(atMost: .seconds(3600))
        let other = try await scheduler.submit(.make([5], 2, client: "b"))
        await told
        #expect(sessions[2].finishReason == .displaced)
        async let begun: Void = other.waitForStart(atMost: .seconds(3600))
        await engine.open()
        await begun
        #expect(await other.collect().tokens.count == 2)
    }
}
