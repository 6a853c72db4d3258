import Platform
import Synchronization
import Testing

@testable import HTTPFront

/// The number of this process's sockets with this local port: sockets of other tests do not count.
private func descriptors(on port: UInt16) -> Int {
    openDescriptors().count { Address(localOf: $0).port == port }
}

/// The number of descriptors whose link in /proc contains `kind`.
private func descriptors(of kind: String) -> Int {
    openDescriptors().count { descriptor in
        var target = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/self/fd/\(descriptor)", &target, 255)
        return length > 0 && String(decoding: target[..<length].map(UInt8.init), as: UTF8.self).contains(kind)
    }
}

private func openDescriptors() -> [Int32] {
    guard let folder = opendir("/proc/self/fd") else { return [] }
    defer { closedir(folder) }
    var found: [Int32] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if let descriptor = Int32(name), descriptor != dirfd(folder) { found.append(descriptor) }
    }
    return found
}

extension HTTPServerTests {
    @Test("gives up on clients that stop in the middle of a head or a body")
    func incompleteRequests() async throws {
        var limits = Limits.forTests
        limits.headerTimeout = .milliseconds(100)
        try await withServer(limits: limits) { _, port in
            let client = try TestClient(port)
            try await client.send("GET / HTTP/1.1\r\nHo")
            #expect(try await client.readReply().status == 408)
        }
        limits = .forTests
        limits.bodyStallTimeout = .milliseconds(100)
        try await withServer(limits: limits) { _, port in
            let client = try TestClient(port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try await client.readReply().status == 408)
        }
    }

    @Test("closes idle connections, new and used ones, after the time-out and without a response")
    func idleConnections() async throws {
        var limits = Limits.forTests
        limits.idleTimeout = .milliseconds(300)
        try await withServer(limits: limits) { _, port in
            let start = ContinuousClock.now
            let fresh = try TestClient(port)
            #expect(try await fresh.readToEnd() == "")
            #expect(ContinuousClock.now - start > .milliseconds(290))
            // On a busy machine the time-out may pass before the request is sent: then another client tries.
            let isClosed = await eventually {
                guard let client = try? TestClient(port), (try? await client.get("/").status) == 200 else {
                    return false
                }
                let answered = ContinuousClock.now
                return (try? await client.readToEnd()) == "" && ContinuousClock.now - answered > .milliseconds(200)
            }
            #expect(isClosed)
        }
    }

