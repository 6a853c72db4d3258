import Platform
import Testing

@testable import HTTPFront

/// No client can shut out the others.
extension HTTPServerTests {
    @Test("evicts the longest idle connection for a new one, and none with a request in progress")
    func evictsLongestIdle() async throws {
        var limits = Limits.forTests
        limits.maxConnections = 3
        let (gate, entered) = (Gate(), Counter())
        let handler = TestHandler(slow: gate, entered)
        try await withServer(handler, limits: limits) { server, port in
            let (busy, older, newer) = (try TestClient(port), try TestClient(port), try TestClient(port))
            #expect(await eventually { await server.connectionCount == 3 })
            try await busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { entered.isSet })
            // The connection of the latest request counts as younger, whenever it was opened.
            #expect(try await newer.get("/").status == 200)
            #expect(try await TestClient(port).get("/").status == 200)
            #expect(try await older.read() == nil)
            gate.open()
            #expect(try await busy.readReply().status == 200)
            #expect(await eventually { await server.connectionCount <= 3 })
        }
    }

    @Test("serves a new client while many others open connections and send no request, or part of one")
    func servesNewClientInCrowd() async throws {
        var limits = Limits.forTests
        limits.maxConnections = 40
        try await withServer(limits: limits) { server, port in
            for beginning in [
                "", "GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nClient: anonymous\r\nContent-Length: 9\r\n\r\na",
            ] {
                // Some are refused: connections are not evicted within their grace period.
                let crowd = try (0..<60).map { _ in try TestClient(port) }
                for client in crowd { try? await client.send(beginning) }
                let isServed = await eventually {
                    guard let client = try? TestClient(port) else { return false }
                    return (try? await client.get("/").status) == 200
                }
                #expect(isServed)
                for client in crowd { client.close() }
                #expect(await eventually { await server.connectionCount <= 1 })
            }
        }
    }

    @Test("evicts a connection of the address that has most, not the longest idle one of another")
    func addressesAreFair() async throws {
        var limits = Limits.forTests
        limits.maxConnections = 10
        try await withServer(limits: limits) { server, port in
            let patient = try TestClient(port, from: 2)
            #expect(try await patient.get("/").status == 200)
            var crowd: [TestClient] = []
            for _ in 0..<30 {
                let client = try TestClient(port, from: 3)
                #expect(try await client.get("/").status == 200)
                crowd.append(client)
            }
            #expect(try await patient.get("/").status == 200)
            #expect(await eventually { await server.connectionCount <= 10 })
        }
    }

    @Test("keeps connections free for others when one client has as many requests in progress as it can")
    func requestQuota() async throws {
        var limits = Limits.forTests
        limits.maxConnections = 16
        let (gate, entered) = (Gate(), Counter())
        let handler = TestHandler(slow: gate, entered)
        try await withServer(handler, limits: limits) { _, port in
            let slow = "GET /slow HTTP/1.1\r\nHost: h\r\nClient: greedy\r\n\r\n"
            let greedy = try (0..<14).map { _ in try TestClient(port) }
            for client in greedy { try await client.send(slow) }
            #expect(await eventually { entered.value == 14 })
            let excess = try TestClient(port)
            try await excess.send(slow)
            #expect(try await excess.readReply().status == 429)
            #expect(try await TestClient(port).get("/", "Client: other\r\n").status == 200)
            // Finished requests do not count.
            for _ in greedy { gate.open() }
            for client in greedy { #expect(try await client.readReply().status == 200) }
            #expect(try await greedy[0].get("/", "Client: greedy\r\n").status == 200)
        }
    }

    @Test("reads and drops little after a refusal, unless a length was announced")
    func lingering() async throws {
        var limits = Limits.forTests
        limits.lingerTimeout = .seconds(20)
        try await withServer(limits: limits) { server, port in
            let client = try TestClient(port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\na: ")
            let piece = String(repeating: "x", count: 1 << 16)
            var sent = 0
            // The kernel buffers some megabytes; the server does not read more than its limit.
            while sent < 48 << 20, (try? await client.send(piece)) != nil { sent += piece.utf8.count }
            #expect(sent < 32 << 20)
            #expect(await eventually { await server.connectionCount == 0 })
        }
    }

    @Test("listens on both loopback addresses of localhost, with one port", .enabled(if: hasIPv6))
    func localhost() async throws {
        let poller = try Poller()
        defer { poller.stop() }
        for _ in 0..<20 {
            let listeners = try await Listener.bind(host: "localhost", port: 0, poller: poller)
            #expect(listeners.map { Address(localOf: $0.socket.descriptor).text } == ["127.0.0.1", "::1"])
            #expect(Set(listeners.map(\.port)).count == 1)
        }
    }

    @Test("identifies a client by its IPv4 address or its IPv6 network")
    func networks() async throws {
        for (text, network) in [
            ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            #expect(try await Address.resolve(host: text, port: 1).map(\.network) == [network])
        }
    }
}
