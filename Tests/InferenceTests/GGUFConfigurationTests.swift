import ModelFiles
import Support
import Testing

@testable import Inference

/// What the metadata of GGUF files describes.
@Suite struct GGUFConfigurationTests {
    typealias Value = GGUFBuilder.Value

    func configuration(
        _ architecture: String,
        _ metadata: [String: Value] = [:],
        embedding: GGUFBuilder.Tensor = .init("token_embd.weight", [10, 1], bytes: [UInt8](repeating: 0, count: 40)),
        tensors: [GGUFBuilder.Tensor] = []
    ) throws -> ModelConfiguration {
        let common: [String: Value] = [
            "context_length": .uint32(4096), "embedding_length": .uint32(64), "feed_forward_length": .uint32(128),
            "block_count": .uint32(2), "attention.head_count": .uint32(4), "attention.head_count_kv": .uint32(2),
            "attention.layer_norm_rms_epsilon": .float32(1e-5),
        ]
        let values = common.merging(metadata) { $1 }.map { ("\(architecture).\($0)", $1) }
        let builder = GGUFBuilder(
            [("general.architecture", .string(architecture))] + values,
            tensors: [embedding] + tensors
        )
        let model = try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: builder.bytes))])
        return try ModelConfiguration(source: .gguf(model))
    }

    func description(
        _ architecture: String,
        _ metadata: [String: Value] = [:],
        tensors: [GGUFBuilder.Tensor] = []
    ) throws -> TransformerDescription {
        try configuration(architecture, metadata, tensors: tensors).transformer
    }

    static func floats(_ name: String, _ values: [Float]) -> GGUFBuilder.Tensor {
        .init(name, [UInt64(values.count)], bytes: values.flatMap { withUnsafeBytes(of: $0, Array.init) })
    }

    @Test("Sizes are read, and whether the logits are read off the embedding")
    func sizes() throws {
        let qwen = try configuration("qwen2", ["rope.freq_base": .float32(1e6)])
        #expect(qwen.modelType == "qwen2")
        let model = qwen.transformer
        #expect(model.heads == AttentionHeads(count: 4, kvCount: 2, size: 16))
        #expect(model.vocabularySize == 10 && model.contextLength == 4096 && model.normEpsilon == 1e-5)
        #expect(model.tiesEmbeddings && model.window == nil && model.layers.count == 2)
        #expect(model.rotary == [RotaryParameters(base: 1e6, dimensions: 16)])
        let output = GGUFBuilder.Tensor("output.weight", [10, 1], bytes: [UInt8](repeating: 0, count: 40))
        #expect(try !description("qwen2", tensors: [output]).tiesEmbeddings)
    }

    @Test("A norm's epsilon may have the name of norms that also subtract the mean")
    func epsilon() throws {
        let gguf = GGUFBuilder(
            [
                ("general.architecture", .string("llama")), ("llama.context_length", .uint32(4096)),
                ("llama.embedding_length", .uint32(64)), ("llama.feed_forward_length", .uint32(128)),
                ("llama.block_count", .uint32(2)), ("llama.attention.head_count", .uint32(4)),
                ("llama.attention.layer_norm_epsilon", .float32(1e-4)),
            ],
            tensors: [.init("token_embd.weight", [10, 1], bytes: [UInt8](repeating: 0, count: 40))]
        )
        let model = try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: gguf.bytes))])
        #expect(try ModelConfiguration(source: .gguf(model)).transformer.normEpsilon == 1e-4)
    }

    @Test("More rows of the embedding than any vocabulary has are an error")
    func vocabularySize() {
        let rows = (1 << 24) + 1
        // F16.
        let embedding = GGUFBuilder.Tensor(
            "token_embd.weight",
            [UInt64(rows), 1],
            type: 1,
            bytes: [UInt8](repeating: 0, count: 2 * rows)
        )
        let error = #expect(throws: ModelError.self) { try configuration("llama", embedding: embedding) }
        let message = "x.gguf: tensor token_embd.weight: has 16777217 rows; 1 to 16777216 are expected"
        #expect(error == ModelError(message))
    }

    @Test(
        "Without a base the rotary positions have the usual one, whatever the family's default in config.json",
        arguments: ["gemma3", "smollm3", "llama", "qwen3", "phi3", "ernie4_5", "olmo2"]
    )
    func usualBase(architecture: String) throws {
        let rotary = try description(architecture).rotary
        #expect(!rotary.isEmpty && rotary.allSatisfy { $0.base == 10_000 })
        let other = try description(architecture, ["rope.freq_base": .float32(5e5)]).rotary
        #expect(other.first?.base == 500_000)
    }

    @Test("Phi-3's window and factors are read")
    func phi3() throws {
        let model = try description(
            "phi3",
            [
                "attention.sliding_window": .uint32(2047), "rope.scaling.original_context_length": .uint32(1024),
                "rope.scaling.attn_factor": .float32(1.25), "rope.dimension_count": .uint32(4),
            ],
            tensors: [
                Self.floats("rope_factors_short.weight", [1, 2]), Self.floats("rope_factors_long.weight", [3, 4]),
            ]
        )
        #expect(model.widestWindow == 2047)
        let scaling = RotaryParameters.Scaling.longrope(
            short: [1, 2],
            long: [3, 4],
            originalLength: 1024,
            attentionFactor: 1.25
        )
        #expect(model.rotary == [RotaryParameters(base: 10_000, dimensions: 4, scaling: scaling)])
        #expect(try description("phi3", ["attention.sliding_window": .uint32(0)]).window == nil)
        #expect(throws: ModelError.self) {
            try description("phi3", ["rope.scaling.type": .string("linear"), "rope.scaling.factor": .float32(2)])
        }
    }

    @Test("Llama's heads have interleaved rows, and its frequencies are what its rule comes to")
    func llama() throws {
        let factors = [1, 1, 1, 2, 2, 4, 8, 8]
        let model = try description("llama", tensors: [Self.floats("rope_freqs.weight", factors.map { Float($0) })])
        let doubles = factors.map { Double($0) }
        let scaling = RotaryParameters.Scaling.longrope(
            short: doubles,
            long: doubles,
            originalLength: 4096,
            attentionFactor: 1
        )
        #expect(model.rotary == [RotaryParameters(base: 10_000, dimensions: 16, scaling: scaling)])
        #expect(model.interleavesHeadRows)
        #expect(throws: ModelError.self) {
            try description("llama", tensors: [Self.floats("rope_freqs.weight", [1, 8])])
        }
        #expect(throws: ModelError.self) { try description("llama", ["expert_count": .uint32(8)]) }
    }

    @Test("Gemma's norms hold what its own files leave to add, and its scale is known by the layers")
    func gemma() throws {
        let gemma2 = try description("gemma2", ["attn_logit_softcapping": .float32(20)])
        #expect(gemma2.normOffset == 0 && gemma2.logitSoftCap == 30 && !gemma2.interleavesHeadRows)
        let first = AttentionDescription(scale: 0.25, softCap: 20, window: 4096, bias: .optional, outputBias: .optional)
        #expect(gemma2.layers.first?.attention == first)
        #expect(gemma2.layers.last?.attention?.window == nil)

        let largest: [String: Value] = [
            "block_count": .uint32(62), "attention.key_length": .uint32(32), "attention.value_length": .uint32(32),
            "rope.scaling.type": .string("linear"), "rope.scaling.factor": .float32(8),
        ]
        let gemma3 = try configuration("gemma3", largest)
        #expect(gemma3.modelType == "gemma3_text")
        let model = gemma3.transformer
        #expect(model.heads.size == 32 && model.layers.count == 62 && model.window == nil && model.logitSoftCap == nil)
        #expect(model.layers.first?.attention?.scale == 0.25)
        #expect(model.rotary.map(\.scaling) == [.linear(factor: 8), .none])
        #expect(try description("gemma3").layers.first?.attention?.scale == 0.25)
    }

    @Test("Gemma 4's lists by layers are read, and how many pairs rotate")
    func gemma4() throws {
        let metadata: [String: Value] = [
            "block_count": .uint32(4),
            "attention.head_count_kv": .array(of: .uint32(0), [.uint32(2), .uint32(1), .uint32(2), .uint32(1)]),
            "feed_forward_length": .array(of: .uint32(0), [.uint32(32), .uint32(32), .uint32(64), .uint32(64)]),
            "attention.sliding_window_pattern": .array(
                of: .bool(false),
                [.bool(true), .bool(false), .bool(true), .bool(false)]
            ),
            "attention.shared_kv_layers": .uint32(2), "attention.sliding_window": .uint32(20),
            "attention.key_length": .uint32(32), "attention.key_length_swa": .uint32(16),
            "rope.freq_base": .float32(1e6),
            "rope.freq_base_swa": .float32(1e4), "embedding_length_per_layer_input": .uint32(48),
        ]
        let factors = Self.floats(
            "rope_freqs.weight",
            [Float](repeating: 1, count: 4) + [Float](repeating: 1e30, count: 12)
        )
        let model = try description("gemma4", metadata, tensors: [factors])
        #expect(
            model.headKinds == [
                AttentionHeads(count: 4, kvCount: 2, size: 16), AttentionHeads(count: 4, kvCount: 1, size: 32),
            ]
        )
        #expect(
            model.rotary == [
                RotaryParameters(base: 1e6, dimensions: 32, scaling: .proportional(pairs: 4, factor: 1)),
                RotaryParameters(base: 1e4, dimensions: 16),
            ]
        )
        #expect(model.layers.map(\.attention?.window) == [20, nil, 20, nil])
        #expect(model.layers.map(\.attention?.sharedLayer) == [nil, nil, 0, 1])
        // The file has no tensor for the values of either.
        #expect(model.layers.map(\.attention?.valuesAreKeys) == [true, true, false, false])
        #expect(model.layers.map { $0.feedForward?.innerSize } == [32, 32, 64, 64])
        #expect(model.perLayerEmbedding?.size == 48)
        for (key, value) in [
            ("attention.head_count_kv", Value.array(of: .uint32(0), [.uint32(2), .uint32(1)])),
            ("feed_forward_length", .array(of: .uint32(0), [.uint32(0), .uint32(1), .uint32(1), .uint32(1)])),
            ("attention.sliding_window_pattern", .array(of: .bool(false), [.bool(true)])),
            ("attention.sliding_window_pattern", .uint32(6)), ("attention.shared_kv_layers", .uint32(3)),
        ] {
            let error = #expect(throws: ModelError.self) {
                try description("gemma4", metadata.merging([key: value]) { $1 })
            }
            #expect(error?.description.contains(key) == true, "\(error?.description ?? "no error")")
        }
        for strange in [
            [Float](repeating: 1, count: 15), [Float](repeating: .nan, count: 16),
            Array(repeating: 1, count: 8) + Array(repeating: 2, count: 8),
        ] {
            #expect(throws: ModelError.self) {
                try description("gemma4", metadata, tensors: [Self.floats("rope_freqs.weight", strange)])
            }
        }
    }

    @Test("Experts are read")
    func experts() throws {
        let metadata: [String: Value] = [
            "expert_count": .uint32(8), "expert_used_count": .uint32(2), "expert_feed_forward_length": .uint32(96),
        ]
        let mixture = try configuration("qwen3moe", metadata)
        #expect(mixture.modelType == "qwen3_moe")
        let experts = ExpertsDescription(
            count: 8,
            chosenCount: 2,
            normalizesWeights: true,
            expert: DenseDescription(size: 96, activation: .silu)
        )
        #expect(mixture.transformer.layers.map(\.feedForward) == [.experts(experts), .experts(experts)])
        #expect(throws: ModelError.self) { try description("qwen3moe") }
    }

    @Test("Granite's numbers are read; without one for attention, the scale is the usual")
    func granite() throws {
        let metadata: [String: Value] = [
            "embedding_scale": .float32(12), "residual_scale": .float32(0.25), "attention.scale": .float32(0.5),
            "logit_scale": .float32(8),
        ]
        let model = try description("granite", metadata)
        #expect(model.embeddingScale == 12 && model.logitScale == 0.125 && model.interleavesHeadRows)
        #expect(model.layers.allSatisfy { $0.residualScale == 0.25 && $0.attention?.scale == 0.5 })
        let plain = try description("granite", ["rope.scaling.finetuned": .bool(false)])
        #expect(plain.layers.allSatisfy { $0.attention?.scale == 0.25 && $0.attention?.rotary == nil })
        #expect(model.layers.allSatisfy { $0.attention?.rotary == 0 })
    }

    @Test("SmolLM 3 is without rotary positions in every fourth layer, which no file says")
    func smolLM3() throws {
        let model = try description("smollm3", ["block_count": .uint32(8)])
        #expect(model.layers.map(\.attention?.rotary) == [0, 0, 0, nil, 0, 0, 0, nil])
        #expect(model.interleavesHeadRows)
    }

    @Test("Mistral 3's files say how queries grow, and what YaRN multiplies by")
    func mistral3() throws {
        let metadata: [String: Value] = [
            "rope.scaling.type": .string("yarn"), "rope.scaling.factor": .float32(16),
            "rope.scaling.original_context_length": .uint32(256), "rope.scaling.yarn_log_multiplier": .float32(1),
            "attention.temperature_scale": .float32(0.5),
        ]
        let model = try description("mistral3", metadata)
        #expect(model.interleavesHeadRows)
        #expect(model.rotary.first?.queryGrowth == RotaryParameters.QueryGrowth(beta: 0.5, length: 256))
        guard case .yarn(16, 1, 32, 1, 256, true) = model.rotary.first?.scaling else {
            Issue.record("\(model.rotary)")
            return
        }
        #expect(try description("mistral3").rotary.first?.queryGrowth == nil)
        #expect(throws: ModelError.self) { try description("mistral3", ["attention.temperature_scale": .float32(0.5)]) }
        #expect(throws: ModelError.self) { try description("mistral3", ["expert_count": .uint32(4)]) }
    }

    @Test("Windows are in the layers that a list of flags names, or in all but every so many")
    func windows() throws {
        let flags = Value.array(of: .bool(false), [.bool(true), .bool(false)])
        let window: [String: Value] = ["attention.sliding_window": .uint32(512)]
        func windows(_ architecture: String, _ more: [String: Value]) throws -> [Int?] {
            try description(architecture, window.merging(more) { $1 }).layers.map(\.attention?.window)
        }
        for architecture in ["olmo2", "exaone4"] {
            #expect(try windows(architecture, ["attention.sliding_window_pattern": flags]) == [512, nil])
            #expect(try windows(architecture, ["attention.sliding_window_pattern": .uint32(2)]) == [512, nil])
            #expect(try windows(architecture, ["block_count": .uint32(4)]) == [512, 512, 512, nil])
            #expect(try description(architecture).window == nil)
            #expect(throws: ModelError.self) {
                try windows(architecture, ["attention.sliding_window_pattern": flags, "block_count": .uint32(3)])
            }
        }
        #expect(try description("exaone4", ["block_count": .uint32(64)]).window == 4096)
        #expect(try description("exaone4").layers.map(\.attention?.rotary) == [0, 0])
    }

    @Test("gpt-oss's files leave out what its blend of frequencies does not round")
    func gptOss() throws {
        let metadata: [String: Value] = [
            "expert_count": .uint32(8), "expert_used_count": .uint32(2), "expert_feed_forward_length": .uint32(96),
            "attention.sliding_window": .uint32(128), "rope.scaling.type": .string("yarn"),
            "rope.scaling.factor": .float32(32), "rope.scaling.original_context_length": .uint32(128),
        ]
        let model = try configuration("gpt-oss", metadata)
        #expect(model.modelType == "gpt_oss" && model.transformer.mostExperts == 8)
        #expect(model.transformer.layers.map(\.attention?.window) == [128, nil])
        guard case .yarn(32, _, 32, 1, 128, false) = model.transformer.rotary.first?.scaling else {
            Issue.record("\(model.transformer.rotary)")
            return
        }
        #expect(throws: ModelError.self) { try description("gpt-oss") }
    }

    @Test(
        "A value that is missing or of another kind is an error that names it",
        arguments: ["context_length", "embedding_length", "block_count", "attention.head_count"]
    )
    func badValue(key: String) throws {
        let error = #expect(throws: ModelError.self) { try description("qwen2", [key: .string("x")]) }
        #expect(error?.description.hasPrefix("x.gguf: metadata qwen2.\(key) ") == true)
    }

    @Test("Heads out of range, and architectures that are not known, are errors")
    func heads() throws {
        for (key, value) in [
            ("attention.head_count", Value.uint32(0)), ("attention.head_count", .int64(.min)),
            ("attention.head_count_kv", .uint32(5)), ("embedding_length", .uint64(1 << 60)),
            ("attention.head_count_kv", .array(of: .uint32(0), [.uint32(1), .uint32(2)])),
            ("attention.head_count_kv", .uint32(3)), ("embedding_length", .uint32(66)),
            ("attention.value_length", .uint32(8)), ("attention.key_length", .int32(-16)),
            ("attention.layer_norm_rms_epsilon", .float32(.nan)),
        ] {
            #expect(throws: ModelError.self, "\(key)") { try description("qwen2", [key: value]) }
        }
        let error = #expect(throws: ModelError.self) { try description("bert") }
        #expect(
            error?.description.hasPrefix("x.gguf: metadata general.architecture: \"bert\" is not supported") == true
        )
    }
}
