import Constraints
import EngineContract
import JSON
import Scheduling
import Testing

@testable import Inference

/// Allows the same tokens for ever.
struct SetConstraint: TokenConstraint {
    var allowed: [Token]

    func allow(into mask: inout TokenMask) {
        mask.removeAll()
        for token in allowed { mask.insert(token) }
    }

    mutating func accept(_ token: Token) -> Bool { allowed.contains(token) }
    var forced: [Token] { [] }
    var isComplete: Bool { false }
}

/// Models whose answers are held to a grammar.
@Suite(.timeLimit(.minutes(5))) struct ConstraintTests {
    private static let stop: Token = 63

    /// The first tokens of the fixtures' vocabularies, as texts; those beyond have none.
    private static func vocabulary(_ count: Int) -> Vocabulary {
        var texts = "{}[]:,\"-0123456789abcdefghijklmnopqrstuvwxyz ".map { Array(String($0).utf8) }
        let pieces = [
            "{\"", "\":", "\",\"", "\",", "true", "tr", "ue", "name", "na", "me\"", "ab", "10", "}]", "\"}", "00",
        ]
        texts += pieces.map { Array($0.utf8) }
        texts += Array(repeating: [], count: max(0, count - texts.count))
        return Vocabulary(texts: texts, stopTokens: [stop])
    }

    private static let schemas = [
        #"{"type":"object","properties":{"name":{"enum":["ab","abc","b"]},"no":{"type":"integer","minimum":0,"maximum":9999}},"required":["name","no"],"additionalProperties":false}"#,
        #"{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":4}"#,
        #"{"type":"object","properties":{"name":{"type":"string","maxLength":6},"e":{"const":"abc"}},"required":["name","e"],"additionalProperties":false}"#,
    ]

    private struct Form {
        let vocabulary: Vocabulary
        let constraints: [GrammarConstraint]

        init(vocabularySize: Int) throws {
            let vocabulary = ConstraintTests.vocabulary(vocabularySize)
            self.vocabulary = vocabulary
            constraints = try ConstraintTests.schemas.map {
                GrammarConstraint(try Grammar(schema: try JSONDocument(Array($0.utf8)).root), vocabulary)
            }
        }

        func text(_ tokens: [Token]) -> String {
            String(decoding: tokens.flatMap { vocabulary.text($0) }, as: UTF8.self)
        }
    }

    private struct Outcome {
        var answers: [[Token]] = []
        var reasons: [FinishReason] = []
        var figures = SchedulerStatistics()
    }

    private func request(_ index: Int, _ fixture: Fixture, _ form: Form) -> GenerationRequest {
        GenerationRequest(
            client: "c\(index % 3)",
            prompt: Array(fixture.prompt.prefix(20)) + [Token(index)],
            maxTokens: 50,
            stopTokens: [Self.stop],
            sampling: SamplingParameters(
                temperature: index % 4 == 0 ? 0 : 1,
                topP: index % 3 == 0 ? 0.9 : 1,
                topK: index % 5 * 4,
                repetitionPenalty: index % 6 == 5 ? 1.2 : 1,
                seed: UInt64(index)
            ),
            constraint: index % 4 == 3 ? nil : form.constraints[index % form.constraints.count]
        )
    }

    private func run(
        _ requests: [GenerationRequest],
        _ fixture: Fixture,
        blocks: Int,
        _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) async throws -> Outcome {
        let blockBytes = try Engine.make(fixture.model).description.kvBytesPerToken * 16
        let engine = try Engine(
            model: fixture.model,
            options: EngineOptions(threads: 2, kvMemoryBytes: blocks * blockBytes, kvType: .f32, contextLimit: 120)
        )
        var configuration = SchedulerConfiguration()
        change(&configuration)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for request in requests { generations.append(try await scheduler.submit(request)) }
        var outcome = Outcome()
        for generation in generations {
            var answer: [Token] = []
            for await event in generation {
                switch event {
                case .token(let token): answer.append(token)
                case .finished(let summary): outcome.reasons.append(summary.reason)
                }
            }
            outcome.answers.append(answer)
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        outcome.figures = await scheduler.statistics()
        return outcome
    }

    @Test(
        "Constrained sessions among others get the tokens that they get alone, riding or not, preempted or not",
        arguments: ["phi3-4bit", "mistral-bf16", "qwen3_moe-4bit"]
    )
    func together(name: String) async throws {
        let fixture = try Fixture(name)
        let form = try Form(vocabularySize: try Engine.make(fixture.model).description.vocabularySize)
        let requests = (0..<24).map { request($0, fixture, form) }
        let together = try await run(requests, fixture, blocks: 200)
        // So few blocks that sessions preempt one another.
        let crowded = try await run(requests, fixture, blocks: 12) { $0.stepTokenBudget = 9 }
        let plain = try await run(requests, fixture, blocks: 200) {
            $0.ridesForcedTokens = false
            $0.speculates = false
        }
        #expect(together.answers == crowded.answers && together.answers == plain.answers)
        #expect(together.reasons == crowded.reasons && together.reasons == plain.reasons)
        for (index, request) in requests.enumerated() {
            let alone = try await run([request], fixture, blocks: 200)
            #expect(alone.answers == [together.answers[index]], "\(index)")
        }
        #expect(together.figures.forcedTokensTotal > 100 && plain.figures.forcedTokensTotal == 0)
        #expect(name == "mistral-bf16" || crowded.figures.preemptionsTotal > 0)
    }

    @Test(
        "An answer is JSON of its schema, or a beginning of it where it was cut",
        arguments: ["phi3-4bit", "llama-bf16"]
    )
    func valid(name: String) async throws {
        let fixture = try Fixture(name)
        let form = try Form(vocabularySize: try Engine.make(fixture.model).description.vocabularySize)
        let requests = (0..<40).map { request($0, fixture, form) }
        let outcome = try await run(requests, fixture, blocks: 200)
        var whole = 0
        for (index, answer) in outcome.answers.enumerated() where requests[index].constraint != nil {
            var constraint = form.constraints[index % form.constraints.count]
            for token in answer {
                let isAllowed = constraint.accept(token)
                #expect(isAllowed)
            }
            guard case .stopToken = outcome.reasons[index] else {
                #expect(outcome.reasons[index] == .maxTokens)
                continue
            }
            whole += 1
            #expect(constraint.isComplete, "\(form.text(answer))")
            #expect(throws: Never.self) { try JSONDocument(Array(form.text(answer).utf8)) }
        }
        #expect(whole > 20)
    }

    @Test("What nothing may follow is one session's failure")
    func deadEnd() async throws {
        let fixture = try Fixture("phi3-4bit")
        let form = try Form(vocabularySize: try Engine.make(fixture.model).description.vocabularySize)
        var dead = request(1, fixture, form)
        dead.constraint = SetConstraint(allowed: [])
        let outcome = try await run([dead, request(0, fixture, form)], fixture, blocks: 200)
        #expect(outcome.reasons[0] == .failed("the answer's constraint allows nothing more"))
        #expect(outcome.reasons[1] == .stopToken(Self.stop))
    }

    @Test("Samples end where a draft is not allowed, and are drawn under the constraint that the drafts lead to")
    func drafts() async throws {
        let fixture = try Fixture("phi3-4bit")
        let engine = try Engine.make(fixture.model)
        let form = try Form(vocabularySize: engine.description.vocabularySize)
        let vocabulary = form.vocabulary
        func token(_ text: String) -> Token? {
            (0..<64).first { vocabulary.text($0).elementsEqual(text.utf8) }
        }
        let draft = ["[", "true", ",", "true", "}"].compactMap(token)
        #expect(draft.count == 5)
        let entry = StepEntry(
            session: SessionID(1),
            tokens: fixture.prompt + draft,
            startPosition: 0,
            blocks: (0..<20).map { BlockIndex($0) },
            samples: true,
            sampling: SamplingParameters(temperature: 1, seed: 3),
            sampleIndex: 0,
            draftCount: 5,
            constraint: GrammarConstraint(
                try Grammar(schema: try JSONDocument(Array(Self.schemas[1].utf8)).root),
                vocabulary,
                forcesSpelling: false
            )
        )
        let samples = try await engine.step(Step(entries: [entry])).samples[0]
        #expect(samples.count == 5)
        var constraint = try #require(entry.constraint)
        for (sample, drafted) in zip(samples, draft) {
            var copy = constraint
            let isAllowed = copy.accept(sample)
            #expect(isAllowed)
            _ = constraint.accept(drafted)
        }
    }
}
