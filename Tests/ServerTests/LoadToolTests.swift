import Foundation
import Support
import Testing

/// The load-test tool against the real server.
@Suite struct LoadToolTests {
    private static let tool = ServerProcess.built("pensieve-load")

    @Test("32 clients get correct replies, and the same as alone", .timeLimit(.minutes(5)))
    func verifies() async throws {
        let server = try ServerProcess(["--kv-memory", "256M"])
        let outcome = try await Program.run(
            ["--url", server.address, "--concurrency", "32", "--requests", "96", "--verify", "--json", "-"],
            executable: Self.tool
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let results = json?["results"] as? [String: Any]
        let verification = results?["verification"] as? [String: Any]
        #expect(results?["answered"] as? Int == 96)
        #expect(verification?["differing"] as? Int == 0 && verification?["wrong"] as? Int == 0)
        #expect(verification?["repeatedAlone"] as? Int ?? 0 > 10)
    }

    @Test("Prompts have the requested length and shared prefix", .timeLimit(.minutes(5)))
    func promptLength() async throws {
        let server = try ServerProcess(["--kv-memory", "256M"])
        let outcome = try await Program.run(
            [
                "--url", server.address, "--requests", "12", "--concurrency", "2", "--prompt-tokens", "300",
                "--shared-prefix",
                "200", "--max-tokens", "2", "--json", "-",
            ],
            executable: Self.tool
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        let results = json?["results"] as? [String: Any]
        let mean = (results?["promptTokens"] as? [String: Any])?["mean"] as? Double ?? 0
        #expect(abs(mean - 300) < 15, "\(mean)")
        // All but the first two find most of the shared prefix in the cache.
        #expect(results?["cachedTokensTotal"] as? Int ?? 0 > 10 * 150, "\(outcome.errors)")
    }

    @Test("Ctrl-C ends a test with the report so far", .timeLimit(.minutes(2)))
    func interrupted() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "200"])
        let program = try Program(
            ["--url", server.address, "--duration", "3600", "--concurrency", "2", "--max-tokens", "5"],
            executable: Self.tool
        )
        while program.isRunning, try await !metrics(of: server).contains("route=\"/v1/messages\",status=\"200\"") {
            try await Task.sleep(for: .milliseconds(50))
        }
        program.signal(SIGINT)
        let outcome = try await program.outcome()
        #expect(outcome.status == 130, "\(outcome.errors)")
        #expect(outcome.output.contains("(interrupted)") && outcome.output.contains("end to end"), "\(outcome.output)")
    }

    private func metrics(of server: ServerProcess) async throws -> String {
        let socket = try RawSocket(port: server.port)
        try socket.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return try await socket.readToEnd()
    }
}