    @Test("bounds the time of a body that trickles in")
    func tricklingBody() async throws {
        var limits = Limits.forTests
        limits.bodyTimeout = .milliseconds(200)
        try await withServer(limits: limits) { _, port in
            let client = try TestClient(port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
            for _ in 0..<30 {
                try await client.send("x")
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await client.readReply().status == 408)
        }
    }

    @Test("bounds the time of a body even if its rate earns extensions")
    func earnedTime() async throws {
        var limits = Limits.forTests
        limits.bodyTimeout = .milliseconds(100)
        limits.bodyTimeoutMax = .milliseconds(300)
        limits.minBodyBytesPerSecond = 1
        try await withServer(limits: limits) { _, port in
            let client = try TestClient(port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n")
            // Every byte extends the time by a second.
            try await client.send(String(repeating: "x", count: 9000))
            let start = ContinuousClock.now
            #expect(try await client.readReply().status == 408)
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test("stops gracefully: idle connections close, the running request is finished")
    func gracefulStop() async throws {
        let (gate, entered) = (Gate(), Counter())
        let server = HTTPServer(handler: TestHandler(slow: gate, entered), limits: .forTests)
        let port = try await server.bind(host: "127.0.0.1", port: 0)
        let running = Task { await server.run() }
        let (idle, fresh, busy) = (try TestClient(port), try TestClient(port), try TestClient(port))
        #expect(try await idle.get("/").status == 200)
        try await busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /more HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(await eventually { entered.isSet })
        #expect(await eventually { await server.connectionCount == 3 })
        await server.stopAccepting()
        #expect(try await idle.read() == nil)
        #expect(try await fresh.read() == nil)
        #expect(await eventually { (try? TestClient(port)) == nil })
        gate.open()
        let reply = try await busy.readReply()
        #expect(reply.status == 200 && reply.headers[first: "connection"] == "close")
        #expect(try await busy.read() == nil)
        busy.close()
        await running.value
        #expect(await eventually { descriptors(on: port) == 0 })
    }

    @Test("ends everything when told to, also when its own task is cancelled", arguments: [false, true])
    func closeAll(byCancellation: Bool) async throws {
        let server = HTTPServer(
            handler: TestHandler { _ in
                Response(
                    status: 200,
                    body: .stream { writer in
                        while true {
                            try await writer.write(Array("tick".utf8))
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                )
            },
            limits: .forTests
        )
        let port = try await server.bind(host: "127.0.0.1", port: 0)
        let running = Task { await server.run() }
        let clients = try (0..<20).map { _ in try TestClient(port) }
        for client in clients.dropFirst(5) { try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n") }
        for client in clients.dropFirst(5) { #expect(try await client.readHead().status == 200) }
        if byCancellation { running.cancel() } else { await server.closeAll() }
        await running.value
        for client in clients {
            let end = try await client.readToEnd()
            #expect(!end.hasSuffix("0\r\n\r\n"))
        }
        #expect(await server.connectionCount == 0)
        #expect(await eventually { descriptors(on: port) == 0 })
    }

    @Test("keeps no descriptor of clients that leave at any point")
    func noDescriptorLeaks() async throws {
        let handler = TestHandler { request in
            if request.head.path == "/wait" { try? await Task.sleep(for: .seconds(600)) }
            guard request.head.path == "/stream" else { return await TestHandler.echo(request) }
            return Response(
                status: 200,
                body: .stream { writer in
                    while true {
                        try await writer.write([UInt8](repeating: 1, count: 1000))
                        await Task.yield()
                    }
                }
            )
        }
        let beginnings = [
            "", "G", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", "nonsense\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nabc",
        ]
        try await withServer(handler) { server, port in
            #expect(descriptors(on: port) == 1)
            for round in 0..<6 {
                let clients = try beginnings.map { _ in try TestClient(port) }
                for (client, text) in zip(clients, beginnings) { try await client.send(text) }
                if round % 2 == 0 { try await Task.sleep(for: .milliseconds(10)) }
                for client in clients { if round % 3 == 0 { try client.reset() } else { client.close() } }
            }
            #expect(await eventually { descriptors(on: port) == 1 })
            #expect(await eventually { await server.connectionCount == 0 })
            #expect(try await TestClient(port).get("/").status == 200)
        }
    }

    @Test("closes its poller and listener, whether it ran or not")
    func noPollerLeaks() async throws {
        // The test clients' own poller is created by the first client.
        try await withServer { _, port in _ = try await TestClient(port).get("/") }
        let before = descriptors(of: "[eventpoll]")
        for _ in 0..<5 {
            try await withServer { _, port in _ = try await TestClient(port).get("/") }
            let unused = HTTPServer(handler: TestHandler())
            _ = try await unused.bind(host: "127.0.0.1", port: 0)
        }
        #expect(await eventually { descriptors(of: "[eventpoll]") <= before })
    }

    @Test("does not keep a connection open because its writer is kept")
    func keptWriters() async throws {
        let kept = Mutex<[BodyWriter]>([])
        let handler = TestHandler { _ in
            Response(
                status: 200,
                body: .stream { writer in
                    kept.withLock { $0.append(writer) }
                    try await writer.write([65])
                }
            )
        }
        try await withServer(handler) { _, port in
            let client = try TestClient(port)
            #expect(try await client.get("/").text == "A")
            client.close()
            #expect(await eventually { descriptors(on: port) == 1 })
            let writer = try #require(kept.withLock { $0.first })
            await #expect(throws: BodyWriter.Closed.self) { try await writer.write([66]) }
        }
    }

    @Test("serves others while many idle connections are open, and closes all of them")
    func manyIdleConnections() async throws {
        try await withServer { server, port in
            var idle: [TestClient] = []
            for _ in 0..<400 { idle.append(try TestClient(port)) }
            #expect(await eventually { await server.connectionCount == 400 })
            #expect(try await TestClient(port).get("/").status == 200)
            idle.removeAll()
            #expect(await eventually { await server.connectionCount == 0 })
            #expect(await eventually { descriptors(on: port) == 1 })
        }
    }
}
