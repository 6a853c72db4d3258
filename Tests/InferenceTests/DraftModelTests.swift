import EngineContract
import ModelFiles
import Scheduling
import Testing

@testable import Inference

/// A smaller model that drafts for a larger one, of which nothing but speed depends.
@Suite(.timeLimit(.minutes(10))) struct DraftModelTests {
    private static func model(_ name: String) throws -> LoadedModel {
        try loadModel(from: .folder(Fixture.path(name)), draftHead: false)
    }

    private static func engine(_ model: LoadedModel, draft: LoadedModel, threads: Int = 2) throws -> Engine {
        let options = EngineOptions(threads: threads, kvMemoryBytes: 32 << 20, kvType: .f32, contextLimit: 200)
        return try Engine(model: model, draft: draft, options: options)
    }

    /// An entry that samples after `tokens`, in the blocks 0, 1, …, and if the model has states, in slot 0.
    private static func entry(
        _ engine: Engine,
        _ tokens: some Sequence<Token>,
        from start: Int = 0,
        wanted: Int = 0,
        isFollowed: Bool = true,
        unfollowed: ArraySlice<Token> = [],
        sampling: SamplingParameters = .greedy,
        index: Int = 0
    ) -> StepEntry {
        let tokens = Array(tokens)
        var entry = StepEntry(
            session: SessionID(1),
            tokens: tokens,
            startPosition: start,
            blocks: (0...(start + tokens.count + wanted) / 16).map { BlockIndex($0) },
            samples: true,
            sampling: sampling,
            sampleIndex: index,
            state: engine.stateUse(slot: 0, source: start == 0 ? nil : 0),
            wantedDrafts: wanted
        )
        (entry.isFollowed, entry.unfollowed) = (isFollowed, unfollowed)
        entry.unfollowedStart = start - unfollowed.count
        return entry
    }

    @Test(
        "A model that drafts for itself is always right, greedy or sampled, after drafts of its own",
        arguments: ["llama-4bit", "qwen3-bf16", "gpt_oss-8bit", "deepseek_v3-4bit"],
        [SamplingParameters.greedy, SamplingParameters(temperature: 0.9, topP: 0.95, seed: 5)]
    )
    func ofItself(name: String, sampling: SamplingParameters) async throws {
        let (fixture, model) = (try Fixture(name), try Self.model(name))
        let engine = try Self.engine(model, draft: model)
        #expect(engine.description.drafter == .model)
        let plain = try Engine.make(model)
        let expected = try await plain.generate(fixture.prompt, count: 40, sampling: sampling)
        let half = fixture.prompt.count / 2
        var first = Self.entry(engine, fixture.prompt[..<half])
        first.samples = false
        #expect(try await engine.step(Step(entries: [first])).drafts.isEmpty)
        var next = Self.entry(engine, fixture.prompt[half...], from: half, wanted: 5, sampling: sampling)
        var answer: [Token] = []
        while answer.count < 30 {
            let result = try await engine.step(Step(entries: [next]))
            #expect(result.samples[0].count == next.draftCount + 1)
            answer += result.samples[0]
            let wanted = answer.count % 4 + 1
            #expect(result.drafts[0].count == next.wantedDrafts && result.draftRounds == next.wantedDrafts)
            #expect(result.draftSeconds > 0 && result.draftSeconds < result.times.total)
            let start = next.startPosition + next.tokens.count
            let tokens = answer.suffix(1) + result.drafts[0]
            let drafts = result.drafts[0].count
            next = Self.entry(engine, tokens, from: start, wanted: wanted, sampling: sampling, index: answer.count)
            next.draftCount = drafts
        }
        #expect(answer == Array(expected.prefix(answer.count)))
    }

    @Test("What a block holds of both models is the same however a text is divided, and taken in at once or later")
    func blocks() async throws {
        let (fixture, model) = (try Fixture("llama-4bit"), try Self.model("llama-4bit"))
        let draft = try Self.model("qwen3-bf16")
        let whole = try Self.engine(model, draft: draft)
        let text = try await fixture.prompt + Engine.make(model).generate(fixture.prompt, count: 40)
        _ = try await whole.step(Step(entries: [Self.entry(whole, text)]))
        let divided = try Self.engine(model, draft: draft, threads: 1)
        var (start, followed) = (0, 0)
        for (index, count) in [5, 27, 1, 1, 1, 9, 1, 1, 20].enumerated() {
            let isFollowed = index != 3 && index != 4 && index != 6
            var entry = Self.entry(divided, text[start..<start + count], from: start, isFollowed: isFollowed)
            if isFollowed {
                (entry.unfollowed, entry.unfollowedStart) = (text[followed..<start], followed)
                followed = start + count
            } else if index == 4 {
                // A part of what it missed, and nothing of the entry.
                (entry.unfollowed, entry.unfollowedStart) = (text[followed...followed], followed)
                followed += 1
            }
            _ = try await divided.step(Step(entries: [entry]))
            start += count
        }
        #expect(start == followed && start >= 64)
        for block in 0..<BlockIndex(start / 16) {
            #expect(try await divided.contents(of: block) == whole.contents(of: block), "block \(block)")
        }
        // Another engine drafts the same after the same blocks.
        let moved = try Self.engine(model, draft: draft)
        for block in 0..<BlockIndex(2) {
            try await moved.restore([RestoredBlock(block: block, contents: whole.contents(of: block))])
        }
        let expected = try await whole.step(Step(entries: [Self.entry(whole, text.prefix(40), wanted: 4)])).drafts
        let rest = Self.entry(moved, text[32..<40], from: 32, wanted: 4)
        #expect(try await moved.step(Step(entries: [rest])).drafts == expected && expected[0].count == 4)
    }

    @Test("Steps of several sessions have the drafts that each gets alone, and none where none are wanted")
    func together() async throws {
        let (fixture, model) = (try Fixture("llama-4bit"), try Self.model("llama-4bit"))
        let draft = try Self.model("qwen3-bf16")
        let engine = try Self.engine(model, draft: draft)
        var entries: [StepEntry] = []
        for (index, wanted) in [2, 0, 3, 1].enumerated() {
            let sampling = SamplingParameters(temperature: index % 2 == 0 ? 0 : 0.9, seed: UInt64(index))
            var entry = Self.entry(engine, fixture.prompt.dropLast(index), wanted: wanted, sampling: sampling)
            entry.session = SessionID(UInt64(index))
            entry.blocks = entry.blocks.map { $0 + BlockIndex(10 * index) }
            entry.isFollowed = wanted > 0
            entries.append(entry)
        }
        let result = try await engine.step(Step(entries: entries))
        #expect(result.drafts.map(\.count) == [2, 0, 3, 1])
        for (index, entry) in entries.enumerated() where entry.wantedDrafts > 0 {
            let alone = try await engine.step(Step(entries: [entry]))
            #expect(alone.drafts == [result.drafts[index]] && alone.samples == [result.samples[index]])
        }
        // Tokens that were missed and lie in blocks of another session are not written while that one may read them.
        entries[2].startPosition = 16
        entries[2].unfollowed = entries[2].tokens.prefix(16)
        entries[2].tokens.removeFirst(16)
        entries[0].blocks[0] = entries[2].blocks[0]
        entries[0].startPosition = 16
        entries[0].tokens.removeFirst(16)
        let apart = try await engine.step(Step(entries: entries))
        #expect(apart.drafts.map(\.count) == [2, 0, 0, 1] && apart.notFollowed == [1, 2])
    }

    @Test("A step that the draft model cannot take is an error, and the engine goes on")
    func malformed() async throws {
        let model = try Self.model("llama-4bit")
        let engine = try Self.engine(model, draft: model)
        let tokens: [Token] = [3, 4, 5]
        var wrong = [Self.entry(engine, tokens, wanted: 2, isFollowed: false)]
        wrong.append(Self.entry(engine, tokens, from: 4, wanted: 2, unfollowed: [1, 2, 3, 4, 5]))
        wrong.append(Self.entry(engine, tokens, from: 4, wanted: 2, unfollowed: [1, 64]))
        wrong.append(Self.entry(engine, tokens, from: 40, wanted: 2, unfollowed: [1, 2]))
        wrong[3].blocks[2] = -1
        wrong.append(Self.entry(engine, tokens, from: 40, wanted: 2, unfollowed: [1, 2]))
        wrong[4].unfollowedStart = 37
        for entry in wrong {
            await #expect(throws: EngineError.self) { try await engine.step(Step(entries: [entry])) }
        }
        // Each has few enough, but all together do not.
        let many = (0..<3).map { index in
            let missed = [Token](repeating: 5, count: 180)
            var entry = Self.entry(engine, tokens, from: 180, wanted: 1, unfollowed: missed[...])
            entry.session = SessionID(UInt64(index))
            entry.blocks = entry.blocks.map { $0 + BlockIndex(20 * index) }
            return entry
        }
        await #expect(throws: EngineError.self) { try await engine.step(Step(entries: many)) }
        #expect(try await engine.step(Step(entries: Array(many.prefix(2)))).drafts.map(\.count) == [1, 1])
        let alone = try Engine.make(model)
        await #expect(throws: EngineError.self) {
            try await alone.step(Step(entries: [Self.entry(alone, tokens, isFollowed: true)]))
        }
        let good = try await engine.step(Step(entries: [Self.entry(engine, tokens, wanted: 4)]))
        #expect(good.drafts[0].count == 4)
    }

    // MARK: Served

    @Test(
        "Sessions that run together answer the same with a draft model and without, whatever it drafts",
        arguments: [
            ("llama-4bit", "qwen3-bf16"), ("qwen3_5_text-bf16", "llama-4bit"), ("mistral-bf16", "llama-8bit"),
            ("mistral-bf16", "mistral-4bit"), ("deepseek_v3-4bit", "gpt_oss-8bit"),
        ]
    )
    func served(name: String, draft: String) async throws {
        let (fixture, model) = (try Fixture(name), try Self.model(name))
        let drafted = try await fixture.answers(model, draft: Self.model(draft), speculates: true)
        let plain = try await fixture.answers(model, speculates: false)
        #expect(drafted.answers == plain.answers)
        #expect(drafted.figures.drafts[.model].map { $0.drafted > 0 && $0.accepted < $0.drafted } == true)
        // With windows, sessions have room.
        #expect(drafted.figures.preemptionsTotal > 0 || draft.hasPrefix("mistral"))
        #expect(plain.figures.drafts.isEmpty)
    }

    @Test("A draft model may lack the last tokens of the vocabulary: it drafts nothing after those")
    func fewerTokens() async throws {
        var files = try ModelFixtureFiles("llama-bf16")
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            let whole = try #require(files.tensors[name])
            let row = whole.bytes.count / whole.shape[0]
            let part = Array(whole.bytes.prefix(48 * row))
            files.tensors[name] = RawTensor(type: whole.type, shape: [48] + whole.shape.dropFirst(), bytes: part)
        }
        files.configuration["vocab_size"] = 48
        let (fixture, model) = (try Fixture("llama-bf16"), try Self.model("llama-bf16"))
        let drafted = try await fixture.answers(model, draft: loadModel(from: files.source), speculates: true)
        let plain = try await fixture.answers(model, speculates: false)
        #expect(drafted.answers == plain.answers)
        #expect(plain.answers.joined().contains { $0 >= 48 })
        // Prompts have such tokens, too, so that it knows few texts.
        #expect(drafted.figures.drafts[.model] == nil)
    }

    @Test("A model that drafts for itself is nearly always right among others that are preempted")
    func servedRight() async throws {
        let (fixture, model) = (try Fixture("llama-4bit"), try Self.model("llama-4bit"))
        let drafted = try await fixture.answers(model, draft: model, speculates: true)
        let plain = try await fixture.answers(model, speculates: false)
        #expect(drafted.answers == plain.answers)
        let counts = try #require(drafted.figures.drafts[.model])
        #expect(counts.drafted > 20 && 10 * counts.accepted >= 9 * counts.drafted, "\(counts)")
    }

    // MARK: Loading

    @Test("A model that cannot draft for another one is refused, with the reason")
    func refused() throws {
        let model = try Self.model("llama-4bit")
        let others = [("qwen3_5_text-bf16", "recurrent"), ("lfm2-bf16", "recurrent"), ("phi3-4bit", "tokens")]
        for (draft, reason) in others {
            let error = #expect(throws: ModelError.self) { try Self.engine(model, draft: Self.model(draft)) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "no error")")
        }
        let head = try loadModel(from: .folder(Fixture.path("glm4_moe-draft")))
        #expect(throws: ModelError.self) { try Self.engine(head, draft: model) }
        // Blocks of an engine with another draft model are not taken for its own.
        let identities = try [nil, model, Self.model("qwen3-bf16")].map {
            let options = EngineOptions(threads: 1, kvMemoryBytes: 1 << 22)
            return try Engine(model: model, draft: $0, options: options).blockIdentity
        }
        #expect(Set(identities).count == 3)
    }
}
