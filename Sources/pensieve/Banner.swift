import EngineContract

/// What a server says of itself when it is ready.
enum Banner {
    static func text(
        _ engine: EngineDescription,
        _ configuration: Configuration,
        port: UInt16,
        keys: [String]
    ) -> String {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let address = "http://\(host):\(port)"
        let kvBytes = engine.blockCount * engine.blockSize * engine.kvBytesPerToken
        var lines = ["Pensieve \(Command.version) is ready at \(address)", ""]
        if engine.isMock {
            lines.append("  model       none: --mock answers with the request's own text")
        } else {
            lines += [
                "  model       \(engine.displayName) (\(engine.architecture))",
                "  parameters  \(Format.parameters(engine.parameterCount)), \(engine.quantization), "
                    + "\(Format.bytes(engine.weightBytes)) of weights",
                "  context     \(engine.contextLength) tokens for each session",
                "  KV memory   \(Format.bytes(kvBytes)): \(engine.blockCount * engine.blockSize) tokens in all",
                "  compute     \(engine.threads) threads, \(engine.kernelVariant) kernels",
            ]
        }
        lines.append("  keys        " + keysText(keys))
        let key = keys.isEmpty ? "test-api-key-12345" : "$YOUR_KEY"
        lines += [
            "",
            "Try it:",
            "  curl \(address)/v1/messages -H 'authorization: Bearer \(key)' \\",
            "    -d '{\"model\":\"claude-local\",\"max_tokens\":64,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"What is 23 + 45?\"}]}'",
            "",
        ]
        return lines.joined(separator: "\n")
    }

    private static func keysText(_ keys: [String]) -> String {
        keys.isEmpty
            ? "none configured: development keys (test-api-key-12345, sk-ant-api-…) pass from this machine"
            : "\(keys.count) configured"
    }
}
