import Foundation
import Support
import Testing

/// No client can shut out the others of a real server.
@Suite(.serialized) struct ClientFairnessTests {
    private static let key = "test-api-key-12345"

    private static func get(_ path: String, host: String = "localhost", fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\(fields)\r\n"
    }

    private static func post(_ body: String, key: String = key, fields: String = "") -> String {
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\n\(fields)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    private static func message(_ text: String, stream: Bool = false) -> String {
        #"{"model":"m","max_tokens":1000,"stream":\#(stream),"messages":[{"role":"user","content":"\#(text)"}]}"#
    }

    /// The response status of one request on a connection of its own; nil if there is no response.
    private func status(_ request: String, from server: ServerProcess, ipv6: Bool = false) async -> Int? {
        guard let socket = try? RawSocket(port: server.port, ipv6: ipv6), (try? socket.send(request)) != nil,
            let answer = try? await socket.readToEnd(), answer.hasPrefix("HTTP/1.1 ")
        else { return nil }
        return Int(answer.dropFirst(9).prefix(3))
    }

    private func eventually(seconds: Double = 60, _ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try await condition()
    }

    // MARK: Descriptors

    @Test(
        "More connections than descriptors do not end the server, and it goes on serving",
        .timeLimit(.minutes(5)),
        arguments: [256, 1024, 4096]
    )
    func descriptorLimits(_ limit: Int) async throws {
        let server = try ServerProcess(["--mock"], descriptors: limit)
        #expect(server.said.contains("connections at a time, not the 4096 of --max-connections"))
        let requests = [Self.get("/health"), Self.post(Self.message("a b c d e f g h", stream: true))]
        // Thousands of requests would take too long.
        for beginning in [""] + (limit <= 1024 ? requests : []) {
            let flood = try await Flood.open(port: server.port, count: limit + 200, saying: beginning)
            // Refused connections end after a second, and libdispatch inspects its threads every second.
            #expect(try await server.waitForExit(seconds: beginning.isEmpty ? 1.5 : 0.2) == nil)
            withExtendedLifetime(flood) {}
        }
        let isServed = try await eventually { await status(Self.get("/health"), from: server) == 200 }
        #expect(isServed, "\(server.said)")
        #expect(server.descriptorCount < limit)
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 60) == 0)
    }

    @Test(
        "With too few descriptors the server does not start, and says how many it needs",
        .timeLimit(.minutes(1))
    )
    func tooFewDescriptors() async throws {
        let arguments = ServerProcess.limited(["start", "--mock", "--port", "0"], to: 64)
        let outcome = try await Program.run(arguments, executable: ServerProcess.shell)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("the limit of 64 open files is too low: the server needs at least 1"))
        #expect(outcome.errors.contains("ulimit -n"))
    }

    // MARK: Connections and memory

    @Test("Many idle connections do not shut out other clients", .timeLimit(.minutes(2)))
    func idleCrowd() async throws {
        let server = try ServerProcess(["--mock", "--max-connections", "50", "--idle-seconds", "3600"])
        let crowd = try await Flood.open(port: server.port, count: 200)
        #expect(try await eventually(seconds: 20) { await status(Self.get("/health"), from: server) == 200 })
        withExtendedLifetime(crowd) {}
    }

    @Test("Large bodies of one client leave memory for those of others", .timeLimit(.minutes(2)))
    func memoryShares() async throws {
        let keys = NSTemporaryDirectory() + "keys-" + UUID().uuidString
        try "key-a\nkey-b\n".write(toFile: keys, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: keys) }
        let server = try ServerProcess([
            "--mock", "--api-key-file", keys, "--max-body", "1M", "--max-body-memory", "8M",
        ])
        // Bodies that stay one byte short.
        let body = String(repeating: " ", count: 1 << 20)
        let head =
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-API-Key: key-a\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let greedy = try (0..<16).map { _ in
            let socket = try RawSocket(port: server.port)
            try? socket.send(head + body.dropLast())
            return socket
        }
        // Everything that was not refused has been received.
        #expect(try await eventually { greedy.contains(where: \.hasNews) })
        try await Task.sleep(for: .milliseconds(200))
        let large = Self.message(String(repeating: "a ", count: 300_000))
        let other = Self.post(large, key: "key-b", fields: "Connection: close\r\n")
        // The prompt is too long for any context, but the body was read.
        #expect(try await eventually(seconds: 20) { await status(other, from: server) == 400 })
        #expect(await status(Self.post(large, key: "key-a", fields: "Connection: close\r\n"), from: server) == 503)
        withExtendedLifetime(greedy) {}
    }

    // MARK: Clients that disconnect

    @Test(
        "A client that closes its sending side after the request gets its whole answer",
        .timeLimit(.minutes(2)),
        arguments: [false, true]
    )
    func halfClosed(stream: Bool) async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "30"])
        let socket = try RawSocket(port: server.port)
        try socket.send(Self.post(Self.message("one two three four five six", stream: stream)))
        socket.finishSending()
        let answer = try await socket.readToEnd()
        #expect(answer.contains("HTTP/1.1 200 OK"))
        #expect(answer.contains(stream ? "event: message_stop" : "one two three four five six"))
        #expect(answer.contains(#""stop_reason":"end_turn""#))
    }

    @Test(
        "The session of a client that closes the connection ends soon, also before its first token",
        .timeLimit(.minutes(2)),
        arguments: [false, true]
    )
    func gone(stream: Bool) async throws {
        // The answer would take hours.
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "0.1", "--ping-seconds", "0.5"])
        func running() async throws -> Bool {
            let socket = try RawSocket(port: server.port)
            try socket.send(Self.get("/health"))
            return try await socket.readToEnd().contains(#""running":1"#)
        }
        var socket: RawSocket? = try RawSocket(port: server.port)
        try socket?.send(Self.post(Self.message("one two three four five six", stream: stream)))
        #expect(try await eventually { try await running() })
        // Without a reset, as it has read everything that was received.
        if stream { _ = await socket?.read(until: "event: ping\ndata: {\"type\":\"ping\"}\n\n") }
        socket = nil
        #expect(try await eventually(seconds: 20) { try await !running() })
    }

    // MARK: Names

    @Test(
        "Without configured keys only names of this machine pass in Host; with keys any name",
        .timeLimit(.minutes(2))
    )
    func rebinding() async throws {
        let server = try ServerProcess(["--mock"])
        for path in ["/health", "/metrics", "/v1/models", "/nothing"] {
            let request = Self.get(path, host: "evil.example:\(server.port)", fields: "X-API-Key: \(Self.key)\r\n")
            let socket = try RawSocket(port: server.port)
            try socket.send(request)
            let answer = try await socket.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden"), "\(path)")
            #expect(answer.contains("permission_error") && answer.contains("--api-key-file"))
        }
        #expect(await status(Self.get("/health", host: "localhost:\(server.port)"), from: server) == 200)
        let keys = NSTemporaryDirectory() + "keys-" + UUID().uuidString
        try "a-key\n".write(toFile: keys, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: keys) }
        let guarded = try ServerProcess(["--mock", "--api-key-file", keys])
        #expect(await status(Self.get("/health", host: "llm.example"), from: guarded) == 200)
    }

    @Test(
        "localhost is 127.0.0.1 and ::1, by default too, and they have one port",
        arguments: [[], ["--host", "localhost"]]
    )
    func bothAddresses(_ arguments: [String]) async throws {
        let server = try ServerProcess(["--mock"] + arguments)
        #expect(await status(Self.get("/health"), from: server) == 200)
        // Containers often lack IPv6.
        let addresses = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        guard addresses.contains(" lo\n") else { return }
        #expect(await status(Self.get("/health", host: "[::1]:\(server.port)"), from: server, ipv6: true) == 200)
        // The taken port is explained, with what to do.
        let outcome = try await Program.run(["start", "--mock", "--port", String(server.port)])
        #expect(outcome.status == 1 && outcome.errors.contains("port \(server.port) on 127.0.0.1 is in use"))
        #expect(outcome.errors.contains("--port"))
    }

    @Test("An unknown host name is reported as such, whether keys are configured or not")
    func unknownHost() async throws {
        let outcome = try await Program.run(["start", "--mock", "--port", "0", "--host", "no-such-host.invalid"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("cannot resolve the host \"no-such-host.invalid\""))
        #expect(!outcome.errors.contains("--api-key-file"))
    }
}
