import EngineContract
import Scheduling
import Testing

@testable import Inference

extension Fixture {
    /// The answers of sessions that run together with little memory, greedy and sampled.
    /// - Parameters:
    ///   - model: the fixture's, however it was loaded.
    ///   - draft: a model that drafts for it.
    func answers(
        _ model: LoadedModel,
        draft: LoadedModel? = nil,
        speculates: Bool
    ) async throws -> (answers: [[Token]], figures: SchedulerStatistics) {
        let transformer = model.configuration.transformer
        var options = EngineOptions(threads: 2, kvType: .f32, contextLimit: 200)
        let perToken =
            transformer.kvBytesPerToken(.f32) + (draft?.configuration.transformer.kvBytesPerToken(.f32) ?? 0)
        options.kvMemoryBytes = 12 * 16 * perToken + 16 * (transformer.stateBytesPerSession ?? 0)
        options.stateSlots = 16
        var configuration = SchedulerConfiguration()
        configuration.speculates = speculates
        configuration.weighsDrafts = false
        configuration.maxRunningSessions = 3
        let engine = try Engine(model: model, draft: draft, options: options)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for index in 0..<8 {
            let sampled = SamplingParameters(
                temperature: 0.4,
                topP: 0.9,
                repetitionPenalty: index % 4 == 3 ? 1.1 : 1,
                seed: UInt64(index)
            )
            let request = GenerationRequest(
                client: "c\(index % 3)",
                prompt: prompt.prefix(30 + 2 * index) + [Token(3 + index)],
                maxTokens: 50 + 5 * index,
                stopTokens: index % 4 == 2 ? [Token(2 * index)] : [],
                sampling: index % 2 == 0 ? .greedy : sampled
            )
            generations.append(try await scheduler.submit(request))
        }
        var answers: [[Token]] = []
        for generation in generations {
            var answer: [Token] = []
            for await case .token(let token) in generation { answer.append(token) }
            answers.append(answer)
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        return (answers, await scheduler.statistics())
    }
}
