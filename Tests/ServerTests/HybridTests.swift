import Foundation
import Support
import Testing

/// A model with recurrent layers in a real server: its states outlive it.
@Suite struct HybridTests {
    private let folder = NSTemporaryDirectory() + "prefix-cache-" + UUID().uuidString

    /// The answer of a server that lives for one request.
    private func answer(_ model: ModelFolder, _ messages: [[String: String]], cache: Bool) async throws -> PlainResponse
    {
        let cacheFlags = cache ? ["--prefix-cache-dir", folder] : []
        let server = try ServerProcess(["--model", model.path, "--kv-memory", "32M"] + cacheFlags)
        let body: [String: Any] = [
            "model": "m", "max_tokens": 30, "temperature": 0, "messages": messages,
            "system": String(repeating: "Numbers are added with care. ", count: 20),
        ]
        let json = try JSONSerialization.data(withJSONObject: body)
        let response = try await server.answer(to: String(decoding: json, as: UTF8.self))
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 60) == 0)
        #expect(!server.said.contains("not used"))
        return response
    }

    private func cached(_ response: PlainResponse) throws -> Int {
        try #require(response.usage["cache_read_input_tokens"] as? Int)
    }

    /// Files of the cache whose names end so.
    private func files(_ suffix: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }
            .map { URL(fileURLWithPath: folder + "/" + $0) }
    }

    @Test("A conversation goes on after a restart from the last state that was saved", .timeLimit(.minutes(5)))
    func stateOutlivesServer() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try ModelFolder()
        try model.makeHybrid()
        var turns = [["role": "user", "content": "What is 23 + 45?"]]
        let first = try await answer(model, turns, cache: true)
        #expect(try cached(first) == 0)
        let promptTokens =
            try #require(first.usage["input_tokens"] as? Int)
            + (first.usage["cache_creation_input_tokens"] as? Int ?? 0)
        let text = try #require(first.text)
        turns += [["role": "assistant", "content": text], ["role": "user", "content": "And 7 more?"]]
        let alone = try await answer(model, turns, cache: false)
        let second = try await answer(model, turns, cache: true)
        #expect(second.text == alone.text && second.text?.isEmpty == false && second.text != text)
        // Near the end of the first prompt there is a state, if not at the end of the answer.
        #expect(promptTokens > 200)
        #expect(try cached(second) > promptTokens - 8 - 16)
        #expect(try cached(alone) == 0)

        // Without states, or with damaged ones, the blocks are of no use, and the answer is the same.
        #expect(try files(".kvstate").count > 1 && files(".kvblock").count > 10)
        for file in try files(".kvstate") {
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 0x40
            try bytes.write(to: file)
        }
        let third = try await answer(model, turns, cache: true)
        #expect(try third.text == alone.text && cached(third) == 0)
    }
}

extension ModelFolder {
    /// Puts a model of the kind of Qwen 3.5 with random weights in the place of the built-in one, with that one's vocabulary.
    func makeHybrid() throws {
        let config = """
            {"model_type": "qwen3_5_text", "vocab_size": 771, "hidden_size": 64, "intermediate_size": 64,
            "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
            "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "hidden_act": "silu",
            "bos_token_id": 763, "eos_token_id": 767, "attention_bias": false, "linear_num_key_heads": 2,
            "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 32,
            "linear_conv_kernel_dim": 4, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0,
            "partial_rotary_factor": 0.25, "mrope_interleaved": true, "mrope_section": [2, 1, 1]}}
            """
        try Data(config.utf8).write(to: URL(fileURLWithPath: path + "/config.json"))
        try RandomWeights(Self.hybridShapes).write(to: path + "/model.safetensors")
    }

    private static var hybridShapes: [(name: String, shape: [Int])] {
        var shapes: [(String, [Int])] = [("embed_tokens", [771, 64]), ("norm", [64])]
        for layer in 0..<4 {
            let ofAll: [(String, [Int])] = [
                ("input_layernorm", [64]), ("post_attention_layernorm", [64]), ("mlp.gate_proj", [64, 64]),
                ("mlp.up_proj", [64, 64]), ("mlp.down_proj", [64, 64]),
            ]
            let ofAttention: [(String, [Int])] = [
                ("self_attn.q_proj", [128, 64]), ("self_attn.k_proj", [32, 64]), ("self_attn.v_proj", [32, 64]),
                ("self_attn.o_proj", [64, 64]), ("self_attn.q_norm", [32]), ("self_attn.k_norm", [32]),
            ]
            let recurrent: [(String, [Int])] = [
                ("linear_attn.A_log", [4]), ("linear_attn.dt_bias", [4]), ("linear_attn.conv1d", [192, 1, 4]),
                ("linear_attn.in_proj_a", [4, 64]), ("linear_attn.in_proj_b", [4, 64]),
                ("linear_attn.in_proj_qkv", [192, 64]), ("linear_attn.in_proj_z", [128, 64]),
                ("linear_attn.norm", [32]), ("linear_attn.out_proj", [64, 128]),
            ]
            shapes += (ofAll + (layer == 3 ? ofAttention : recurrent)).map { ("layers.\(layer).\($0.0)", $0.1) }
        }
        return shapes.map { name, shape in
            let isPlain = name.hasSuffix("A_log") || name.hasSuffix("dt_bias")
            return ("model." + name + (isPlain ? "" : ".weight"), shape)
        }
    }
}

/// Tensors of random numbers as a file, the same each time.
private struct RandomWeights {
    let shapes: [(name: String, shape: [Int])]

    init(_ shapes: [(name: String, shape: [Int])]) { self.shapes = shapes }

    func write(to path: String) throws {
        var numbers = SeededGenerator(seed: 7)
        var header: [String: Any] = [:]
        var data = Data()
        for (name, shape) in shapes {
            let count = shape.reduce(1, *)
            let scale = shape.count == 1 ? 0.5 : 1.5 / Float(shape.dropFirst().reduce(1, *)).squareRoot()
            let values = (0..<count).map { _ in Float.random(in: -scale...scale, using: &numbers) }
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [data.count, data.count + 4 * count]]
            values.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        let head = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
        let length = withUnsafeBytes(of: UInt64(head.count).littleEndian) { Data($0) }
        try (length + head + data).write(to: URL(fileURLWithPath: path))
    }
}
