import EngineContract
import ModelFiles
import Scheduling
import Testing

@testable import Inference

/// Draft heads against what the papers say they compute, and that nothing but speed depends on them.
@Suite(.timeLimit(.minutes(10))) struct DraftHeadTests {
    private static let models = ["qwen3_5_text", "qwen3_next", "glm4_moe", "deepseek_v3"]

    /// What a fixture's file has for the head.
    private struct Reference {
        let logits: [[Float]]
        let drafts: [Token]

        init(_ name: String) throws {
            let file = try ModelSource.folder(Fixture.path("")).requiredFile("\(name)-draft/reference.safetensors")
            let tensors = try Safetensors(file, label: name).tensors
            logits = try Fixture.rows(tensors, "draft_logits")
            drafts = try Fixture.values(tensors, "drafts", Token.self)
        }
    }

    /// An entry that samples after `tokens` and wants drafts, in the blocks 0, 1, …, and if the model has states, in slot 0.
    private static func entry(
        _ engine: Engine,
        _ tokens: some Sequence<Token>,
        from start: Int = 0,
        samples: Bool = true,
        wanted: Int = 0,
        sampling: SamplingParameters = .greedy
    ) -> StepEntry {
        let tokens = Array(tokens)
        let blocks = (start + tokens.count + wanted) / engine.description.blockSize + 1
        return StepEntry(
            session: SessionID(1),
            tokens: tokens,
            startPosition: start,
            blocks: (0..<blocks).map { BlockIndex($0) },
            samples: samples,
            sampling: sampling,
            sampleIndex: 0,
            state: engine.stateUse(slot: 0, source: start == 0 ? nil : 0),
            wantedDrafts: wanted
        )
    }

    @Test("A head's logits agree with the reference's to 1e-4 relative, and its drafts are the same", arguments: models)
    func reference(name: String) async throws {
        let (fixture, reference) = (try Fixture("\(name)-draft"), try Reference(name))
        let engine = try Engine.make(fixture.model, precise: true)
        #expect(engine.description.drafter == .head)
        let logits = try await engine.draftLogits(of: fixture.prompt)
        #expect(logits.count == fixture.prompt.count - 1)
        #expect(relativeDifference(logits, reference.logits) < 1e-4)
        let result = try await engine.step(Step(entries: [Self.entry(engine, fixture.prompt, wanted: 3)]))
        #expect(result.samples == [Array(fixture.answer.prefix(1))])
        #expect(result.drafts == [reference.drafts] && reference.drafts.count == 3)
        #expect(try await Comparison(fixture, engine).largestError < 1e-4)
    }

    @Test(
        "The head of a GGUF file computes what the reference does",
        arguments: ["qwen35", "glm4moe", "deepseek2"]
    )
    func gguf(name: String) async throws {
        let path = "gguf/\(name)-draft"
        let fixture = try Fixture(source: .at(Fixture.path("\(path).gguf")), reference: "\(path).reference")
        let file = try ModelSource.folder(Fixture.path("")).requiredFile("\(path).reference.safetensors")
        let expected = try Fixture.rows(Safetensors(file, label: name).tensors, "draft_logits")
        let engine = try Engine.make(fixture.model, precise: true)
        let logits = try await engine.draftLogits(of: fixture.prompt)
        #expect(logits.count == 43 && relativeDifference(logits, expected) < 1e-4)
        let own = try await engine.logits(of: fixture.prompt, from: fixture.prompt.count - 4)
        #expect(relativeDifference(own, fixture.logits) < 1e-4)
        #expect(fixture.model.leftOut.parts.isEmpty)
    }

    /// Computes a prompt in chunks.
    private static func compute(
        _ prompt: [Token],
        chunks: [Int],
        on engine: Engine,
        wanted: Int
    ) async throws -> StepResult {
        var (start, result) = (0, StepResult(samples: []))
        for (index, chunk) in chunks.enumerated() {
            let isLast = index == chunks.count - 1
            let tokens = prompt[start..<start + chunk]
            let next = entry(engine, tokens, from: start, samples: isLast, wanted: isLast ? wanted : 0)
            result = try await engine.step(Step(entries: [next]))
            start += chunk
        }
        return result
    }

    @Test("Blocks and drafts are the same to the bit however a prompt is divided", arguments: models)
    func chunks(name: String) async throws {
        let fixture = try Fixture("\(name)-draft")
        let (whole, other) = (try Engine.make(fixture.model), try Engine.make(fixture.model, threads: 1))
        let expected = try await Self.compute(fixture.prompt, chunks: [48], on: whole, wanted: 3)
        #expect(expected.drafts[0].count == 3)
        for chunks in [[16, 32], [47, 1], [5, 27, 1, 1, 14]] {
            let result = try await Self.compute(fixture.prompt, chunks: chunks, on: other, wanted: 3)
            #expect(result.drafts == expected.drafts && result.samples == expected.samples)
            for block in 0..<BlockIndex(3) {
                #expect(try await other.contents(of: block) == whole.contents(of: block), "\(chunks), block \(block)")
            }
        }
    }

    @Test("What a block holds does not depend on drafts, right or wrong, that came on the way", arguments: models)
    func wrongDrafts(name: String) async throws {
        let fixture = try Fixture("\(name)-draft")
        let (plain, drafting) = (try Engine.make(fixture.model), try Engine.make(fixture.model))
        let text = try await fixture.prompt + plain.generate(fixture.prompt, count: 60)
        _ = try await Self.compute(text, chunks: [text.count], on: plain, wanted: 0)
        _ = try await Self.compute(fixture.prompt, chunks: [48], on: drafting, wanted: 3)
        // Where the state is, in models that have one, and tokens that go through it again after a wrong draft.
        var (computed, source, again) = (fixture.prompt.count, StateSlot(0), 0)
        for (step, right) in [3, 0, 7, 1, 2, 5, 7, 0, 7, 4].enumerated() {
            let known = again + 1
            let next = text[(computed + known)...]
            let drafts = next.prefix(right) + next.dropFirst(right).prefix(7 - right).map { ($0 + 1) % 64 }
            let tokens = text[computed..<computed + known] + drafts
            var entry = Self.entry(drafting, tokens, from: computed, wanted: step % 4)
            let (slot, before) = ((source + 1) % 3, (source + 2) % 3)
            entry.state = drafting.stateUse(slot: slot, source: source, snapshots: [.init(slot: before, tokens: known)])
            entry.draftCount = drafts.count
            let samples = try await drafting.step(Step(entries: [entry])).samples[0]
            let accepted = zip(samples, drafts).prefix { $0 == $1 }.count
            #expect(accepted == right)
            let goesOn = entry.state == nil || accepted == drafts.count
            computed += known + (goesOn ? accepted : 0)
            (source, again) = (goesOn ? slot : before, goesOn ? 0 : accepted)
        }
        #expect(computed > 80)
        for block in 0..<BlockIndex(computed / 16) {
            #expect(try await drafting.contents(of: block) == plain.contents(of: block), "block \(block)")
        }
    }

    @Test("Another engine drafts the same after the same blocks", arguments: ["glm4_moe", "deepseek_v3"])
    func movedBlocks(name: String) async throws {
        let fixture = try Fixture("\(name)-draft")
        let (first, second) = (try Engine.make(fixture.model), try Engine.make(fixture.model))
        let expected = try await Self.compute(fixture.prompt, chunks: [48], on: first, wanted: 3)
        for block in 0..<BlockIndex(2) {
            let contents = try await first.contents(of: block)
            try await second.restore([RestoredBlock(block: block, contents: contents)])
        }
        let rest = Self.entry(second, fixture.prompt[32...], from: 32, wanted: 3)
        let result = try await second.step(Step(entries: [rest]))
        #expect(result.drafts == expected.drafts && result.samples == expected.samples)
    }

    @Test("A step has as many drafts as are wanted of each session, the same as alone, sampled with its own draws")
    func together() async throws {
        let fixture = try Fixture("qwen3_next-draft")
        let engine = try Engine.make(fixture.model)
        var entries: [StepEntry] = []
        for (index, wanted) in [2, 0, 3, 1].enumerated() {
            let sampling = SamplingParameters(temperature: index % 2 == 0 ? 0 : 0.9, seed: UInt64(index))
            var entry = Self.entry(engine, fixture.prompt.dropLast(index), wanted: wanted, sampling: sampling)
            entry.session = SessionID(UInt64(index))
            entry.blocks = entry.blocks.map { $0 + BlockIndex(10 * index) }
            entry.state = engine.stateUse(slot: StateSlot(index), source: nil)
            entries.append(entry)
        }
        let result = try await engine.step(Step(entries: entries))
        #expect(result.drafts.map(\.count) == [2, 0, 3, 1])
        for (index, entry) in entries.enumerated() where entry.wantedDrafts > 0 {
            let alone = try await engine.step(Step(entries: [entry]))
            #expect(alone.drafts == [result.drafts[index]] && alone.samples == [result.samples[index]])
        }
    }

    @Test("A step that wants drafts where there can be none is an error, and the engine goes on")
    func malformed() async throws {
        let engine = try Engine.make(Fixture("glm4_moe-draft").model, contextLimit: 64)
        let headless = try Engine.make(Fixture("glm4_moe-bf16").model)
        let tokens: [Token] = [3, 4, 5]
        var wrong = [Self.entry(engine, tokens, wanted: -1), Self.entry(engine, tokens, wanted: 62)]
        wrong.append(Self.entry(engine, tokens, samples: false, wanted: 1))
        wrong.append(Self.entry(engine, tokens, wanted: 40))
        wrong[3].blocks.removeLast()
        for entry in wrong {
            await #expect(throws: EngineError.self) { try await engine.step(Step(entries: [entry])) }
        }
        await #expect(throws: EngineError.self) {
            try await headless.step(Step(entries: [Self.entry(headless, tokens, wanted: 1)]))
        }
        let good = try await engine.step(Step(entries: [Self.entry(engine, tokens, wanted: 61)]))
        #expect(good.drafts[0].count == 61)
    }

    // MARK: Served

    @Test(
        "Sessions that run together answer the same with a head's drafts, without them and without the head",
        arguments: models
    )
    func served(name: String) async throws {
        let fixture = try Fixture("\(name)-draft")
        let drafted = try await fixture.answers(fixture.model, speculates: true)
        let plain = try await fixture.answers(fixture.model, speculates: false)
        #expect(drafted.answers == plain.answers)
        let counts = try #require(drafted.figures.drafts[.head])
        #expect(counts.accepted > 0 && counts.accepted < counts.drafted)
        #expect(drafted.figures.preemptionsTotal > 0 && plain.figures.drafts.isEmpty)
        let model = try loadModel(from: .folder(Fixture.path("\(name)-draft")), draftHead: false)
        let headless = try Engine.make(model)
        for index in [0, 4] {
            let prompt = fixture.prompt.prefix(30 + 2 * index) + [Token(3 + index)]
            let answer = try await headless.generate(Array(prompt), count: 50 + 5 * index)
            #expect(answer == plain.answers[index])
        }
    }

    // MARK: Loading

    @Test("A head that is not wanted, or not whole, or not spoken of is left out or an error", arguments: models)
    func loading(name: String) throws {
        let files = try ModelFixtureFiles("\(name)-draft")
        let part = name.hasPrefix("qwen") ? "mtp" : "layers.\(name == "qwen3_5_text" ? 4 : 3)"
        let with = try loadModel(from: files.source)
        #expect(with.configuration.transformer.draftHead != nil)
        let without = try loadModel(from: files.source, draftHead: false)
        #expect(without.configuration.transformer.draftHead == nil)
        #expect(without.leftOut.parts == [part])
        #expect(with.parameterCount > without.parameterCount && with.identity != without.identity)
        // Copies of the embedding and of the output matrix are not read.
        let copies = with.leftOut.names.filter { $0.hasSuffix("embed_tokens.weight") || $0.hasSuffix("head.weight") }
        #expect(with.leftOut.names == copies && copies.count == (name.hasPrefix("qwen") ? 0 : 2))
        for tensor in without.leftOut.names.subtracting(copies) {
            var damaged = files
            damaged.tensors[tensor] = nil
            let isProjection = tensor.hasSuffix("fc.weight") || tensor.hasSuffix("eh_proj.weight")
            let isNorm = tensor.hasSuffix("mtp.norm.weight") || tensor.hasSuffix("shared_head.norm.weight")
            if isProjection || isNorm {
                // No projection, no head; no norm of its own, the model's.
                let model = try loadModel(from: damaged.source)
                #expect((model.configuration.transformer.draftHead == nil) == isProjection)
            } else {
                #expect(throws: ModelError.self, "\(tensor)") { try loadModel(from: damaged.source) }
            }
        }
        var silent = files
        silent.configuration["mtp_num_hidden_layers"] = 0
        silent.configuration["num_nextn_predict_layers"] = 0
        #expect(try loadModel(from: silent.source).leftOut.parts == [part])
    }

    @Test("A head takes the KV memory of its layer, and a hidden state in each block")
    func memory() throws {
        for (name, size) in [("qwen3_5_text", 2 * 32), ("deepseek_v3", 32 + 16)] {
            let fixture = try Fixture("\(name)-draft")
            let with = fixture.model.configuration.transformer
            var without = with
            without.draftHead = nil
            let shape = KVShape(with, blockSize: 16, type: .f32)
            #expect(shape.blockBytes == KVShape(without, blockSize: 16, type: .f32).blockBytes + 16 * 4 * size + 4 * 32)
            #expect(shape.bytesPerToken * 16 == shape.blockBytes)
        }
    }
}
