import Foundation
import Support
import Testing

/// Unused memory that is returned to the system, and weight files that are truncated.
@Suite struct MemoryTests {
    @Test("Memory of a burst is returned to the system when it is unused", .timeLimit(.minutes(5)))
    func givesBack() async throws {
        // 0.1 minutes are six seconds.
        let server = try ServerProcess(["--cache-idle-minutes", "0.1"])
        #expect(try await server.message("Hello", maxTokens: 2).status == "200")
        let before = server.residentBytes
        let words = String(repeating: "many words, and more; ", count: 600)
        let first = try await server.message(words, maxTokens: 2)
        #expect(first.status == "200", "\(first.body)")
        let tokens = first.usage["input_tokens"] as? Int ?? 0
        // Keys and values of a token take 2,304 bytes.
        let taken = tokens * 2304
        #expect(tokens > 5000 && server.residentBytes > before + taken * 8 / 10)
        var blocks: [String: Any] = [:]
        for _ in 0..<600 {
            blocks = try await server.health().object["kv_blocks"] as? [String: Any] ?? [:]
            if blocks["cached"] as? Int == 0, server.residentBytes < before + taken * 4 / 10 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(blocks["cached"] as? Int == 0)
        #expect(server.residentBytes < before + taken * 4 / 10, "\(before) before, \(server.residentBytes) now")
        // Everything works as before.
        let again = try await server.message(words, maxTokens: 2)
        #expect(again.text == first.text && again.usage["cache_read_input_tokens"] as? Int == 0)
    }

    @Test("A truncated weight file fails the answers and is named in the log, and the server goes on")
    func cutShort() async throws {
        let model = try LargeModel()
        let server = try ServerProcess(["--model", model.folder.path])
        #expect(try await server.message("Hi", maxTokens: 4).status == "200")
        #expect(truncate(model.weights, 8192) == 0)
        for _ in 0..<2 {
            let response = try await server.message("Hello there", maxTokens: 4)
            #expect(response.status == "500" && response.error["type"] as? String == "api_error", "\(response.body)")
            #expect(!response.body.contains(model.weights))
        }
        let health = try await server.health()
        #expect(health.status == "503" && health.object["status"] as? String == "unhealthy")
        let count = server.said.components(separatedBy: model.weights + ": weights cannot be read any more").count
        #expect(count == 2, "\(server.said)")
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("Threads and KV memory beyond what the machine has cause a warning")
    func warnings() async throws {
        let machine = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
        let total = try #require(machine.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
        let gibibytes = (total >> 20) + 2
        let outcome = try await Program.run(
            ["generate", "--threads", "256", "--kv-memory", "\(gibibytes)G", "--max-tokens", "1", "Hi"]
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("warning: --threads 256: this program may use"))
        #expect(outcome.errors.contains("warning: --kv-memory \(gibibytes) GiB: there are"))
        let usual = try await Program.run([
            "generate", "--threads", "1", "--kv-memory", "64M", "--max-tokens", "1", "Hi",
        ])
        #expect(!usual.errors.contains("warning"))
    }
}

/// A model with so many float weights that they stay mapped. All are zeros, in a sparse file.
private final class LargeModel: Sendable {
    let folder: ModelFolder
    var weights: String { folder.path + "/model.safetensors" }

    init() throws {
        let (hidden, size, layers, vocabulary) = (256, 8192, 3, 771)
        folder = try ModelFolder([
            "config.json": """
            {"model_type": "llama", "hidden_size": \(hidden), "intermediate_size": \(size), "vocab_size": \(vocabulary),
             "num_hidden_layers": \(layers), "num_attention_heads": 4, "max_position_embeddings": 512,
             "tie_word_embeddings": true, "eos_token_id": 767}
            """,
            "model.safetensors": "",
        ])
        var tensors = [("model.embed_tokens", [vocabulary, hidden]), ("model.norm", [hidden])]
        for layer in 0..<layers {
            let path = "model.layers.\(layer)."
            tensors += [("input_layernorm", [hidden]), ("post_attention_layernorm", [hidden])].map { (path + $0, $1) }
            tensors += ["q", "k", "v", "o"].map { (path + "self_attn.\($0)_proj", [hidden, hidden]) }
            tensors += ["gate", "up"].map { (path + "mlp.\($0)_proj", [size, hidden]) }
            tensors.append((path + "mlp.down_proj", [hidden, size]))
        }
        var (items, end): ([String], Int) = ([], 0)
        for (name, shape) in tensors {
            let start = end
            end += 4 * shape.reduce(1, *)
            items.append("\"\(name).weight\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}")
        }
        var header = "{" + items.joined(separator: ",") + "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var bytes = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: header.utf8)
        try bytes.write(to: URL(fileURLWithPath: weights))
        guard end > 64 << 20, truncate(weights, bytes.count + end) == 0 else { throw SupportError("no large model") }
    }
}
