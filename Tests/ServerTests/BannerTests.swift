import EngineContract
import Foundation
import Support
import Testing

@testable import pensieve

/// The banner of a server that is ready.
@Suite struct BannerTests {
    private static func engine(_ name: String, isMock: Bool = false) -> EngineDescription {
        EngineDescription(
            modelID: "model",
            displayName: name,
            architecture: "qwen3_moe",
            parameterCount: 30_532_122_624,
            quantization: "MLX 4-bit, group 64, with exceptions",
            contextLength: 262_144,
            vocabularySize: 151_936,
            blockSize: 16,
            blockCount: 16_384,
            kvBytesPerToken: 98_304,
            weightBytes: 17_179_869_184,
            threads: 128,
            kernelVariant: "avx512vnni",
            isMock: isMock
        )
    }

    private static let longPath = "/srv/" + String(repeating: "a long folder's name/", count: 9) + "keys"

    /// Hosts, key files, and names of models.
    private static let cases: [(String, String?, EngineDescription)] = [
        ("127.0.0.1", nil, engine("Pensieve's built-in model (a small demonstration model)")),
        ("127.0.0.1", nil, engine("none", isMock: true)), ("0.0.0.0", "/etc/pensieve/keys", engine("a/b:Q4_K_M")),
        ("2001:db8:1234:5678:9abc:def0:1234:5678", "keys.txt", engine(String(repeating: "unbroken-name-", count: 12))),
        ("localhost", longPath, engine(String(repeating: "漢字", count: 60))),
    ]

    private func banner(_ index: Int) -> String {
        var configuration = Configuration()
        (configuration.host, configuration.apiKeyFile) = (Self.cases[index].0, Self.cases[index].1)
        return Banner.text(
            Self.cases[index].2,
            configuration,
            sampling: SamplingParameters(
                temperature: 0.65,
                topP: 0.955,
                topK: 1024,
                minP: 0.05,
                repetitionPenalty: 1.05
            ),
            port: 65535,
            keys: Self.cases[index].1 == nil ? 0 : 12
        )
    }

    @Test("No line of the banner is wider than 80 columns", arguments: cases.indices)
    func width(_ index: Int) {
        let lines = banner(index).split(separator: "\n")
        let wide = lines.filter { String($0).columns > 80 }
        #expect(lines.count > 4 && wide.isEmpty, "\(wide)")
    }

    @Test("The progress line of a model that is being loaded fits its terminal", arguments: [40, 80, 200])
    func loadingLine(_ width: Int) {
        let path = "/srv/models/" + String(repeating: "folder/", count: 20) + "model.Q4_K_M.gguf"
        let lines = [0, 7, 100].map { LoadingLine.text(path, percent: $0, width: width) }
        #expect(lines.allSatisfy { $0.columns < width }, "\(lines)")
        #expect(lines[2].hasPrefix("Loading /") && lines[2].hasSuffix(" 100 %"))
        #expect(LoadingLine.text("a/b", percent: 0, width: width).hasPrefix("Loading a/b "))
    }

    @Test(
        "A shell reads the commands of the banner as intended, however they are wrapped",
        arguments: cases.indices
    )
    func commands(_ index: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var text = banner(index)
        let path = Self.cases[index].1 ?? ""
        // The named key file is created in a folder of this test, and the text adapted to its path.
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("# ours\nkey-1 # a laptop\n".utf8).write(to: URL(fileURLWithPath: folder + "/keys"))
        let start = try #require(text.range(of: "  pensieve chat")).lowerBound
        text = String(text[start...])
        let script = """
            show() { for argument in "$@"; do printf '%s\\0' "$argument"; done; printf '\\0'; }
            pensieve() { show pensieve "$@"; }
            curl() { show curl "$@"; }
            grep() { command grep "$1" "$2" '\(folder)/keys'; show "$3" >&2; }

            """
        let outcome = try await Program.run(["-c", script + text], executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let commands = outcome.output.split(separator: "\0\0").map { $0.split(separator: "\0").map(String.init) }
        try #require(commands.count == 2)
        let host = ["0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1"][Self.cases[index].0] ?? Self.cases[index].0
        let base = "http://\(host.contains(":") ? "[\(host)]" : host):65535"
        #expect(commands[0] == ["pensieve", "chat", "--url", base] + (path.isEmpty ? [] : ["--api-key-file", path]))
        let curl = commands[1]
        try #require(curl.count == 6)
        #expect(curl[1] == base + "/v1/messages" && curl[2] == "-H" && curl[4] == "-d")
        #expect(curl[3] == "authorization: Bearer " + (path.isEmpty ? "test-api-key-12345" : "key-1"))
        if !path.isEmpty { #expect(outcome.errors == path + "\0\0") }
        let body = try JSONSerialization.jsonObject(with: Data(curl[5].utf8)) as? [String: Any]
        #expect(body?["max_tokens"] as? Int == 64 && (body?["messages"] as? [[String: String]])?.count == 1)
    }
}
