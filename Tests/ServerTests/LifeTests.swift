import Foundation
import Support
import Testing

/// The server's start, idle time and shutdown. No test depends on a fast machine: every step waits for the previous
/// one.
@Suite struct LifeTests {
    @Test("SIGINT and SIGTERM end an idle server with status 0", .timeLimit(.minutes(2)), arguments: [SIGINT, SIGTERM])
    func endsInOrder(_ signal: Int32) async throws {
        let server = try ServerProcess(["--mock"])
        server.signal(signal)
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("SIGTERM lets a running stream finish when there is time", .timeLimit(.minutes(2)))
    func streamFinishes() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "40"])
        let text = try await stream(from: server, signals: 1)
        #expect(text.contains("event: message_stop"))
        #expect(try await server.waitForExit(seconds: 60) == 0)
        #expect(server.said.contains("1 running answer"))
    }

    @Test("SIGTERM ends a stream that takes too long with an error event", .timeLimit(.minutes(2)))
    func streamEnds() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "2", "--shutdown-seconds", "0.2"])
        let text = try await stream(from: server, signals: 1)
        #expect(text.contains("event: error"))
        #expect(text.contains("overloaded_error"))
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("A second signal ends the streams immediately, and just as properly", .timeLimit(.minutes(2)))
    func secondSignal() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "1", "--shutdown-seconds", "3600"])
        let text = try await stream(from: server, signals: 2)
        #expect(text.contains("event: error"))
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test("A prompt computed before a restart is not computed again after it", .timeLimit(.minutes(2)))
    func cacheOutlivesServer() async throws {
        let folder = NSTemporaryDirectory() + "prefix-cache-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func answer() async throws -> (text: String, cached: Int) {
            let server = try ServerProcess(["--prefix-cache-dir", folder])
            let socket = try RawSocket(port: server.port)
            let system = String(repeating: "Numbers are added with care. ", count: 20)
            let body =
                #"{"model":"m","max_tokens":20,"system":"\#(system)","#
                + #""messages":[{"role":"user","content":"What is 23 + 45?"}]}"#
            try socket.send(
                "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-api-key-12345\r\n"
                    + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
            )
            let response = try await socket.readToEnd()
            server.signal(SIGTERM)
            #expect(try await server.waitForExit(seconds: 60) == 0)
            let json = try #require(response.range(of: "\r\n\r\n")).upperBound
            let object = try JSONSerialization.jsonObject(with: Data(response[json...].utf8)) as? [String: Any]
            let content = (object?["content"] as? [[String: Any]])?.first?["text"] as? String
            let usage = object?["usage"] as? [String: Any]
            return (try #require(content), try #require(usage?["cache_read_input_tokens"] as? Int))
        }
        let first = try await answer()
        #expect(first.text.contains("68") && first.cached == 0)
        let second = try await answer()
        #expect(second.text == first.text && second.cached > 100)
        // All files are corrupted: the answer is the same, but computed.
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let file = URL(fileURLWithPath: folder + "/" + name)
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 0x40
            try bytes.write(to: file)
        }
        let third = try await answer()
        #expect(third.text == first.text && third.cached == 0)
    }

    @Test("An idle server uses under one percent of a core", .timeLimit(.minutes(2)))
    func idles() async throws {
        let server = try ServerProcess()
        // On a busy machine the start may take long: one quiet interval among several suffices.
        for _ in 0..<10 {
            let before = server.cpuSeconds
            try await Task.sleep(for: .seconds(3))
            if server.cpuSeconds - before <= 0.03 { return }
        }
        Issue.record("the idle server used the CPU in every interval of three seconds")
    }

    /// Streams a reply through a plain socket, and signals the server when the stream has begun.
    private func stream(from server: ServerProcess, signals: Int) async throws -> String {
        let socket = try RawSocket(port: server.port)
        let body =
            #"{"model":"m","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"a b c d e f g"}]}"#
        try socket.send(
            "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-api-key-12345\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        )
        let beginning = await socket.read(until: "text_delta")
        for index in 0..<signals {
            // The first signal must have been delivered before the second is sent, or the kernel merges them.
            while index > 0, !server.said.contains("pensieve: ending") { try await Task.sleep(for: .milliseconds(10)) }
            server.signal(SIGTERM)
        }
        return try await beginning + socket.readToEnd()
    }
}
