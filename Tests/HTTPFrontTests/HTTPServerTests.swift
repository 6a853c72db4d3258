import Synchronization
import Testing

@testable import HTTPFront

/// Tests over real sockets; serialised, because some count descriptors and measure time.
@Suite("The server", .serialized, .timeLimit(.minutes(3))) struct HTTPServerTests {
    @Test("keeps a connection for many requests and names each")
    func keepAlive() async throws {
        let handler = TestHandler()
        try await withServer(handler) { server, port in
            let client = try TestClient(port)
            let first = try await client.get("/one")
            let second = try await client.get("/two")
            #expect(first.status == 200 && first.text == "GET /one " && second.text == "GET /two ")
            #expect(first.headers[first: "connection"] == nil && first.headers[first: "date"]?.count == 29)
            let names = [first, second].compactMap { $0.headers[first: "request-id"] }
            #expect(names.allSatisfy { $0.hasPrefix("req_") && $0.count == 28 } && Set(names).count == 2)
            #expect(await server.connectionCount == 1)
            let last = try await client.get("/", "Connection: close\r\n")
            #expect(last.headers[first: "connection"] == "close")
            #expect(try await client.read() == nil)
        }
        #expect(handler.finished == [200, 200, 200])
    }

    @Test("answers pipelined requests in order, with empty lines between them")
    func pipelining() async throws {
        try await withServer { _, port in
            let client = try TestClient(port)
            try await client.send(
                "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                    + "HEAD /3 HTTP/1.1\r\nHost: h\r\n\r\n"
                    + "POST /4 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
            )
            #expect(try await client.readReply().text == "POST /1 abc")
            #expect(try await client.readReply().text == "GET /2 ")
            let head = try await client.readReply(toHead: true)
            #expect(head.headers[first: "content-length"] == "8")
            #expect(try await client.readReply().text == "POST /4 de")
        }
    }

    @Test("takes a body byte by byte, chunked or not, while others are served")
    func bytewiseUpload() async throws {
        try await withServer { _, port in
            let (slow, other) = (try TestClient(port), try TestClient(port))
            for text in [
                "POST /s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
                "POST /s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd",
            ] {
                for (index, character) in text.unicodeScalars.enumerated() {
                    try await slow.send(String(character))
                    if index % 30 == 0 { #expect(try await other.get("/").status == 200) }
                    await Task.yield()
                }
                #expect(try await slow.readReply().text == "POST /s abcd")
            }
        }
    }

    @Test("takes a large body whole")
    func largeUpload() async throws {
        try await withServer(
            TestHandler { Response(status: 200, body: .bytes(Array("\($0.body.count)".utf8))) }
        ) { _, port in
            let client = try TestClient(port)
            let size = 5 << 20
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
            try await client.send(String(repeating: "x", count: size))
            #expect(try await client.readReply().text == "\(size)")
        }
    }

    @Test("asks for an expected body only if the request is not refused")
    func expectContinue() async throws {
        let handler = TestHandler(refuse: { head in
            head.headers[first: "x-api-key"] == nil ? Response(status: 401, body: .bytes(Array("no".utf8))) : nil
        })
        try await withServer(handler) { _, port in
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n"
            let refused = try TestClient(port)
            try await refused.send(head + "\r\n")
            let reply = try await refused.readReply()
            #expect(reply.status == 401 && reply.headers[first: "connection"] == "close")
            #expect(try await refused.read() == nil)

            let welcome = try TestClient(port)
            try await welcome.send(head + "X-Api-Key: k\r\n\r\n")
            #expect(try await welcome.readReply().status == 100)
            try await welcome.send("ok")
            #expect(try await welcome.readReply().text == "POST / ok")

            // Without a body, a refusal does not cost the connection.
            let bare = try TestClient(port)
            #expect(try await bare.get("/").status == 401)
            #expect(try await bare.get("/", "X-Api-Key: k\r\n").status == 200)
        }
    }

    @Test("answers HTTP/1.0 without chunks")
    func oldClients() async throws {
        let handler = TestHandler { request in
            guard request.head.path == "/stream" else { return await TestHandler.echo(request) }
            return Response(status: 200, body: .stream { try await $0.write(Array("streamed".utf8)) })
        }
        try await withServer(handler) { _, port in
            let client = try TestClient(port)
            try await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try await client.readReply().headers[first: "connection"] == "keep-alive")
            try await client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let reply = try await client.readReply()
            #expect(reply.text == "streamed" && reply.headers[first: "connection"] == "close")
            #expect(reply.headers[first: "transfer-encoding"] == nil)
        }
    }

    @Test(
        "says what is wrong, then closes",
        arguments: [
            Faulty("no host", "GET / HTTP/1.1\r\n\r\n", 400),
            Faulty("TLS", "\u{16}\u{3}\u{1}\r\n\r\n", 400),
            Faulty("long line", "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: h\r\n\r\n", 414),
            Faulty(
                "long field",
                "GET / HTTP/1.1\r\nHost: h\r\na: \(String(repeating: "a", count: 40000))\r\n\r\n",
                431
            ),
            Faulty("fields", "GET / HTTP/1.1\r\nHost: h\r\n\(String(repeating: "a: b\r\n", count: 101))\r\n", 431),
            Faulty(
                "body",
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
                413
            ),
            Faulty("chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
            Faulty("version", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", 400),
        ]
    )
    func faults(_ faulty: Faulty) async throws {
        try await withServer { _, port in
            let client = try TestClient(port)
            try await client.send(faulty.text)
            let reply = try await client.readReply()
            #expect(reply.status == faulty.status && reply.headers[first: "connection"] == "close")
            let name = try #require(reply.headers[first: "request-id"])
            #expect(reply.text.hasPrefix("\(name) "))
            #expect(try await client.read() == nil)
        }
    }

    @Test("lets a client that sends its oversized body first read the refusal")
    func refusalSurvivesUpload() async throws {
        var limits = Limits.forTests
        limits.maxBodyBytes = 1 << 20
        try await withServer(limits: limits) { _, port in
            let client = try TestClient(port)
            let size = 8 << 20
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
            try await client.send(String(repeating: "x", count: size))
            #expect(try await client.readReply().status == 413)
        }
    }

    @Test("refuses clients beyond its limit, and takes new ones when there is room")
    func tooManyConnections() async throws {
        var limits = Limits.forTests
        limits.maxConnections = 2
        let (gate, entered) = (Gate(), Counter())
        let handler = TestHandler(slow: gate, entered)
        try await withServer(handler, limits: limits) { server, port in
            let clients = [try TestClient(port), try TestClient(port)]
            for client in clients { try await client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(await eventually { entered.value == 2 })
            let third = try TestClient(port)
            #expect(try await third.readReply().status == 503)
            #expect(try await third.read() == nil)
            try clients[0].reset()
            #expect(await eventually { await server.connectionCount == 1 })
            #expect(try await TestClient(port).get("/").status == 200)
            gate.open()
            #expect(try await clients[1].readReply().status == 200)
        }
    }

    @Test("limits the memory of all bodies together, and takes new ones when there is room")
    func bodyMemory() async throws {
        var limits = Limits.forTests
        (limits.maxBodyBytes, limits.maxBodyMemoryBytes) = (1000, 1500)
        let (gate, entered) = (Gate(), Counter())
        let handler = TestHandler { request in
            entered.add()
            await gate.pass()
            return Response(status: 200)
        }
        func post(_ client: TestClient, as name: String, _ framing: String, _ body: String) async throws {
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nClient: \(name)\r\n\(framing)\r\n\r\n\(body)")
        }
        let bytes = String(repeating: "x", count: 1000)
        try await withServer(handler, limits: limits) { _, port in
            let first = try TestClient(port)
            // A body counts until its request is answered.
            for round in 1...2 {
                try await post(first, as: "a", "Content-Length: 1000", bytes)
                #expect(await eventually { entered.value == 2 * round - 1 })
                for (name, framing, body) in [
                    ("b", "Content-Length: 501", String(bytes.prefix(501))),
                    ("b", "Transfer-Encoding: chunked", "fa\r\n\(bytes.prefix(250))\r\nfb\r\n\(bytes.prefix(251))\r\n"),
                    // There is room for others, but not for the client that holds most of it.
                    ("a", "Content-Length: 1", "x"),
                ] {
                    let second = try TestClient(port)
                    try await post(second, as: name, framing, body)
                    let reply = try await second.readReply()
                    #expect(reply.status == 503 && reply.headers[first: "connection"] == "close")
                }
                let third = try TestClient(port)
                try await post(third, as: "b", "Content-Length: 500", String(bytes.prefix(500)))
                #expect(await eventually { entered.value == 2 * round })
                for _ in 0..<2 { gate.open() }
                #expect(try await first.readReply().status == 200)
                #expect(try await third.readReply().status == 200)
            }
        }
    }

    @Test("binds host names and IPv6, and explains why it cannot")
    func binding() async throws {
        for host in ["localhost", "0.0.0.0"] + (hasIPv6 ? ["::1", "[::1]"] : []) {
            let server = HTTPServer(handler: TestHandler())
            #expect(try await server.bind(host: host, port: 0) > 0)
        }
        let server = HTTPServer(handler: TestHandler())
        let port = try await server.bind(host: "127.0.0.1", port: 0)
        for (host, port, reason) in [
            ("127.0.0.1", port, "in use"), ("192.0.2.1", 0, "not an address of this machine"),
            ("no-such-host.invalid", 0, "cannot resolve"),
        ] {
            let other = HTTPServer(handler: TestHandler())
            let error = await #expect(throws: HTTPServerError.self) { try await other.bind(host: host, port: port) }
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
    }
}

/// A request that the server itself refuses.
struct Faulty: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let status: Int

    init(_ testDescription: String, _ text: String, _ status: Int) {
        (self.testDescription, self.text, self.status) = (testDescription, text, status)
    }
}
