import Foundation
import Support
import Testing

/// Limits on what one client can take from others, over sockets.
@Suite(.timeLimit(.minutes(5))) struct OneClientTests {
    private static func request(_ path: String, _ body: String, key: String = "test-api-key-12345") -> String {
        "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: \(key)\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    private static func body(_ fields: String = "") -> String {
        #"{"model":"m","max_tokens":500,"messages":[{"role":"user","content":"a b c d e f g"}]\#(fields)}"#
    }

    /// Running and waiting sessions, from `/health`.
    private func sessions(of server: ServerProcess) async throws -> (running: Int, waiting: Int) {
        let socket = try RawSocket(port: server.port)
        try socket.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        let answer = try await socket.readToEnd()
        let json = try #require(answer.range(of: "\r\n\r\n")).upperBound
        let object = try JSONSerialization.jsonObject(with: Data(answer[json...].utf8)) as? [String: Any]
        let sessions = try #require(object?["sessions"] as? [String: Int])
        return (sessions["running"] ?? 0, sessions["waiting"] ?? 0)
    }

    private func until(_ server: ServerProcess, running: Int, waiting: Int) async throws {
        while try await sessions(of: server) != (running, waiting) { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test("One client that fills the queue does not keep another out, and its newest request gets a 529")
    func fullQueue() async throws {
        let keys = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID())")
        try Data("greedy-key\nmodest-key\n".utf8).write(to: keys)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keys.path)
        defer { try? FileManager.default.removeItem(at: keys) }
        let server = try ServerProcess([
            "--mock", "--mock-tokens-per-second", "20", "--max-sessions", "1", "--max-waiting", "2", "--api-key-file",
            keys.path,
        ])
        var greedy: [RawSocket] = []
        for (index, stream) in ["false", "true", "true"].enumerated() {
            let socket = try RawSocket(port: server.port)
            try socket.send(Self.request("/v1/messages", Self.body(",\"stream\":\(stream)"), key: "greedy-key"))
            greedy.append(socket)
            try await until(server, running: 1, waiting: index)
        }
        let modest = try RawSocket(port: server.port)
        try modest.send(Self.request("/v1/messages", Self.body(), key: "modest-key"))
        let refused = try await greedy[2].readToEnd()
        #expect(refused.hasPrefix("HTTP/1.1 529 ") && refused.contains("overloaded_error"))
        #expect(refused.lowercased().contains("retry-after: "))
        #expect(try await modest.readToEnd().hasPrefix("HTTP/1.1 200 "))
        #expect(try await greedy[0].readToEnd().hasPrefix("HTTP/1.1 200 "))
        #expect(try await greedy[1].readToEnd().contains("event: message_stop"))
    }

    @Test("Stop sequences take no more memory than the request that has them, a few times over")
    func stopSequences() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "1"])
        let sequences = (0..<1024).map { "\"" + String($0) + String(repeating: "x", count: 4090) + "\"" }
        let body = Self.body(#","stream":true,"stop_sequences":[\#(sequences.joined(separator: ","))]"#)
        let before = try residentBytes(server)
        var streams: [RawSocket] = []
        for _ in 0..<12 {
            let socket = try RawSocket(port: server.port)
            try socket.send(Self.request("/v1/messages", body))
            streams.append(socket)
        }
        for stream in streams {
            let beginning = await stream.read(until: "text_delta")
            #expect(beginning.contains("text_delta"))
        }
        let taken = try residentBytes(server) - before
        #expect(try await sessions(of: server).running == 12)
        // A table with several words for each byte would take ten times the size of the body.
        #expect(taken < 5 * streams.count * body.utf8.count, "\(taken >> 20) MiB")
    }

    private func residentBytes(_ server: ServerProcess) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(server.identifier)/statm", encoding: .utf8)
        return try #require(Int(text.split(separator: " ")[1])) * 4096
    }
}
