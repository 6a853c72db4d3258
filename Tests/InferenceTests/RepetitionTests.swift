import EngineContract
import Scheduling
import Testing

@testable import Inference

/// The penalty of repetition, held against plain arithmetic over the same logits.
@Suite(.timeLimit(.minutes(5))) struct RepetitionTests {
    /// What the reference does: divide what is positive, multiply what is negative, once for each token that occurs.
    private func penalized(_ logits: [Float], _ tokens: [Token], _ penalty: Float) -> [Float] {
        var result = logits
        for (index, logit) in logits.enumerated() where tokens.contains(Token(index)) {
            result[index] = logit < 0 ? logit * penalty : logit / penalty
        }
        return result
    }

    @Test("Logits of tokens that occurred change once, the others not at all", arguments: [Float(0.5), 1.1, 2, 100])
    func logits(penalty: Float) {
        let logits: [Float] = [2, -2, 0, 3.5, -0.25, 1e-3, 7, -7]
        var changed = logits
        let draw = Draw(
            parameters: SamplingParameters(repetitionPenalty: penalty),
            index: 0,
            seen: [1, 3, 0],
            drafted: [3, 6, 6, 4][...]
        )
        changed.withUnsafeMutableBufferPointer { if let start = $0.baseAddress { draw.penalize(start) } }
        #expect(identical(changed, penalized(logits, [1, 3, 0, 3, 6, 6, 4], penalty)))
    }

    @Test("Finite logits stay finite, and what is no number stays none")
    func extremes() {
        var logits: [Float] = [-3e38, 3e38, .nan, .infinity]
        Sampler.penalize([0, 1, 2, 3], by: 100, &logits)
        #expect(logits[0] == -.greatestFiniteMagnitude && logits[1].isFinite)
        Sampler.penalize([1], by: 1e-3, &logits)
        #expect(logits[1] == .greatestFiniteMagnitude || logits[1].isFinite)
        #expect(logits[2].isNaN && logits[3] == .infinity)
    }

    /// Greedy tokens by the reference's rule over the engine's own logits of the whole sequence.
    private func expected(_ engine: Engine, _ prompt: [Token], count: Int, penalty: Float) async throws -> [Token] {
        var tokens = prompt
        for _ in 0..<count {
            let last = try #require(try await engine.logits(of: tokens, from: tokens.count - 1).last)
            let logits = penalized(last, tokens, penalty)
            let best = try #require(logits.indices.max { (logits[$0], $1) < (logits[$1], $0) })
            tokens.append(Token(best))
        }
        return Array(tokens.dropFirst(prompt.count))
    }

    private func answers(
        _ engine: Engine,
        _ prompts: [[Token]],
        _ sampling: SamplingParameters,
        speculates: Bool,
        seats: Int
    ) async throws -> [[Token]] {
        var configuration = SchedulerConfiguration()
        configuration.speculates = speculates
        configuration.maxRunningSessions = seats
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for prompt in prompts {
            let request = GenerationRequest(
                client: "c",
                prompt: prompt,
                maxTokens: 30,
                stopTokens: [],
                sampling: sampling
            )
            generations.append(try await scheduler.submit(request))
        }
        var answers: [[Token]] = []
        for generation in generations {
            var answer: [Token] = []
            for await event in generation { if case .token(let token) = event { answer.append(token) } }
            answers.append(answer)
        }
        return answers
    }

    @Test("Answers are the reference's over prompt and answer, alone and together, with and without guesses")
    func answers() async throws {
        let fixture = try Fixture("llama-bf16")
        let engine = try Engine.make(fixture.model)
        // Prompts that repeat themselves, so that guesses are made.
        let prompts = [10, 20, 30].map { length in
            let part = Array(fixture.prompt.prefix(length))
            return part + part + part
        }
        for penalty in [Float(0.7), 1.3] {
            var wanted: [[Token]] = []
            for prompt in prompts {
                wanted.append(try await expected(engine, prompt, count: 30, penalty: penalty))
            }
            let sampling = SamplingParameters(repetitionPenalty: penalty)
            for (speculates, seats) in [(false, 1), (true, 1), (true, 3)] {
                let given = try await answers(engine, prompts, sampling, speculates: speculates, seats: seats)
                #expect(given == wanted, "penalty \(penalty), guesses \(speculates), \(seats) at once")
            }
            // It is not what the model says without.
            #expect(try await answers(engine, prompts, .greedy, speculates: true, seats: 3) != wanted)
        }
    }
}
