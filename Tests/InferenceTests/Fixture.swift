import CKernels
import EngineContract
import Foundation
import ModelFiles
import Testing

@testable import Inference

/// A tiny model of Fixtures, with what `transformers` computes with it.
struct Fixture {
    let model: LoadedModel
    let prompt: [Token]
    /// One row for each token of the prompt, or of its end; in fixtures of architectures, one for each token of the answer,
    /// which it was chosen by.
    let logits: [[Float]]
    /// The greedy tokens after the prompt; empty in some.
    let answer: [Token]
    /// A prompt within the original length of `longrope`, and a row of logits for each of its tokens; else empty.
    let short: [Token]
    let shortLogits: [[Float]]

    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.resourcePath) + "/Fixtures/" + name
    }

    /// - Parameter weights: the fixture that has the weights, if not this one.
    init(_ name: String, weights: String? = nil) throws {
        let own = ModelSource.folder(try Self.path(name))
        var source = own
        if let weights {
            let other = ModelSource.folder(try Self.path(weights))
            source = .memory([
                "config.json": try own.requiredFile("config.json"),
                "tokenizer.json": try own.requiredFile("tokenizer.json"),
                "model.safetensors": try other.requiredFile("model.safetensors"),
            ])
        }
        try self.init(source: source, reference: "\(name)/reference")
    }

    /// - Parameter reference: the path of the file with what `transformers` computes, without its extension.
    init(source: ModelSource, reference: String) throws {
        model = try loadModel(from: source)
        let file = try ModelSource.folder(Self.path("")).requiredFile("\(reference).safetensors")
        let reference = try Safetensors(file, label: reference).tensors
        prompt = try Self.values(reference, "prompt", Token.self)
        answer = reference["answer"] == nil ? [] : try Self.values(reference, "answer", Token.self)
        logits = try Self.rows(reference, "logits")
        short = reference["short"] == nil ? [] : try Self.values(reference, "short", Token.self)
        shortLogits = short.isEmpty ? [] : try Self.rows(reference, "short_logits")
    }

    static func rows(_ tensors: [String: Tensor], _ name: String) throws -> [[Float]] {
        let flat = try values(tensors, name, Float.self)
        let size = try #require(tensors[name]?.shape.last)
        return stride(from: 0, to: flat.count, by: size).map { Array(flat[$0..<($0 + size)]) }
    }

    static func values<Value>(_ tensors: [String: Tensor], _ name: String, _: Value.Type) throws -> [Value] {
        let bytes = try #require(tensors[name]).bytes.bytes
        return stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Value.self) }
    }
}

extension Engine {
    /// An engine for tests: small KV memory.
    static func make(
        _ model: LoadedModel,
        threads: Int = 2,
        precise: Bool = false,
        kvType: KVType = .f32,
        activations: Activations = .standard,
        blockSize: Int = 16,
        contextLimit: Int? = nil,
        variant: ck_variant = ck_variant_best()
    ) throws -> Engine {
        let options = EngineOptions(
            threads: threads,
            kvMemoryBytes: 32 << 20,
            kvType: kvType,
            precise: precise,
            activations: activations,
            blockSize: blockSize,
            contextLimit: contextLimit
        )
        return try Engine(model: model, options: options, variant: variant)
    }

    /// What a step does with a state, if the model has any.
    nonisolated func stateUse(
        slot: StateSlot,
        source: StateSlot?,
        snapshots: [StateUse.Snapshot] = []
    ) -> StateUse? {
        description.stateMemory.map { _ in StateUse(slot: slot, source: source, snapshots: snapshots) }
    }

    /// The tokens of one session alone: the prompt in one chunk, then one token a step.
    func generate(
        _ prompt: [Token],
        count: Int,
        sampling: SamplingParameters = .greedy
    ) throws -> [Token] {
        let blocks = (0..<(prompt.count + count + description.blockSize) / description.blockSize).map { BlockIndex($0) }
        var answer: [Token] = []
        var pending = prompt
        var position = 0
        while answer.count < count {
            let entry = StepEntry(
                session: SessionID(1),
                tokens: pending,
                startPosition: position,
                blocks: blocks,
                samples: true,
                sampling: sampling,
                sampleIndex: answer.count,
                state: stateUse(slot: 0, source: position == 0 ? nil : 0)
            )
            let samples = try step(Step(entries: [entry])).samples
            let token = try #require(samples[0].first)
            position += pending.count
            pending = [token]
            answer.append(token)
        }
        return answer
    }
}

extension ck_variant {
    /// The variants that this machine can run.
    static var available: [ck_variant] {
        (0..<UInt32(CK_VARIANT_COUNT)).map { ck_variant($0) }.filter { ck_variant_available($0) }
    }
}
