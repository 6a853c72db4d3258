import EngineContract
import Scheduling
import Testing

@testable import Inference

/// Answers with guesses are those without, bit for bit and token for token.
@Suite(.timeLimit(.minutes(5))) struct SpeculationTests {
    @Test("A token is sampled the same whatever was guessed before it", arguments: ["phi3-4bit", "mistral-bf16"])
    func samples(name: String) async throws {
        let fixture = try Fixture(name)
        let engine = try Engine.make(fixture.model)
        for sampling in [SamplingParameters.greedy, SamplingParameters(temperature: 0.9, topP: 0.95, seed: 7)] {
            let answer = try await engine.generate(fixture.prompt, count: 8, sampling: sampling)
            let wrong = answer.map { ($0 + 1) % 100 }
            for right in 0...6 {
                let draft = answer.prefix(right) + wrong[right..<7]
                let entry = StepEntry(
                    session: SessionID(1),
                    tokens: fixture.prompt + draft,
                    startPosition: 0,
                    blocks: (0..<20).map { BlockIndex($0) },
                    samples: true,
                    sampling: sampling,
                    sampleIndex: 0,
                    draftCount: draft.count
                )
                let samples = try await engine.step(Step(entries: [entry])).samples[0]
                #expect(samples.count == 8)
                #expect(samples.prefix(right + 1) == answer.prefix(right + 1))
            }
        }
    }

    /// The answers of sessions that run together, some of which share a beginning and most of which repeat themselves.
    private func answers(_ fixture: Fixture, speculates: Bool) async throws -> (
        answers: [[Token]], figures: SchedulerStatistics
    ) {
        let blockBytes = try Engine.make(fixture.model).description.kvBytesPerToken * 16
        // So few blocks that sessions preempt one another: a full one has nearly all.
        let engine = try Engine(
            model: fixture.model,
            options: EngineOptions(
                threads: 2,
                kvMemoryBytes: 14 * blockBytes,
                kvType: .f32,
                activations: .int15,
                contextLimit: 200
            )
        )
        var configuration = SchedulerConfiguration()
        configuration.speculates = speculates
        configuration.maxRunningSessions = 5
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for index in 0..<10 {
            let beginning = Array(fixture.prompt.prefix(20 + index))
            let request = GenerationRequest(
                client: "c\(index % 3)",
                prompt: index % 2 == 0 ? beginning + beginning : fixture.prompt + [Token(index)],
                maxTokens: 40 + 7 * index,
                stopTokens: index % 3 == 0 ? [Token(3 * index)] : [],
                sampling: index % 4 < 2
                    ? .greedy
                    : SamplingParameters(
                        temperature: 0.3,
                        topP: 0.9,
                        topK: index,
                        minP: index % 4 == 2 ? 0.02 : 0,
                        repetitionPenalty: index % 4 == 2 ? 1.2 : 1,
                        seed: UInt64(index)
                    )
            )
            generations.append(try await scheduler.submit(request))
        }
        var answers: [[Token]] = []
        for generation in generations {
            var answer: [Token] = []
            for await event in generation {
                switch event {
                case .token(let token): answer.append(token)
                case .finished(let summary):
                    guard case .stopToken = summary.reason else {
                        #expect(summary.reason == .maxTokens && summary.generatedTokens == answer.count)
                        continue
                    }
                    #expect(summary.generatedTokens == answer.count + 1)
                }
            }
            answers.append(answer)
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        return (answers, await scheduler.statistics())
    }

    @Test(
        "Sessions that run together answer the same with and without guesses, greedy and sampled, preempted or not",
        arguments: [
            "phi3-4bit", "llama-bf16", "mistral-bf16", "gemma3_text-4bit", "qwen3_moe-4bit", "gemma4_text-4bit",
            "deepseek_v3-4bit",
        ]
    )
    func together(name: String) async throws {
        let fixture = try Fixture(name)
        let plain = try await answers(fixture, speculates: false)
        let guessed = try await answers(fixture, speculates: true)
        #expect(plain.answers == guessed.answers)
        #expect(plain.figures.draftedTokensTotal == 0 && guessed.figures.acceptedTokensTotal > 0)
        // With a window, sessions need few blocks.
        #expect(name == "mistral-bf16" || plain.figures.preemptionsTotal * guessed.figures.preemptionsTotal > 0)
    }
}
