import EngineContract
import Scheduling
import Testing

/// What the drafts of an engine's own head change, and what they do not.
@Suite(.timeLimit(.minutes(5))) struct DraftHeadTests {
    private static let script = Script()

    /// Answers that never repeat themselves, so that the text itself gives no drafts.
    private static func answers(_ requests: [GenerationRequest]) -> [[Token]] {
        requests.map { script.answer(to: $0.prompt, count: $0.maxTokens) }
    }

    private static func requests(_ count: Int, tokens: Int) -> [GenerationRequest] {
        (0..<count).map { .make((0..<20).map { Token($0) } + [Token(100 + $0)], tokens) }
    }

    /// Runs requests with a head whose drafts are right if `isRight` says so of the text before them.
    private func run(
        _ requests: [GenerationRequest],
        stateSlots: Int? = nil,
        blocks: Int = 400,
        speculates: Bool = true,
        isRight: @escaping @Sendable ([Token]) -> Bool
    ) async throws -> DraftingRun {
        var description = EngineDescription.make(blocks: blocks, blockSize: 4, stateSlots: stateSlots)
        description.drafter = .head
        var configuration = SchedulerConfiguration()
        configuration.speculates = speculates
        return try await DraftingRun(requests, description, configuration, Self.script, isRight: isRight)
    }

    /// The steps in which each session has its prompt behind it, which takes two steps at most.
    private static func decoding(_ steps: [[SessionID: Int]]) -> [[SessionID: Int]] {
        var times: [SessionID: Int] = [:]
        return steps.filter { step in
            for session in step.keys { times[session, default: 0] += 1 }
            return step.keys.allSatisfy { times[$0] ?? 0 > 2 }
        }
    }

    @Test("A head that is always right gives four tokens a step, none beyond the end", arguments: [nil, 20] as [Int?])
    func right(stateSlots: Int?) async throws {
        let requests = Self.requests(1, tokens: 101)
        let result = try await run(requests, stateSlots: stateSlots) { _ in true }
        let (answers, steps, statistics) = (result.answers, result.steps, result.statistics)
        #expect(answers == Self.answers(requests))
        // The prompt, then drafts of one token, two, and three.
        #expect(steps.count <= 5 + 101 / 4)
        let counts = try #require(statistics.drafts[.head])
        #expect(counts.accepted == counts.drafted && counts.drafted > 70)
        #expect(statistics.tokensGeneratedTotal == 101)
        #expect(statistics.drafts[.text] == nil)
    }

    @Test("A head that is right now and then changes no token", arguments: [nil, 40] as [Int?], [1, 2, 4])
    func sometimes(stateSlots: Int?, sessions: Int) async throws {
        let requests = Self.requests(sessions, tokens: 150)
        let result = try await run(requests, stateSlots: stateSlots) { $0.count % 5 > 1 }
        #expect(result.answers == Self.answers(requests))
        let counts = try #require(result.statistics.drafts[.head])
        #expect(counts.accepted > 20 * sessions && counts.accepted < counts.drafted)
        #expect(result.steps.count < 130)
        #expect(Self.decoding(result.steps).allSatisfy { $0.values.reduce(0, +) <= 8 })
    }

    @Test("A head whose drafts do not pay is asked ever more seldom, and asked again when they do")
    func wrong() async throws {
        let requests = Self.requests(1, tokens: 2000)
        let wrong = try await run(requests, blocks: 600) { _ in false }
        let isRight = wrong.answers == Self.answers(requests)
        #expect(isRight)
        let counts = try #require(wrong.statistics.drafts[.head])
        #expect(counts.accepted == 0 && 10...60 ~= counts.drafted)
        let later = try await run(requests, blocks: 600) { $0.count > 1000 }
        let isSame = later.answers == wrong.answers
        #expect(isSame)
        #expect(try #require(later.statistics.drafts[.head]).accepted > 300)
    }

    @Test("Without speculation, and where many sessions run, nothing is drafted")
    func off() async throws {
        let one = Self.requests(1, tokens: 50)
        let alone = try await run(one, speculates: false) { _ in true }
        #expect(alone.answers == Self.answers(one) && alone.steps.count == 50 && alone.statistics.drafts.isEmpty)
        let requests = Self.requests(5, tokens: 50)
        let many = try await run(requests) { _ in true }
        #expect(many.answers == Self.answers(requests))
        #expect(Self.decoding(many.steps).allSatisfy { $0.count < 5 || $0.values.allSatisfy { $0 == 1 } })
    }

    @Test("Where text and head say the same, the longer draft is taken, and the head rests meanwhile")
    func both() async throws {
        var description = EngineDescription.make(blocks: 100)
        description.drafter = .head
        let looping: @Sendable ([Token]) -> Token = { Token($0.count % 6) }
        let engine = ScriptedEngine(description: description, keepsHistory: true, drafts: looping, script: looping)
        let scheduler = Scheduler(engine: engine)
        let generation = try await scheduler.submit(.make((0..<24).map { Token($0 % 6) }, 200))
        #expect(await generation.collect().tokens == (24..<224).map { Token($0 % 6) })
        let statistics = await scheduler.statistics()
        #expect(try #require(statistics.drafts[.text]).accepted > 150)
        #expect(statistics.drafts[.head]?.drafted ?? 0 <= 3)
        #expect(await engine.history.count <= 1 + 200 / 8 + 5)
    }

    @Test("A stop token among right drafts ends the answer there, and what a constraint refuses is not taken")
    func ends() async throws {
        var requests = Self.requests(1, tokens: 60)
        let answer = Self.answers(requests)[0]
        for end in 20..<26 {
            requests[0].stopTokens = [answer[end]]
            let stopped = try await run(requests) { _ in true }
            #expect(stopped.answers == [Array(answer.prefix { $0 != answer[end] })])
        }
        requests[0].stopTokens = []
        let constraint = RandomConstraint(seed: 3, vocabulary: 1000, stopTokens: [], forced: 30)
        requests[0].constraint = constraint
        let held = try await run(requests) { _ in true }
        #expect(held.answers == [Self.script.answer(to: requests[0].prompt, count: 60, constraint: constraint)])
    }

    @Test("Where nothing may follow right drafts, that session fails alone", arguments: [nil, 40] as [Int?])
    func deadEnd(stateSlots: Int?) async throws {
        var requests = Self.requests(2, tokens: 60)
        for length in 12..<18 {
            requests[0].constraint = Countdown(left: length)
            let result = try await run(requests, stateSlots: stateSlots) { _ in true }
            #expect(result.answers == [Array(Self.answers(requests)[0].prefix(length)), Self.answers(requests)[1]])
        }
    }

    @Test("In a pool that holds little more than the sessions, drafts take no block from them")
    func tightPool() async throws {
        let requests = Self.requests(3, tokens: 40)
        let result = try await run(requests, blocks: 17) { $0.count % 4 > 0 }
        #expect(result.answers == Self.answers(requests))
    }
}

/// Allows any token, but only so many of them.
private struct Countdown: TokenConstraint {
    var left: Int

    var forced: [Token] { [] }
    var isComplete: Bool { false }

    func allow(into mask: inout TokenMask) {
        mask.removeAll()
        if left > 0 { mask.insertAll() }
    }

    mutating func accept(_ token: Token) -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
