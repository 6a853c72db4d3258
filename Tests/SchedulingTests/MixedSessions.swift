import EngineContract
import Scheduling
import Testing

/// 32 sessions of mixed lengths, a third of which begin alike, all there before the first step.
enum MixedSessions {
    /// Expects of each the tokens that it would get alone.
    /// - Parameter engine: the scheduler's, not opened yet.
    static func expectSameAsAlone(_ script: Script, on scheduler: Scheduler, _ engine: GatedEngine) async throws {
        let shared = (0..<70).map { Token($0 * 7 % 1000) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<32 {
                let own = (0..<(1 + index * 9 % 200)).map { Token(($0 * 31 + index * 17) % 1000) }
                let prompt = index % 3 == 0 ? shared + own.prefix(index) + [5] : own
                let count = 1 + index * 5 % 60
                let generation = try await scheduler.submit(.make(prompt, count, client: "c\(index % 4)"))
                group.addTask {
                    let (tokens, summary) = await generation.collect()
                    #expect(tokens == script.answer(to: prompt, count: count))
                    #expect(summary?.reason == .maxTokens)
                    #expect(summary?.generatedTokens == count)
                }
            }
            await engine.open()
            try await group.waitForAll()
        }
    }
}
