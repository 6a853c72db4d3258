import EngineContract
import Scheduling
import Testing

/// What drafts change, and what they do not.
@Suite(.timeLimit(.minutes(5))) struct SpeculationTests {
    /// Repeats the first `period` tokens of the prompt.
    private static func looping(_ period: Int) -> @Sendable ([Token]) -> Token {
        { $0[$0.count % period] }
    }

    private static let prompt = (0..<24).map { Token($0 % 6) }

    /// The sessions of each step and their tokens, and what the Scheduler counted.
    private func run(
        _ requests: [GenerationRequest],
        _ configuration: SchedulerConfiguration = SchedulerConfiguration(),
        script: @escaping @Sendable ([Token]) -> Token = looping(6),
        blocks: Int = 400
    ) async throws -> (answers: [[Token]], steps: [[SessionID: Int]], statistics: SchedulerStatistics) {
        let engine = GatedEngine(.make(blocks: blocks), script: script)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for request in requests { generations.append(try await scheduler.submit(request)) }
        await engine.open()
        var answers: [[Token]] = []
        for (request, generation) in zip(requests, generations) {
            let (tokens, summary) = await generation.collect()
            answers.append(tokens)
            #expect(summary?.promptTokens == request.prompt.count)
            if case .stopToken(let token) = summary?.reason {
                #expect(request.stopTokens.contains(token) && summary?.generatedTokens == tokens.count + 1)
            } else {
                #expect(summary?.reason == .maxTokens && summary?.generatedTokens == tokens.count)
            }
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        let statistics = await scheduler.statistics()
        #expect(statistics.blocksInUse == 0)
        #expect(statistics.acceptedTokensTotal <= statistics.draftedTokensTotal)
        return (answers, await engine.history, statistics)
    }

    @Test("A session that repeats its text takes several tokens a step, and no more than it was asked for")
    func repetition() async throws {
        let (answers, steps, statistics) = try await run([.make(Self.prompt, 200)])
        #expect(answers == [(24..<224).map { Token($0 % 6) }])
        // The prompt, a few short drafts, then eight tokens a step.
        #expect(steps.count <= 1 + 200 / 8 + 4)
        #expect(statistics.tokensGeneratedTotal == 200)
        #expect(statistics.acceptedTokensTotal > 150)
        #expect(statistics.acceptedTokensTotal == statistics.draftedTokensTotal)
    }

    @Test("Without speculation, and where many sessions run, nothing is drafted")
    func off() async throws {
        var configuration = SchedulerConfiguration()
        configuration.speculates = false
        let alone = try await run([.make(Self.prompt, 50)], configuration)
        #expect(alone.steps.count == 50 && alone.statistics.draftedTokensTotal == 0)
        configuration.speculates = true
        let many = try await run(Array(repeating: .make(Self.prompt, 50), count: 12), configuration)
        #expect(many.answers == Array(repeating: alone.answers[0], count: 12))
        var seen: Set<SessionID> = []
        for step in many.steps {
            let decoding = step.filter { !seen.insert($0.key).inserted }
            if step.count >= 8 { #expect(decoding.values.allSatisfy { $0 == 1 }) }
        }
        #expect(many.steps.contains { $0.count == 12 })
    }

    @Test("A step with drafts has eight tokens at most, shared among its sessions", arguments: [2, 3, 5, 7])
    func sharing(sessions: Int) async throws {
        let requests = (0..<sessions).map { GenerationRequest.make(Self.prompt + [Token(100 + $0)], 100) }
        let script: @Sendable ([Token]) -> Token = { $0.count < 31 ? 6 : $0[$0.count - 6] }
        let (answers, steps, statistics) = try await run(requests, script: script)
        for answer in answers {
            #expect(answer.count == 100 && answer.dropFirst(12).dropLast(6) == answer.dropFirst(18))
        }
        #expect(statistics.acceptedTokensTotal > 0)
        let drafting = steps.filter { $0.count == sessions && $0.values.allSatisfy { $0 < 8 } }.dropFirst()
        #expect(drafting.allSatisfy { $0.values.reduce(0, +) <= max(8, sessions) })
        #expect(drafting.contains { $0.values.reduce(0, +) == 8 })
    }

    @Test("A stop token among right drafts ends the answer there", arguments: 0..<6)
    func stopToken(token: Token) async throws {
        // The first 25 tokens are not yet drafted to the end: the stop comes in the middle of a draft.
        let script: @Sendable ([Token]) -> Token = { $0.count < 60 ? Token($0.count % 6) : 200 + Token($0.count % 6) }
        var request = GenerationRequest.make((0..<24).map { Token($0 % 6) } + (200..<206) + Self.prompt, 100)
        request.stopTokens = [200 + token]
        let (answers, _, statistics) = try await run([request], script: script)
        let expected =
            (54..<60).map { Token($0 % 6) } + (60..<66).map { 200 + Token($0 % 6) }.prefix { $0 != 200 + token }
        #expect(answers == [expected])
        #expect(statistics.tokensGeneratedTotal == expected.count + 1)
    }

    @Test("Drafts that are wrong cost no block and are never found in the cache")
    func wrongDrafts() async throws {
        // Goes on as before for four tokens of six, then otherwise, and never twice in the same way.
        let script: @Sendable ([Token]) -> Token = { $0.count % 6 < 4 ? Token($0.count % 6) : Token(6 + $0.count) }
        let engine = ScriptedEngine(description: .make(blocks: 14, blockSize: 4), script: script)
        let scheduler = Scheduler(engine: engine)
        var text = Self.prompt
        while text.count < 51 { text.append(script(text)) }
        for end in 25...51 {
            let (tokens, _) = await (try scheduler.submit(.make(Array(text.prefix(24)), end - 24))).collect()
            #expect(tokens == Array(text[24..<end]))
            #expect(await scheduler.checkIntegrity() == nil)
            let (next, _) = await (try scheduler.submit(.make(Array(text.prefix(end)), 1))).collect()
            #expect(next == [script(Array(text.prefix(end)))])
        }
        let statistics = await scheduler.statistics()
        #expect(statistics.draftedTokensTotal > statistics.acceptedTokensTotal)
    }

    @Test("No reader gets further behind than the window, right drafts or not")
    func window() async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 5
        let engine = ScriptedEngine(description: .make(blocks: 100), script: Self.looping(6))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let slow = try await scheduler.submit(.make(Self.prompt, 40))
        let other = try await scheduler.submit(.make(Array(repeating: 9, count: 6), 30))
        _ = await other.collect()
        #expect(await scheduler.statistics().tokensGeneratedTotal == 35)
        #expect(await slow.collect().tokens == (24..<64).map { Token($0 % 6) })
    }
}
