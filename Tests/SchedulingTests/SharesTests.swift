import EngineContract
import Scheduling
import Testing

/// What clients get of seats and memory when one of them took all there was.
@Suite(.timeLimit(.minutes(5))) struct SharesTests {
    private let script = Script()

    /// Runs long sessions of one client, and those of another that come when all of these have seats.
    /// - Returns: how many sessions of each were in the steps since.
    private func steps(
        blocks: Int,
        seats: Int,
        first: [GenerationRequest],
        then: [GenerationRequest]
    ) async throws -> [(first: Int, then: Int)] {
        var configuration = SchedulerConfiguration()
        configuration.maxRunningSessions = seats
        let engine = GatedEngine(.make(blocks: blocks))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for request in first + then {
            if generations.count == first.count {
                // The first step may have begun before the last of them came.
                await engine.stepArrives()
                await engine.pass()
                await engine.stepArrives()
            }
            generations.append(try await scheduler.submit(request))
        }
        #expect(await scheduler.statistics().sessionsRunning == min(seats, first.count))
        await engine.open()
        for (generation, request) in zip(generations, first + then) {
            let tokens = await generation.collect().tokens
            #expect(tokens == script.answer(to: request.prompt, count: request.maxTokens))
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        let own = Set(generations.prefix(first.count).map(\.id))
        return await engine.history.dropFirst().map { step in
            let count = step.keys.count { own.contains($0) }
            return (count, step.count - count)
        }
    }

    private func requests(_ count: Int, client: String, prompt: Int = 4, answer: Int) -> [GenerationRequest] {
        (0..<count).map { index in
            let first = Token(client == "a" ? index : 500 + index)
            return .make([first] + Array(repeating: Token(3), count: prompt - 1), answer, client: client)
        }
    }

    @Test("A client that holds all seats for long gives half of them to another, and no more")
    func seats() async throws {
        let steps = try await steps(
            blocks: 400,
            seats: 4,
            first: requests(4, client: "a", answer: 300),
            then: requests(6, client: "b", answer: 50)
        )
        #expect(steps.allSatisfy { $0.first + $0.then <= 4 })
        // Some steps are of running answers alone.
        let begin = try #require(steps.firstIndex { $0.then > 0 })
        #expect(begin < 30)
        try #require(steps.count >= begin + 100)
        #expect(steps[begin..<(begin + 100)].map(\.then).max() == 2)
        #expect(steps[begin..<(begin + 100)].map(\.first).min() == 2)
    }

    @Test("Who would get no more than the others have takes nobody's seat")
    func equals() async throws {
        let steps = try await steps(
            blocks: 400,
            seats: 1,
            first: requests(2, client: "a", answer: 20),
            then: requests(2, client: "b", answer: 5)
        )
        #expect(steps.map(\.first) == Array(repeating: 1, count: 39) + Array(repeating: 0, count: 10))
    }

    @Test("A client whose sessions hold all memory gives some to another")
    func memory() async throws {
        let steps = try await steps(
            blocks: 16,
            seats: 8,
            first: requests(4, client: "a", prompt: 40, answer: 60),
            then: requests(1, client: "b", prompt: 80, answer: 30)
        )
        let begin = try #require(steps.firstIndex { $0.then > 0 })
        let end = try #require(steps.lastIndex { $0.then > 0 })
        #expect(begin < 30 && end < steps.count - 1)
    }
}
