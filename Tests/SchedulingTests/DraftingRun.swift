import EngineContract
import Testing

@testable import Scheduling

/// What became of requests on a scripted engine that drafts.
struct DraftingRun {
    let answers: [[Token]]
    /// The sessions of each step and their tokens.
    let steps: [[SessionID: Int]]
    let statistics: SchedulerStatistics

    /// - Parameter isRight: whether what the engine drafts is right, by the text before it.
    init(
        _ requests: [GenerationRequest],
        _ description: EngineDescription,
        _ configuration: SchedulerConfiguration,
        _ script: Script,
        isRight: @escaping @Sendable ([Token]) -> Bool
    ) async throws {
        let engine = ScriptedEngine(
            description: description,
            keepsHistory: true,
            drafts: { isRight($0) ? script.next($0) : 1 },
            script: script.next
        )
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for request in requests { generations.append(try await scheduler.submit(request)) }
        var answers: [[Token]] = []
        for generation in generations { answers.append(await generation.collect().tokens) }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        self.answers = answers
        steps = await engine.history
        statistics = await scheduler.statistics()
        #expect(statistics.blocksInUse == 0 && statistics.stateSlotsInUse == 0)
    }
}
