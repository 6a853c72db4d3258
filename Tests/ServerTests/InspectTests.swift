import Foundation
import Support
import Testing

/// `pensieve inspect`: what it says of models without loading them.
@Suite struct InspectTests {
    @Test("inspect counts floats of 8 bits as they are held, and their factors as none", .timeLimit(.minutes(1)))
    func inspectFloat8() async throws {
        struct Report: Decodable {
            struct Group: Decodable {
                var kind: String
                var form: String
                var parameters: Int
                var bytes: Int
            }
            var tensors: [Group]
        }
        let folder = "Tests/InferenceTests/Fixtures/qwen3-float8"
        let outcome = try await Program.run(["inspect", folder, "--json"])
        let tensors = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)).tensors
        let feedForward = tensors.filter { $0.kind == "feed-forward" && $0.parameters > 0 }
        // As config.json has it.
        #expect(feedForward.map(\.parameters) == [2 * 3 * 32 * 64] && feedForward.map(\.bytes) == [2 * 2 * 3 * 32 * 64])
        #expect(feedForward.first?.form == "F8_E4M3, held as BF16")
    }

    @Test("inspect shows what the files contain", .timeLimit(.minutes(1)))
    func inspect() async throws {
        struct Report: Decodable {
            var architecture: String
            var parameters: Int
            var kvBytesPerToken: Int
            var contextLength: Int
            var chatExample: String
        }
        let outcome = try await Program.run(["inspect", "Sources/BuiltinModel/model", "--json"])
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        // As config.json has it.
        let (hidden, middle, layers, vocabulary) = (256, 704, 6, 771)
        let layer = 4 * hidden * hidden + 3 * hidden * middle + 2 * hidden
        #expect(report.parameters == 2 * vocabulary * hidden + layers * layer + hidden)
        #expect(report.architecture == "phi3" && report.contextLength == 16384)
        #expect(report.chatExample.contains("<|user|>\nWhat is 23 + 45?<|end|>\n<|assistant|>\n"))
        let drafting = try await Program.run(["inspect", "Tests/InferenceTests/Fixtures/qwen3_5_text-draft"])
        #expect(drafting.status == 0 && drafting.output.contains("draft head"))
        #expect(!drafting.output.contains("left out"))
        let builtIn = try await Program.run(["inspect"])
        #expect(!builtIn.output.contains("draft head"))
        #expect(builtIn.status == 0 && builtIn.output.contains("6 layers of 256"), "\(builtIn.output)")
        // Bytes, and two scales for each of eight heads.
        #expect(report.kvBytesPerToken == layers * (2 * hidden + 2 * 8 * 4))
        let floats = try await Program.run(["inspect", "--kv-type", "f32"])
        #expect(floats.output.contains("for each token, as f32"), "\(floats.output)\(floats.errors)")
        #expect(try await Program.run(["inspect", "nobody/nothing"], environment: ["HF_HOME": "/nowhere"]).status == 1)
    }
}
