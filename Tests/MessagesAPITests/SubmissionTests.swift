import EngineContract
import Testing

@testable import MessagesAPI

@Suite("What the scheduler is asked for", .timeLimit(.minutes(1))) struct SubmissionTests {
    /// Ends every answer at once and remembers how its first token was to be sampled.
    private actor RecordingEngine: InferenceEngine {
        nonisolated let description = Script.description()
        private(set) var sampling: [SamplingParameters] = []

        func step(_ step: Step) -> StepResult {
            sampling += step.entries.filter(\.samples).map(\.sampling)
            return StepResult(samples: step.entries.map { $0.samples ? [Script.end] : [] })
        }
    }

    @Test("A request's parameters replace the server's defaults, and top_p 0 keeps the most probable token")
    func sampling() async throws {
        var configuration = APIConfiguration()
        configuration.defaultSampling = SamplingParameters(temperature: 0.5, topP: 0.75, topK: 7, minP: 0.125)
        configuration.fixedSeed = 11
        let engine = RecordingEngine()
        let api = try TestAPI(engine, configuration: configuration)
        for fields in ["", #","temperature":0.25,"top_p":0.5,"top_k":3"#, #","top_p":0,"temperature":0"#] {
            #expect(try await api.ask(fields).status == 200)
        }
        #expect(
            await engine.sampling == [
                SamplingParameters(temperature: 0.5, topP: 0.75, topK: 7, minP: 0.125, seed: 11),
                SamplingParameters(temperature: 0.25, topP: 0.5, topK: 3, minP: 0.125, seed: 11),
                SamplingParameters(temperature: 0, topP: .leastNormalMagnitude, topK: 7, minP: 0.125, seed: 11),
            ]
        )
    }

    @Test("Without a fixed seed, each request has its own")
    func seeds() async throws {
        let engine = RecordingEngine()
        let api = try TestAPI(engine)
        for _ in 0..<3 { #expect(try await api.ask().status == 200) }
        #expect(await Set(engine.sampling.map(\.seed)).count == 3)
    }
}
