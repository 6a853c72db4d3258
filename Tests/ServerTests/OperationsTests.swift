import Foundation
import Support
import Testing

/// Logs, metrics and shutdown, from an operator's point of view.
@Suite struct OperationsTests {
    private static let streamBody =
        #"{"model":"m","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"zq says hello"}]}"#

    /// Sends one request on a connection of its own.
    private func send(
        _ server: ServerProcess,
        _ line: String,
        key: String = "test-api-key-12345",
        _ body: String = ""
    ) async throws -> String {
        let socket = try RawSocket(port: server.port)
        try socket.send(
            "\(line) HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: \(key)\r\nConnection: close\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return try await socket.readToEnd()
    }

    /// The request lines of a server's log, once there are `count` of them.
    private func requests(_ server: ServerProcess, _ count: Int) async throws -> [[String: Any]] {
        while true {
            // Every line is JSON, including those about the server itself.
            let lines = try server.said.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
            }
            let requests = lines.filter { $0["status"] != nil }
            #expect(requests.count <= count)
            if requests.count >= count { return requests }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("The log has a line for each request with tokens and times, and no key and no text", .timeLimit(.minutes(2)))
    func log() async throws {
        let keys = NSTemporaryDirectory() + "keys-" + UUID().uuidString
        try Data("# two keys\nzq-first-key\nzq-second-key # of the other team\n".utf8).write(
            to: URL(fileURLWithPath: keys)
        )
        defer { try? FileManager.default.removeItem(atPath: keys) }
        let server = try ServerProcess(["--mock", "--log-requests", "--log-format", "json", "--api-key-file", keys])
        #expect(
            try await send(server, "POST /v1/messages", key: "zq-second-key", Self.streamBody).contains(
                "event: message_stop"
            )
        )
        _ = try await send(server, "POST /v1/messages", key: "zq-wrong-key", Self.streamBody)
        _ = try await send(
            server,
            "GET /zq-first-key/\\\"%00%ff" + String(repeating: "x", count: 3000),
            key: "zq-first-key"
        )
        _ = try await send(server, "GET /\u{1}")
        let lines = try await requests(server, 4)
        let answered = try #require(lines.first { $0["status"] as? Int == 200 })
        #expect(answered["client"] as? String == "key#2" && answered["peer"] as? String == "127.0.0.1")
        #expect(answered["model"] as? String == "m" && answered["cached_tokens"] as? Int == 0)
        #expect(try #require(answered["prompt_tokens"] as? Int) > 0 && #require(answered["output_tokens"] as? Int) > 1)
        let first = try #require(answered["first_token_ms"] as? Double)
        #expect(try first > 0 && first < #require(answered["duration_ms"] as? Double))
        #expect(try #require(answered["request_id"] as? String).hasPrefix("req_"))
        let refused = try #require(lines.first { $0["status"] as? Int == 401 })
        #expect(refused["client"] as? String == "127.0.0.1" && refused["error"] as? String == "authentication_error")
        let unknown = try #require(lines.first { $0["status"] as? Int == 404 })
        #expect(try #require(unknown["path"] as? String).hasPrefix(#"/[key]/\"%00%ffxxx"#))
        #expect(try #require(unknown["path"] as? String).utf8.count < 250)
        let malformed = try #require(lines.first { $0["status"] as? Int == 400 })
        #expect(try #require(malformed["reason"] as? String).hasPrefix("malformed HTTP request"))
        #expect(malformed["path"] == nil && malformed["request_id"] as? String != nil)
        // A random identifier may have the two letters, but no hyphen.
        #expect(!server.said.contains("zq-"))
    }

    @Test("While draining, a server reports it on /health and serves as before; then it ends", .timeLimit(.minutes(2)))
    func drains() async throws {
        let server = try ServerProcess(["--mock", "--drain-seconds", "3"])
        #expect(try await send(server, "GET /health").hasPrefix("HTTP/1.1 200"))
        let start = ContinuousClock.now
        server.signal(SIGTERM)
        while try await send(server, "GET /health").hasPrefix("HTTP/1.1 200") {}
        #expect(try await send(server, "GET /health").hasPrefix("HTTP/1.1 503"))
        #expect(try await send(server, "POST /v1/messages", Self.streamBody).contains("event: message_stop"))
        #expect(try await server.waitForExit(seconds: 60) == 0)
        #expect(ContinuousClock.now - start >= .seconds(3))
        #expect(server.said.contains("requests are taken for 3 s more"))
    }

    @Test("A second signal ends the draining", .timeLimit(.minutes(2)))
    func secondSignalEndsDraining() async throws {
        let server = try ServerProcess(["--mock", "--drain-seconds", "3600"])
        server.signal(SIGTERM)
        // The first signal must have been delivered before the second is sent, or the kernel merges them.
        while !server.said.contains("pensieve: ending") { try await Task.sleep(for: .milliseconds(10)) }
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("A closing terminal ends a server gracefully, however many SIGHUPs it sends", .timeLimit(.minutes(2)))
    func hangup() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "40"])
        let socket = try RawSocket(port: server.port)
        try socket.send(
            "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: test-api-key-12345\r\n"
                + "Content-Length: \(Self.streamBody.utf8.count)\r\n\r\n" + Self.streamBody
        )
        let beginning = await socket.read(until: "text_delta")
        server.signal(SIGHUP)
        while !server.said.contains("pensieve: ending") { try await Task.sleep(for: .milliseconds(10)) }
        server.signal(SIGHUP)
        #expect(try await (beginning + socket.readToEnd()).contains("event: message_stop"))
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("A server under nohup outlives its terminal", .timeLimit(.minutes(2)))
    func nohup() async throws {
        let server = try ServerProcess(["--mock"], launcher: "/usr/bin/nohup")
        server.signal(SIGHUP)
        for _ in 0..<5 {
            #expect(try await send(server, "GET /health").hasPrefix("HTTP/1.1 200"))
            try await Task.sleep(for: .milliseconds(50))
        }
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("The process metrics agree with the kernel's", .timeLimit(.minutes(2)))
    func processFigures() async throws {
        let server = try ServerProcess(["--mock"])
        func figure(_ name: String) async throws -> Double {
            let lines = try await send(server, "GET /metrics").split(whereSeparator: \.isNewline)
            let line = try #require(lines.first { $0.hasPrefix(name + " ") })
            return try #require(Double(String(line.dropFirst(name.count + 1))))
        }
        let before = server.descriptorCount
        let crowd = try (0..<40).map { _ in try RawSocket(port: server.port) }
        // Until all are accepted; later requests have connections of their own.
        while server.descriptorCount < before + 40 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(abs(Double(server.descriptorCount) - (try await figure("process_open_fds"))) <= 3)
        #expect(try await figure("process_cpu_seconds_total") <= server.cpuSeconds + 0.02)
        let age = try await Date().timeIntervalSince1970 - figure("process_start_time_seconds")
        #expect(age > 0 && age < 120)
        withExtendedLifetime(crowd) {}
    }
}
