import Foundation
import Support
import Testing

@testable import ModelFiles

/// GGUF files as models: what a folder would say, made from metadata.
@Suite struct GGUFModelTests {
    private typealias Value = GGUFBuilder.Value

    private func source(
        _ architecture: String,
        _ metadata: [String: Value] = [:],
        tensors: [GGUFBuilder.Tensor] = []
    ) throws -> ModelSource {
        let common: [String: Value] = [
            "context_length": .uint32(4096), "embedding_length": .uint32(64), "feed_forward_length": .uint32(128),
            "block_count": .uint32(2), "attention.head_count": .uint32(4), "attention.head_count_kv": .uint32(2),
            "attention.layer_norm_rms_epsilon": .float32(1e-5),
        ]
        var values: [(key: String, value: Value)] = [("general.architecture", .string(architecture))]
        values += common.merging(metadata.filter { !$0.key.contains("tokenizer.") }) { $1 }
            .map { ("\(architecture).\($0)", $1) }
        values += metadata.filter { $0.key.contains("tokenizer.") }.map { ($0, $1) }
        let embedding = GGUFBuilder.Tensor("token_embd.weight", [10, 1], bytes: [UInt8](repeating: 0, count: 40))
        let builder = GGUFBuilder(values, tensors: [embedding] + tensors)
        return .gguf(try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: builder.bytes))]))
    }

    private func configuration(_ source: ModelSource) throws -> [String: Any] {
        let file = try source.requiredFile("config.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(file.array)) as? [String: Any])
    }

    private static func floats(_ name: String, _ values: [Float]) -> GGUFBuilder.Tensor {
        .init(name, [UInt64(values.count)], bytes: values.flatMap { withUnsafeBytes(of: $0, Array.init) })
    }

    @Test("The fields of config.json are made from metadata, by architecture")
    func fields() throws {
        let qwen = try configuration(source("qwen2", ["rope.freq_base": .float32(1e6)]))
        #expect(qwen["model_type"] as? String == "qwen2" && qwen["rope_theta"] as? Double == 1e6)
        #expect(qwen["vocab_size"] as? Int == 10 && qwen["head_dim"] as? Int == 16)
        #expect(qwen["tie_word_embeddings"] as? Bool == true && qwen["sliding_window"] is NSNull)

        let output = GGUFBuilder.Tensor("output.weight", [10, 1], bytes: [UInt8](repeating: 0, count: 40))
        let phi = try configuration(
            source(
                "phi3",
                [
                    "attention.sliding_window": .uint32(2047), "rope.scaling.original_context_length": .uint32(1024),
                    "rope.scaling.attn_factor": .float32(1.25), "rope.dimension_count": .uint32(12),
                ],
                tensors: [
                    output, Self.floats("rope_factors_short.weight", [1, 2]),
                    Self.floats("rope_factors_long.weight", [3, 4]),
                ]
            )
        )
        let scaling = try #require(phi["rope_scaling"] as? [String: Any])
        #expect(phi["sliding_window"] as? Int == 2047 && phi["tie_word_embeddings"] as? Bool == false)
        #expect(phi["partial_rotary_factor"] as? Double == 0.75)
        #expect(phi["original_max_position_embeddings"] as? Int == 1024)
        #expect(scaling["short_factor"] as? [Double] == [1, 2] && scaling["long_factor"] as? [Double] == [3, 4])
        #expect(scaling["rope_type"] as? String == "longrope" && scaling["attention_factor"] as? Double == 1.25)

        let llama = try configuration(source("llama", tensors: [Self.floats("rope_freqs.weight", [1, 8])]))
        let frequencies = try #require(llama["rope_scaling"] as? [String: Any])
        #expect(frequencies["short_factor"] as? [Double] == [1, 8] && frequencies["attention_factor"] as? Double == 1)

        let gemma2 = try configuration(source("gemma2", ["attn_logit_softcapping": .float32(50)]))
        #expect(gemma2["sliding_window"] as? Int == 4096 && gemma2["attn_logit_softcapping"] as? Double == 50)
        #expect(gemma2["final_logit_softcapping"] as? Double == 30 && gemma2["query_pre_attn_scalar"] as? Double == 16)
        let gemma3 = try configuration(
            source(
                "gemma3",
                [
                    "block_count": .uint32(62), "attention.key_length": .uint32(32),
                    "attention.value_length": .uint32(32),
                    "rope.scaling.type": .string("linear"), "rope.scaling.factor": .float32(8),
                ]
            )
        )
        #expect(gemma3["model_type"] as? String == "gemma3_text" && gemma3["head_dim"] as? Int == 32)
        #expect(gemma3["query_pre_attn_scalar"] as? Double == 16 && gemma3["final_logit_softcapping"] is NSNull)
        #expect((gemma3["rope_scaling"] as? [String: Any])?["factor"] as? Double == 8)

        let experts: [String: Value] = [
            "expert_count": .uint32(8), "expert_used_count": .uint32(2), "expert_feed_forward_length": .uint32(96),
        ]
        let mixture = try configuration(source("qwen3moe", experts))
        #expect(mixture["model_type"] as? String == "qwen3_moe" && mixture["moe_intermediate_size"] as? Int == 96)
        #expect(mixture["num_experts"] as? Int == 8 && mixture["num_experts_per_tok"] as? Int == 2)
        #expect(throws: ModelError.self) { try configuration(source("llama", experts)) }
    }

    @Test(
        "A value that is missing or of another kind is an error that names it",
        arguments: ["context_length", "embedding_length", "block_count", "attention.head_count"]
    )
    func badValue(key: String) throws {
        let error = #expect(throws: ModelError.self) { try configuration(source("qwen2", [key: .string("x")])) }
        #expect(error?.description.hasPrefix("x.gguf: metadata qwen2.\(key): ") == true)
    }

    @Test("Heads out of range, and architectures that are not known, are errors")
    func heads() throws {
        for (key, value) in [
            ("attention.head_count", Value.uint32(0)), ("attention.head_count", .int64(.min)),
            ("attention.head_count_kv", .uint32(5)), ("embedding_length", .uint64(1 << 60)),
            ("attention.head_count_kv", .array(of: .uint32(0), [.uint32(1), .uint32(2)])),
            ("attention.value_length", .uint32(8)), ("attention.key_length", .int32(-16)),
            ("attention.layer_norm_rms_epsilon", .float32(.nan)),
        ] {
            #expect(throws: ModelError.self, "\(key)") { try configuration(source("qwen2", [key: value])) }
        }
        let error = #expect(throws: ModelError.self) { try configuration(source("bert")) }
        #expect(
            error?.description.hasPrefix("x.gguf: metadata general.architecture: \"bert\" is not supported") == true
        )
    }

    // MARK: Tensors

    @Test("Norms of Gemma and rows of Llama are marked to be put right, and nothing else is")
    func adjustments() throws {
        func adjustments(_ architecture: String) throws -> [String: Tensor.Adjustment] {
            let names = [
                "attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_q.bias", "attn_norm.weight",
                "attn_q_norm.weight",
                "attn_qkv.weight",
            ]
            let tensors = names.map { Self.floats("blk.7.\($0)", [1]) } + [Self.floats("output_norm.weight", [1])]
            let directory = try TensorDirectory(source: source(architecture, tensors: tensors))
            let changed = directory.tensors.filter { $0.value.adjustment != .none }
            return Dictionary(uniqueKeysWithValues: changed.map { ($0.key, $0.value.adjustment) })
        }
        let attention = "model.layers.7.self_attn"
        #expect(
            try adjustments("llama") == [
                "\(attention).q_proj.weight": .separateHalves(heads: 4, headSize: 16),
                "\(attention).q_proj.bias": .separateHalves(heads: 4, headSize: 16),
                "\(attention).k_proj.weight": .separateHalves(heads: 2, headSize: 16),
                "\(attention).qkv_proj.weight": .separateHalves(heads: 6, headSize: 16),
            ]
        )
        #expect(
            try adjustments("gemma3") == [
                "model.layers.7.input_layernorm.weight": .subtractOne, "\(attention).q_norm.weight": .subtractOne,
                "model.norm.weight": .subtractOne,
            ]
        )
        #expect(try adjustments("qwen3").isEmpty)
    }

    // MARK: Vocabulary

    private static func strings(_ texts: [String]) -> Value { .array(of: .string(""), texts.map { .string($0) }) }

    private static let vocabulary: [String: Value] = [
        "tokenizer.ggml.model": .string("gpt2"), "tokenizer.ggml.pre": .string("qwen2"),
        "tokenizer.ggml.tokens": strings(["a", "b", "ab", "<|im_end|>", "<s>", "<|end|>", "<|endoftext|>"]),
        "tokenizer.ggml.token_type": .array(of: .int32(0), [1, 1, 1, 3, 3, 1, 4].map { .int32($0) }),
        "tokenizer.ggml.merges": strings(["a b"]), "tokenizer.ggml.bos_token_id": .uint32(4),
        "tokenizer.ggml.eos_token_id": .uint32(2), "tokenizer.ggml.padding_token_id": .uint32(.max),
        "tokenizer.ggml.add_bos_token": .bool(false), "tokenizer.chat_template": .string("{{ x }}"),
        "tokenizer.chat_template.tool_use": .string("{{ y }}"),
    ]

    @Test("The vocabulary and the template are there as plain values, and in the files that a folder has")
    func vocabulary() throws {
        let source = try source("qwen2", Self.vocabulary)
        guard case .gguf(let model) = source else {
            Issue.record("the source is not a GGUF file")
            return
        }
        let vocabulary = try #require(try GGUFVocabulary(model))
        #expect(vocabulary.model == "gpt2" && vocabulary.pre == "qwen2" && vocabulary.tokens.count == 7)
        #expect(vocabulary.merges == ["a b"] && vocabulary.types == [1, 1, 1, 3, 3, 1, 4] && vocabulary.scores.isEmpty)
        #expect(vocabulary.bosToken == 4 && vocabulary.paddingToken == nil && vocabulary.addsBOS == false)
        // The one that is named, and those known by their text unless they are normal tokens.
        #expect(vocabulary.endTokens == [2, 3, 6])
        let generation = try source.requiredFile("generation_config.json")
        #expect(String(decoding: generation.array, as: UTF8.self) == "{\"eos_token_id\":[2,3,6]}")
        #expect(try String(decoding: source.requiredFile("chat_template.jinja").array, as: UTF8.self) == "{{ x }}")
        let tools = try source.requiredFile("additional_chat_templates/tool_use.jinja").array
        #expect(String(decoding: tools, as: UTF8.self) == "{{ y }}")
        let file = try source.requiredFile("tokenizer_config.json").array
        let tokenizer = try #require(try JSONSerialization.jsonObject(with: Data(file)) as? [String: Any])
        #expect(tokenizer["bos_token"] as? String == "<s>" && tokenizer["eos_token"] as? String == "ab")
        #expect(tokenizer["add_bos_token"] as? Bool == false && tokenizer["pad_token"] == nil)
        #expect(try source.file("tokenizer.json") == nil)
        #expect(source.folderName == "x")
    }

    @Test("A vocabulary whose parts do not fit together is an error")
    func badVocabulary() throws {
        for (key, value) in [
            ("tokenizer.ggml.tokens", Value.uint8(3)),
            ("tokenizer.ggml.token_type", .array(of: .int32(0), [.int32(1)])),
            ("tokenizer.ggml.scores", .array(of: .float32(0), [.float32(1)])),
            ("tokenizer.ggml.merges", .string("a b")), ("tokenizer.ggml.bos_token_id", .string("a")),
        ] {
            let source = try source("qwen2", Self.vocabulary.merging([key: value]) { $1 })
            #expect(throws: ModelError.self, "\(key)") { try source.file("generation_config.json") }
        }
    }
}
