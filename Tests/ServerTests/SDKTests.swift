import Foundation
import Support
import Testing

/// The official `anthropic` SDK against the real server, over a socket.
@Suite struct SDKTests {
    private static let script = Bundle.module.bundleURL.appendingPathComponent("Python/sdk.py")

    @Test(
        "The SDK gets what it expects from the built-in model",
        .timeLimit(.minutes(5)),
        arguments: [
            "message", "stream_equals_message", "x_stream_header", "count_tokens", "prefix_cache", "conversation_cache",
            "shared_at_once", "models", "errors", "helpers", "stop_sequence", "two_turns", "concurrent_streams",
            "cancellation",
        ]
    )
    func builtInModel(_ name: String) async throws {
        let server = try ServerProcess()
        let (status, output) = try await Python.run(Self.script, [name, server.address])
        #expect(status == 0, "\(output)")
    }

    @Test("The mock answers with the last user text", .timeLimit(.minutes(2)))
    func mock() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "500"])
        let (status, output) = try await Python.run(Self.script, ["mock", server.address])
        #expect(status == 0, "\(output)")
    }
}
