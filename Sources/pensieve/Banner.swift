import EngineContract
import Foundation

/// What a server says of itself when it is ready.
enum Banner {
    /// - Parameter keys: how many are configured.
    static func text(
        _ engine: EngineDescription,
        _ configuration: Configuration,
        sampling: SamplingParameters,
        port: UInt16,
        keys: Int
    ) -> String {
        var lines = ["Pensieve \(Command.version) is ready at \(address(configuration.host, port))", ""]
        if engine.isMock {
            lines += [
                "  model       none: --mock answers \"Mock response to: <last user text>\"",
                "  speed       \(Format.number(configuration.mockTokensPerSecond)) tokens per second for each session",
            ]
        } else {
            let tokens = engine.blockCount * engine.blockSize
            lines += [
                "  model       \(engine.displayName), architecture \(engine.architecture)",
                "  parameters  \(Format.parameters(engine.parameterCount)), \(engine.quantization), "
                    + "\(Format.bytes(engine.weightBytes)) of weights",
                "  context     \(Format.count(engine.contextLength)) tokens for each session",
                "  KV memory   \(Format.bytes(tokens * engine.kvBytesPerToken)), \(Format.count(tokens)) tokens in all",
                "  memory      at most \(Format.bytes(peakBytes(engine, configuration))) in all, and "
                    + "\(Format.bytes(configuration.maxBodyMemoryBytes)) for requests' bodies",
                "  sampling    \(sampling.text), where a request does not say",
                "  compute     \(engine.threads) \(engine.threads == 1 ? "thread" : "threads"), "
                    + "\(engine.kernelVariant) kernels",
            ]
        }
        lines.append("  keys        " + keysText(keys))
        return (lines + ["", "Try it:"] + example(configuration, port: port) + [""]).joined(separator: "\n")
    }

    /// What weights, KV cache and steps take at most.
    private static func peakBytes(_ engine: EngineDescription, _ configuration: Configuration) -> Int {
        engine.weightBytes + engine.blockCount * engine.blockSize * engine.kvBytesPerToken
            + engine.working.bytes(stepTokens: configuration.stepTokens, samples: configuration.mostSamples)
    }

    private static func keysText(_ count: Int) -> String {
        count == 0
            ? "none configured: development keys (test-api-key-12345, sk-ant-api-…) pass from this machine"
            : "\(count) configured; no others pass"
    }

    /// A request ready to be pasted into a shell on this machine.
    private static func example(_ configuration: Configuration, port: UInt16) -> [String] {
        // An address that stands for all is none to send to.
        let here = ["0.0.0.0": "127.0.0.1", "::": "::1"][configuration.host] ?? configuration.host
        let key =
            configuration.apiKeyFile.map { "$(grep -om1 '^[^[:space:]#][^[:space:]]*' \(shellQuoted($0)))" }
            ?? "test-api-key-12345"
        return [
            "  curl \(shellQuoted(address(here, port) + "/v1/messages")) -H \"authorization: Bearer \(key)\" \\",
            "    -d '{\"model\":\"claude-local\",\"max_tokens\":64,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"What is 23 + 45?\"}]}'",
        ]
    }

    private static func address(_ host: String, _ port: UInt16) -> String {
        // Of its two addresses, the one that every client has.
        let host = host.lowercased() == "localhost" ? "127.0.0.1" : host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func shellQuoted(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+:".contains($0)) }
        return isPlain ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
