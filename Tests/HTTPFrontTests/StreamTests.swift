import Testing

@testable import HTTPFront

extension HTTPServerTests {
    @Test("sends each write at once as a chunk of its own")
    func streams() async throws {
        let gate = Gate()
        let handler = TestHandler { _ in
            Response(
                status: 200,
                headers: ["content-type": "text/event-stream"],
                body: .stream { writer in
                    for text in ["one", "", "two", "three"] {
                        try await writer.write(Array(text.utf8))
                        if !text.isEmpty { await gate.pass() }
                    }
                }
            )
        }
        try await withServer(handler) { _, port in
            let client = try TestClient(port)
            for _ in 0..<2 {
                try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try await client.readHead().headers[first: "content-length"] == nil)
                for text in ["one", "two", "three"] {
                    #expect(try await client.readChunk() == Array(text.utf8))
                    gate.open()
                }
                #expect(try await client.readChunk() == nil)
            }
            try await client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.readReply(toHead: true).status == 200)
        }
    }

    @Test("truncates a stream whose producer fails")
    func failingStream() async throws {
        let handler = TestHandler { _ in
            Response(
                status: 200,
                body: .stream { writer in
                    try await writer.write(Array("part".utf8))
                    throw TestFailure("broken")
                }
            )
        }
        try await withServer(handler) { _, port in
            let client = try TestClient(port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.readHead().status == 200)
            #expect(try await client.readToEnd() == "4\r\npart\r\n")
        }
    }

    /// The disconnect of a client that closes as soon as it has the last byte is often seen before the sender resumes.
    @Test(
        "counts a response as delivered to a client that closes as soon as it has it",
        arguments: ["/plain", "/stream"]
    )
    func closesAtOnce(path: String) async throws {
        let handler = TestHandler { request in
            guard request.head.path == "/stream" else { return await TestHandler.echo(request) }
            return Response(status: 200, body: .stream { writer in try await writer.write(Array("all".utf8)) })
        }
        try await withServer(handler) { _, port in
            for count in 1...100 {
                let client = try TestClient(port)
                try await client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = try await client.read(through: path == "/plain" ? "GET /plain " : "all")
                client.close()
                #expect(await eventually { handler.finished.count == count })
            }
            #expect(Set(handler.finished) == [200])
        }
    }

    /// A stream of 64 MiB; counts the bytes sent and the streams that failed.
    private func longStream(_ sent: Counter, _ failed: Counter) -> TestHandler {
        TestHandler { request in
            guard request.head.path == "/stream" else { return await TestHandler.echo(request) }
            return Response(
                status: 200,
                body: .stream { writer in
                    do {
                        for _ in 0..<4096 {
                            try await writer.write([UInt8](repeating: 7, count: 16384))
                            sent.add(16384)
                        }
                    } catch {
                        failed.add()
                        throw error
                    }
                }
            )
        }
    }

    @Test("applies back-pressure to a slow reader's stream and serves others")
    func slowReader() async throws {
        let (sent, failed) = (Counter(), Counter())
        try await withServer(longStream(sent, failed)) { _, port in
            let slow = try TestClient(port, receiveBuffer: 64 << 10)
            try await slow.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
            var read = 0
            while read < 6 << 20, let more = try await slow.read() {
                read += more.count
                // Only the kernel's buffers lie between producer and reader.
                #expect(sent.value - read < 4 << 20)
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(read >= 6 << 20 && !failed.isSet)
            #expect(try await TestClient(port).get("/").status == 200)
        }
    }

    @Test("gives up on a reader that stalls")
    func stalledReader() async throws {
        var limits = Limits.forTests
        limits.writeStallTimeout = .milliseconds(200)
        let (sent, failed) = (Counter(), Counter())
        try await withServer(longStream(sent, failed), limits: limits) { server, port in
            let client = try TestClient(port, receiveBuffer: 64 << 10)
            try await client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { failed.isSet })
            #expect(sent.value < 4 << 20)
            #expect(await eventually { await server.connectionCount == 0 })
            client.close()
        }
    }
}
