import ModelFiles
import Testing

@testable import Inference

/// What Gemma 4's `config.json` describes.
@Suite struct Gemma4ConfigurationTests {
    private func description(json: String) throws -> TransformerDescription {
        let source = ModelSource.memory(["config.json": FileBytes(copying: Array(json.utf8))])
        return try ModelConfiguration(source: source).transformer
    }

    @Test(
        "A small Gemma 4 is read: a second embedding, and layers that read the keys and values of the last of their kind"
    )
    func gemma4() throws {
        let json = """
            {"model_type": "gemma4", "vision_config": {}, "audio_config": {}, "eos_token_id": [1, 106],
             "text_config": {"model_type": "gemma4_text", "hidden_size": 1536, "intermediate_size": 6144,
               "num_hidden_layers": 10, "num_key_value_heads": 1, "num_kv_shared_layers": 4, "use_double_wide_mlp": true,
               "final_logit_softcapping": 30.0, "layer_types": ["sliding_attention", "full_attention", "sliding_attention",
                 "full_attention", "sliding_attention", "sliding_attention", "sliding_attention", "full_attention",
                 "sliding_attention", "full_attention"]}}
            """
        let model = try description(json: json)
        #expect(model.heads == AttentionHeads(count: 8, kvCount: 1, size: 256))
        #expect(model.headKinds == [model.heads, AttentionHeads(count: 8, kvCount: 1, size: 512)])
        #expect(model.perLayerEmbedding == PerLayerEmbeddingDescription(size: 256, activation: .geluTanh))
        #expect(model.normOffset == 0 && model.tiesEmbeddings && model.logitSoftCap == 30)
        #expect(
            model.rotary == [
                RotaryParameters(base: 1e6, dimensions: 512, scaling: .proportional(pairs: 64, factor: 1)),
                RotaryParameters(base: 10_000, dimensions: 256),
            ]
        )
        #expect(model.layers.map(\.attention?.sharedLayer) == [nil, nil, nil, nil, nil, nil, 5, 3, 5, 3])
        #expect(model.layers.suffix(3).map(\.attention?.window) == [nil, 512, nil])
        #expect(
            model.layers.map { $0.feedForward?.innerSize } == Array(repeating: 6144, count: 6)
                + Array(repeating: 12_288, count: 4)
        )
        #expect(model.layers.allSatisfy { $0.attention?.scale == 1 && $0.attention?.valuesAreKeys == false })
        // Of 6 layers, 2 of them with heads of 512.
        #expect(model.kvBytesPerToken(.f16) == 2 * 2 * (4 * 256 + 2 * 512))
    }

    @Test("A large Gemma 4 is read: experts beside the dense network, and fewer keys, which are the values too")
    func gemma4WithExperts() throws {
        func model(_ changes: String = "") throws -> TransformerDescription {
            try description(
                json: """
                    {"model_type": "gemma4_text", "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 6,
                     "num_attention_heads": 16, "num_key_value_heads": 8, "num_global_key_value_heads": 2,
                     "attention_k_eq_v": true, "hidden_size_per_layer_input": null, "enable_moe_block": true,
                     "num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704\(changes)}
                    """
            )
        }
        let gemma = try model()
        let whole = AttentionHeads(count: 16, kvCount: 2, size: 512)
        #expect(gemma.layers.map(\.attention?.heads) == [nil, nil, nil, nil, nil, whole])
        #expect(gemma.layers.map(\.attention?.valuesAreKeys) == [false, false, false, false, false, true])
        #expect(gemma.perLayerEmbedding == nil && gemma.logitSoftCap == nil)
        let experts = ExpertsDescription(
            count: 128,
            chosenCount: 8,
            normalizesWeights: true,
            expert: DenseDescription(size: 704, activation: .geluTanh)
        )
        let both = FeedForwardKind.both(DenseDescription(size: 2112, activation: .geluTanh), experts)
        #expect(gemma.layers.allSatisfy { $0.feedForward == both && $0.hasOutputScale })
        // Models of more than ten layers have names with zeros.
        for name in ["5", "05", "005"] {
            let own = "{\"\(name)\": {\"head_dim\": 512, \"num_key_value_heads\": 2}}"
            #expect(try model(", \"per_layer_config\": \(own)") == gemma)
        }
        for (change, field) in [
            ("\"num_kv_shared_layers\": 6", "num_kv_shared_layers"),
            ("\"num_kv_shared_layers\": 1", "num_kv_shared_layers"),
            ("\"global_head_dim\": 0", "global_head_dim"),
            ("\"per_layer_config\": {\"2\": {\"head_dim\": 16}}", "per_layer_config"),
            ("\"per_layer_config\": {\"2\": {\"num_key_value_heads\": 3}}", "num_key_value_heads"),
            ("\"use_bidirectional_attention\": \"all\"", "use_bidirectional_attention"),
        ] {
            let error = #expect(throws: ModelError.self) { try model(", " + change) }
            #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
        }
    }
}
