import CKernels
import EngineContract
import Support
import Testing

@testable import Inference

/// The numbers of a session do not depend on its company.
@Suite struct BatchInvarianceTests {
    /// A session of a batch: its tokens so far, cut into chunks of a size of its own.
    private struct Session {
        let prompt: [Token]
        let chunk: Int
        let sampling: SamplingParameters
        let blocks: [BlockIndex]
        /// Two slots of state memory, if the model has a state: each step goes from one to the other, so that it can be run
        /// twice.
        var states: [StateSlot] = []
        var computed = 0
        var answer: [Token] = []
        var logits: [[Float]] = []

        var remaining: [Token] { Array((prompt + answer).dropFirst(computed)) }

        func entry(_ id: Int) -> StepEntry {
            let tokens = Array(remaining.prefix(chunk))
            return StepEntry(
                session: SessionID(UInt64(id)),
                tokens: tokens,
                startPosition: computed,
                blocks: blocks,
                samples: tokens.count == remaining.count,
                sampling: sampling,
                sampleIndex: answer.count,
                state: states.isEmpty ? nil : StateUse(slot: states[1], source: computed > 0 ? states[0] : nil)
            )
        }
    }

    private static let answerLength = 12

    /// Sessions of mixed lengths, chunks and samplings, their blocks strewn over the memory.
    private func sessions(of engine: Engine) -> [Session] {
        let (vocabulary, blockCount) = (engine.description.vocabularySize, engine.description.blockCount)
        let hasStates = engine.description.stateMemory != nil
        var numbers = SeededGenerator(seed: 3)
        var free = Array(0..<BlockIndex(blockCount)).shuffled(using: &numbers)
        return (0..<32).map { index in
            let length = [1, 2, 15, 16, 17, 33, 70, 150][index % 8] + index / 8
            let blocks = Array(free.prefix((length + Self.answerLength) / 16 + 1))
            free.removeFirst(blocks.count)
            return Session(
                prompt: (0..<length).map { _ in Token.random(in: 0..<Token(vocabulary), using: &numbers) },
                chunk: [1000, 1, 7, 16, 30][index % 5],
                sampling: SamplingParameters(
                    temperature: index % 3 == 0 ? 0 : 0.9,
                    topP: index % 2 == 0 ? 1 : 0.9,
                    topK: index % 4 * 10,
                    seed: UInt64(index)
                ),
                blocks: blocks,
                states: hasStates ? [StateSlot(index), StateSlot(63 - index)] : []
            )
        }
    }

    /// Runs the sessions together until each has its answer; sessions come in one step after another.
    private func run(_ sessions: [Session], on engine: Engine) async throws -> [Session] {
        var sessions = sessions
        for turn in 0... {
            let active = sessions.indices.filter { $0 <= turn && sessions[$0].answer.count < Self.answerLength }
            if active.isEmpty { break }
            let step = Step(entries: active.map { sessions[$0].entry($0) })
            let samples = try await engine.step(step).samples
            let logits = try await engine.logits(of: step)
            for (position, index) in active.enumerated() {
                sessions[index].states.reverse()
                sessions[index].computed += step.entries[position].tokens.count
                if let token = samples[position].first { sessions[index].answer.append(token) }
                if let row = logits[position] { sessions[index].logits.append(row) }
            }
        }
        return sessions
    }

    /// One model of every architecture, and every form of weights.
    private static let models =
        ["phi3-float32", "phi3-8bit", "phi3-4bit"]
        + ArchitectureTests.names.flatMap { ["\($0)-bf16", "\($0)-4bit"] }

    @Test(
        "32 sessions, chunked variously, have together the bits that each has alone",
        arguments: models.map { ($0, false, .int8) }
            + [
                ("phi3-4bit", true, .f32), ("qwen3_moe-4bit", true, .int8), ("gemma2-bf16", false, .f16),
                ("deepseek_v2-4bit", true, .bf16),
            ]
            as [(String, Bool, KVType)]
    )
    func together(name: String, precise: Bool, kvType: KVType) async throws {
        let model = try Fixture(name).model
        let engine = try Engine.make(model, precise: precise, kvType: kvType)
        let together = try await run(sessions(of: engine), on: engine)
        let other = try Engine.make(model, threads: 1, precise: precise, kvType: kvType)
        for session in together {
            var alone = session
            alone = Session(
                prompt: session.prompt,
                chunk: 1000,
                sampling: session.sampling,
                blocks: session.blocks.reversed(),
                states: session.states
            )
            alone = try await run([alone], on: other)[0]
            #expect(alone.answer == session.answer)
            #expect(identical(alone.logits, session.logits))
        }
    }

    @Test("A shared prefix gives the same bits as one's own", arguments: models)
    func sharedPrefix(name: String) async throws {
        let fixture = try Fixture(name)
        let engine = try Engine.make(fixture.model, kvType: .int8)
        let alone = try await engine.logits(of: fixture.prompt)
        let first = StepEntry(
            session: SessionID(1),
            tokens: fixture.prompt,
            startPosition: 0,
            blocks: Array(0..<BlockIndex(fixture.prompt.count / 16 + 1)),
            samples: true,
            sampling: .greedy,
            sampleIndex: 0,
            state: engine.stateUse(slot: 3, source: nil, snapshots: [.init(slot: 5, tokens: 32)])
        )
        #expect(
            identical(try #require(try await engine.logits(of: Step(entries: [first]))[0]), try #require(alone.last))
        )
        let shared = StepEntry(
            session: SessionID(2),
            tokens: Array(fixture.prompt[32...]),
            startPosition: 32,
            blocks: [0, 1, 77],
            samples: true,
            sampling: .greedy,
            sampleIndex: 0,
            state: engine.stateUse(slot: 9, source: 5)
        )
        let logits = try await engine.logits(of: Step(entries: [shared]))
        #expect(identical(try #require(logits[0]), try #require(alone.last)))
    }

    @Test("Threads and instruction sets do not change a bit", arguments: models, [2, 5])
    func threads(name: String, count: Int) async throws {
        let fixture = try Fixture(name)
        let expected = try await Engine.make(fixture.model, threads: 1, kvType: .int8).logits(of: fixture.prompt)
        for variant in ck_variant.available {
            let engine = try Engine.make(fixture.model, threads: count, kvType: .int8, variant: variant)
            let logits = try await engine.logits(of: fixture.prompt)
            #expect(identical(logits, expected), "\(variant.name)")
        }
    }
}
