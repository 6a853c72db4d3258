import Synchronization
import Testing

@testable import HTTPFront

/// Clients that shut down their sending side, and clients that are gone: the kernel reports both alike at first.
extension HTTPServerTests {
    /// A handler whose responses wait for `gate`, which cancellation opens too; answers 500 if it was cancelled.
    private func patient(_ gate: Gate, _ entered: Counter) -> TestHandler {
        TestHandler { request in
            let isStream = request.head.path == "/stream"
            if !isStream {
                entered.add()
                await gate.pass()
                return Task.isCancelled ? Response(status: 500) : await TestHandler.echo(request)
            }
            return Response(
                status: 200,
                body: .stream { writer in
                    try await writer.write(Array("one ".utf8))
                    entered.add()
                    await gate.pass()
                    try Task.checkCancellation()
                    try await writer.write(Array("two ".utf8))
                    await Task.yield()
                    try await writer.write(Array("three".utf8))
                }
            )
        }
    }

    @Test("answers a client that closed its sending side after the request", arguments: ["/plain", "/stream"], [0, 1])
    func halfClosed(path: String, minorVersion: Int) async throws {
        let (gate, entered) = (Gate(), Counter())
        let handler = patient(gate, entered)
        try await withServer(handler) { server, port in
            let client = try TestClient(port)
            try await client.send("GET \(path) HTTP/1.\(minorVersion)\r\nHost: h\r\n\r\n")
            try client.finishSending()
            #expect(await eventually { entered.isSet })
            // Long enough for the server to see it and to send a probe.
            try await Task.sleep(for: .milliseconds(300))
            gate.open()
            // A client of HTTP/1.0 does not know 100 Continue.
            let reply = try await minorVersion == 0 ? client.readReply() : client.readFinalReply()
            #expect(reply.status == 200 && reply.text == (path == "/plain" ? "GET /plain " : "one two three"))
            #expect(try await client.readToEnd() == "")
            #expect(await eventually { handler.finished == [200] })
            #expect(await eventually { await server.connectionCount == 0 })
        }
    }

    @Test("answers all requests of a client that sent several and closed its sending side")
    func halfClosedAfterSeveral() async throws {
        let (gate, entered) = (Gate(), Counter())
        let handler = patient(gate, entered)
        try await withServer(handler) { _, port in
            let client = try TestClient(port)
            try await client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
            try client.finishSending()
            for round in 1...2 {
                #expect(await eventually { entered.value == round })
                gate.open()
                #expect(try await client.readFinalReply().text == "GET /\(round) ")
            }
            #expect(try await client.readToEnd() == "")
        }
    }

    @Test("cancels the handler when the client leaves", arguments: ["/plain", "/stream"], [false, true])
    func clientLeaves(path: String, byReset: Bool) async throws {
        let (entered, ended) = (Counter(), Counter())
        let handler = TestHandler { request in
            if request.head.path == "/plain" {
                entered.add()
                try? await Task.sleep(for: .seconds(600))
                if Task.isCancelled { ended.add() }
                return Response(status: 200)
            }
            return Response(
                status: 200,
                body: .stream { writer in
                    // Regular writes: the reset that follows shows that the client is gone.
                    let signs = Task {
                        while true {
                            try await writer.write([46])
                            entered.add()
                            try await Task.sleep(for: .milliseconds(50))
                        }
                    }
                    try? await Task.sleep(for: .seconds(600))
                    signs.cancel()
                    if Task.isCancelled { ended.add() }
                    await #expect(throws: (any Error).self) { try await writer.write([1]) }
                }
            )
        }
        try await withServer(handler) { server, port in
            let client = try TestClient(port)
            // A pipelined request that is not read yet must not hide the end of the connection.
            try await client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { entered.isSet })
            let start = ContinuousClock.now
            if byReset { try client.reset() } else { client.close() }
            #expect(await eventually { ended.isSet })
            // TCP keep-alive would take a minute.
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(await eventually { await server.connectionCount == 0 })
            #expect(handler.finished == [499])
        }
    }

    @Test("logs 499 only if the response was not delivered", arguments: ["/plain", "/stream"])
    func deliveryCounts(path: String) async throws {
        let (gate, entered) = (Gate(), Counter())
        let handler = patient(gate, entered)
        try await withServer(handler) { server, port in
            let halfClosed = try TestClient(port)
            try await halfClosed.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { entered.value == 1 })
            try halfClosed.finishSending()
            gate.open()
            #expect(try await halfClosed.readFinalReply().status == 200)
            #expect(await eventually { handler.finished == [200] })

            let gone = try TestClient(port)
            try await gone.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await eventually { entered.value == 2 })
            try gone.reset()
            #expect(await eventually { handler.finished == [200, 499] })
            #expect(await eventually { await server.connectionCount == 0 })
        }
    }
}
