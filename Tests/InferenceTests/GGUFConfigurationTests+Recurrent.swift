import ModelFiles
import Support
import Testing

@testable import Inference

/// Layers whose mixer is recurrent.
extension GGUFConfigurationTests {
    @Test("Delta nets are read, their value heads in llama.cpp's order, without layers that guess further tokens")
    func deltaNets() throws {
        let metadata: [String: Value] = [
            "ssm.conv_kernel": .uint32(4), "ssm.state_size": .uint32(16), "ssm.group_count": .uint32(2),
            "ssm.time_step_rank": .uint32(4), "ssm.inner_size": .uint32(128), "full_attention_interval": .uint32(2),
            "block_count": .uint32(5), "nextn_predict_layers": .uint32(1), "rope.dimension_count": .uint32(4),
        ]
        let model = try description("qwen35", metadata)
        var net = GatedDeltaNetDescription(keyHeads: 2, valueHeads: 4, keySize: 16, valueSize: 32, taps: 4)
        net.isTiled = true
        #expect(model.layers.map { $0.mixer == .gatedDeltaNet(net) } == [true, false, true, false])
        #expect(model.normOffset == 0 && model.rotary == [RotaryParameters(base: 10_000, dimensions: 4)])
        for (key, value) in [
            ("ssm.group_count", 3), ("ssm.inner_size", 126), ("ssm.inner_size", 72), ("ssm.state_size", 20),
        ] {
            let error = #expect(throws: ModelError.self) {
                try description("qwen35", metadata.merging([key: .uint32(UInt32(value))]) { $1 })
            }
            #expect(error?.description.contains(key) == true)
        }
    }

    @Test("Which layers are delta nets says a list, one flag for all or an interval, and never against the tensors")
    func recurrentLayers() throws {
        let metadata: [String: Value] = [
            "ssm.conv_kernel": .uint32(4), "ssm.state_size": .uint32(16), "ssm.group_count": .uint32(2),
            "ssm.time_step_rank": .uint32(4), "ssm.inner_size": .uint32(128), "full_attention_interval": .uint32(2),
            "block_count": .uint32(4), "nextn_predict_layers": .uint32(1), "rope.dimension_count": .uint32(4),
        ]
        let key = "attention.recurrent_layers"
        func layers(_ value: Value?, _ tensors: [String] = []) throws -> [Bool] {
            try description(
                "qwen35",
                metadata.merging(value.map { [key: $0] } ?? [:]) { $1 },
                tensors: tensors.map { Self.floats($0, [0]) }
            ).layers.map { $0.attention == nil }
        }
        func flags(_ flags: [Bool]) -> Value { .array(of: .bool(true), flags.map { .bool($0) }) }
        func numbers(_ numbers: [UInt32]) -> Value { .array(of: .uint32(0), numbers.map { .uint32($0) }) }
        #expect(try layers(nil) == [true, false, true])
        #expect(try layers(flags([false, true, true, false])) == [false, true, true])
        #expect(try layers(flags([false, true, true])) == [false, true, true])
        #expect(try layers(numbers([0, 1, 1, 0])) == [false, true, true])
        #expect(try layers(.bool(false)) == [false, false, false])
        let tensors = ["blk.0.attn_output.weight", "blk.1.ssm_out.weight", "blk.2.ssm_out.weight"]
        #expect(try layers(flags([false, true, true, false]), tensors) == [false, true, true])
        for (value, words) in [
            (flags([true, false]), "2 elements; 4"), (numbers([0, 1, 2, 0]), "has 2"),
            (.string("all"), "true or false"),
        ] {
            let error = #expect(throws: ModelError.self) { try layers(value) }
            #expect(error?.description.contains(words) == true && error?.description.contains(key) == true)
        }
        for (value, named, layer) in [
            (flags([false, false, true, false]), key, "layer 1 one of attention, but the file has blk.1.ssm_out"),
            (flags([true, true, true, false]), key, "layer 0 recurrent, but the file has blk.0.attn_output"),
            (nil, "full_attention_interval", "layer 0 recurrent, but the file has blk.0.attn_output"),
        ] {
            let error = #expect(throws: ModelError.self) { try layers(value, tensors) }
            #expect(error?.description.contains(named) == true && error?.description.contains(layer) == true)
        }
    }

    @Test("State spaces are read, where layers have neither heads of keys nor, in Nemotron, a feed-forward network")
    func stateSpaces() throws {
        func list(_ values: [UInt32]) -> Value { .array(of: .uint32(0), values.map { .uint32($0) }) }
        let metadata: [String: Value] = [
            "ssm.conv_kernel": .uint32(4), "ssm.state_size": .uint32(32), "ssm.group_count": .uint32(2),
            "ssm.time_step_rank": .uint32(4), "ssm.inner_size": .uint32(128),
        ]
        var space = StateSpaceDescription(heads: 4, headSize: 32, stateSize: 32, groups: 2, taps: 4)
        (space.convolutionBias, space.bias) = (.optional, .optional)
        let granite: [String: Value] = metadata.merging([
            "attention.head_count_kv": list([0, 2]), "rope.scaling.finetuned": .bool(false),
        ]) { $1 }
        let hybrid = try description("granitehybrid", granite)
        #expect(hybrid.layers.map { $0.mixer == .stateSpace(space) } == [true, false])
        #expect(hybrid.layers[1].attention?.rotary == nil && hybrid.interleavesHeadRows)
        let dense = DenseDescription(size: 128, activation: .silu, isFused: true)
        #expect(hybrid.layers.allSatisfy { $0.feedForward == .dense(dense) })
        let nemotron: [String: Value] = metadata.merging([
            "block_count": .uint32(5), "attention.head_count_kv": list([0, 2, 0, 0, 2]),
            "feed_forward_length": list([0, 0, 96, 0, 96]), "nextn_predict_layers": .uint32(1),
            "attention.layer_norm_epsilon": .float32(1e-4), "attention.key_length": .uint32(32),
        ]) { $1 }
        let model = try description("nemotron_h", nemotron)
        #expect(model.layers.map { $0.mixer == .stateSpace(space) } == [true, false, false, true])
        #expect(model.layers.map { $0.feedForward?.innerSize } == [nil, nil, 96, nil])
        #expect(model.layers[1].attention?.rotary == nil && model.heads.size == 32 && model.normEpsilon == 1e-5)
        for (architecture, fields) in [("granitehybrid", granite), ("nemotron_h", nemotron)] {
            for (key, value) in [
                ("ssm.group_count", 3), ("ssm.inner_size", 126), ("ssm.inner_size", 96), ("ssm.state_size", 20),
                ("ssm.conv_kernel", 1), ("ssm.time_step_rank", 0), ("attention.head_count_kv", 3),
            ] {
                let error = #expect(throws: ModelError.self) {
                    try description(architecture, fields.merging([key: .uint32(UInt32(value))]) { $1 })
                }
                #expect(error?.description.contains(key) == true, "\(error?.description ?? "no error")")
            }
        }
        let widths = ["feed_forward_length": list([0, 0, 96, 96, 32])]
        #expect(throws: ModelError.self) { try description("nemotron_h", nemotron.merging(widths) { $1 }) }
    }
}
