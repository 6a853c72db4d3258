import Console
import EngineContract
import Foundation
import HTTPFront
import MessagesAPI

/// The message of a server that is ready: lines of at most 80 columns, unless its address is longer.
enum Banner {
    /// - Parameter keys: the number of configured keys.
    static func text(
        _ engine: EngineDescription,
        _ configuration: Configuration,
        sampling: SamplingParameters,
        port: UInt16,
        keys: Int
    ) -> String {
        var lines = ["Pensieve \(Command.version) is ready at \(address(configuration.host, port))", ""]
        lines += (facts(engine, configuration, sampling) + [("keys", keysText(keys))]).flatMap(TextWrap.field)
        return (lines + [""] + invitation(configuration, port: port) + [""]).joined(separator: "\n")
    }

    private static func facts(
        _ engine: EngineDescription,
        _ configuration: Configuration,
        _ sampling: SamplingParameters
    ) -> [(name: String, value: String)] {
        if engine.isMock {
            return [
                ("model", "none: --mock answers \"Mock response to: <last user text>\""),
                ("speed", "\(Format.number(configuration.mockTokensPerSecond)) tokens per second for each session"),
            ]
        }
        let tokens = engine.blockCount * engine.blockSize
        return [
            ("model", "\(engine.displayName.visible), architecture \(engine.architecture.visible)"),
            (
                "parameters",
                "\(Format.parameters(engine.parameterCount)), \(engine.quantization), "
                    + "\(Format.bytes(engine.weightBytes)) of weights"
            ),
            ("context", "\(Format.count(engine.contextLength)) tokens for each session"),
            ("KV memory", "\(Format.bytes(tokens * engine.kvBytesPerToken)), \(Format.count(tokens)) tokens in all"),
        ] + states(engine) + drafting(engine) + [
            (
                "memory",
                "at most \(Format.bytes(peakBytes(engine, configuration))) in all, and "
                    + "\(Format.bytes(configuration.limits.maxBodyMemoryBytes)) for requests' bodies"
            ),
            ("sampling", "\(sampling.text), where a request does not say"),
            (
                "compute",
                "\(engine.threads) \(engine.threads == 1 ? "thread" : "threads"), \(engine.kernelVariant) kernels"
            ),
        ]
    }

    private static func drafting(_ engine: EngineDescription) -> [(name: String, value: String)] {
        engine.draftModel.map { [("drafts", "by \($0.visible), where they pay")] } ?? []
    }

    /// The memory for recurrent layers' states, if there are any.
    private static func states(_ engine: EngineDescription) -> [(name: String, value: String)] {
        guard let states = engine.stateMemory else { return [] }
        let slots = "\(Format.count(states.slotCount)) of \(Format.bytes(states.slotBytes))"
        return [("states", "\(Format.bytes(states.byteCount)), \(slots) for sessions and what they share")]
    }

    /// The most memory that weights, KV cache and steps take.
    private static func peakBytes(_ engine: EngineDescription, _ configuration: Configuration) -> Int {
        engine.weightBytes + engine.blockCount * engine.blockSize * engine.kvBytesPerToken
            + (engine.stateMemory?.byteCount ?? 0)
            + engine.working.bytes(stepTokens: configuration.stepTokens, samples: configuration.maxSamples)
    }

    private static func keysText(_ count: Int) -> String {
        count == 0
            ? "none configured: development keys (\(APIConfiguration.developmentKey), sk-ant-api-…) pass from this machine"
            : "\(count) configured; no others pass"
    }

    /// Commands to try the server from this machine.
    private static func invitation(_ configuration: Configuration, port: UInt16) -> [String] {
        // A wildcard address cannot be connected to.
        let here = ["0.0.0.0": "127.0.0.1", "::": "::1"][configuration.host] ?? configuration.host
        let base = address(here, port)
        let key = configuration.apiKeyFile.map { ["--api-key-file", ShellText.word($0)] } ?? []
        return TextWrap.lines("Open \(base)/ in a browser, or try it from a terminal:", first: "", indent: 0)
            + ShellText.lines(["pensieve", "chat", "--url", ShellText.word(base)] + key)
            + ShellText.lines(["curl", ShellText.word(base + "/v1/messages")] + request(configuration))
    }

    /// The arguments after `curl ADDRESS`.
    private static func request(_ configuration: Configuration) -> [String] {
        let key =
            configuration.apiKeyFile.map {
                "$(\n      grep -om1 '^[^[:space:]#][^[:space:]]*' \\\n      \(ShellText.word($0)))"
            } ?? APIConfiguration.developmentKey
        return [
            "-H \"authorization: Bearer \(key)\"",
            "-d '{\"model\": \"claude-local\", \"max_tokens\": 64, \"messages\": [\n"
                + "      {\"role\": \"user\", \"content\": \"What is 23 + 45?\"}]}'",
        ]
    }

    private static func address(_ host: String, _ port: UInt16) -> String {
        // The one of its two addresses that every client supports.
        let host = host.lowercased() == "localhost" ? "127.0.0.1" : host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
