import Platform
import Synchronization

@testable import HTTPFront

/// A handler made of closures that records finished requests.
final class TestHandler: RequestHandler {
    let refusal: @Sendable (RequestHead) -> Response?
    let answer: @Sendable (Request) async -> Response
    private let log = Mutex<[Int]>([])

    init(_ respond: @escaping @Sendable (Request) async -> Response = TestHandler.echo) {
        refusal = { _ in nil }
        answer = respond
    }

    /// Requests for `/slow` are counted by `entered` and wait for `gate`; a cancelled one is answered 500.
    convenience init(slow gate: Gate, _ entered: Counter) {
        self.init { request in
            guard request.head.path == "/slow" else { return await TestHandler.echo(request) }
            entered.add()
            await gate.pass()
            return Response(status: Task.isCancelled ? 500 : 200)
        }
    }

    init(refuse: @escaping @Sendable (RequestHead) -> Response?) {
        refusal = refuse
        answer = TestHandler.echo
    }

    /// Method, target and body of the request.
    @Sendable static func echo(_ request: Request) async -> Response {
        let text = "\(request.head.method) \(request.head.target) \(String(decoding: request.body, as: UTF8.self))"
        return Response(status: 200, headers: ["content-type": "text/plain"], body: .bytes(Array(text.utf8)))
    }

    /// The statuses of the finished requests.
    var finished: [Int] { log.withLock { $0 } }

    func admit(_ head: RequestHead) -> Admission {
        refusal(head).map { .refused($0) } ?? .accepted(AcceptedTestRequest(handler: self, head: head))
    }

    func response(to fault: HTTPFault, requestID: String) -> Response {
        Response(status: fault.status, body: .bytes(Array("\(requestID) \(fault.message)".utf8)))
    }

    func finished(_ request: FinishedRequest) {
        log.withLock { $0.append(request.status) }
    }
}

/// A request as a test's handler answers it.
struct Request: Sendable {
    var head: RequestHead
    var body: [UInt8]
}

private struct AcceptedTestRequest: AcceptedRequest {
    let handler: TestHandler
    let head: RequestHead

    /// A client is identified by its `client` field, or else its address; `anonymous` is not identified.
    var client: String? {
        let name = head.headers[first: "client"] ?? head.peer
        return name == "anonymous" ? nil : name
    }

    func respond(with body: [UInt8]) async -> Response { await handler.answer(Request(head: head, body: body)) }

    func response(to fault: HTTPFault) -> Response { handler.response(to: fault, requestID: head.requestID) }
}

/// Runs `body` with a server on a port of its own.
func withServer(
    _ handler: TestHandler = TestHandler(),
    limits: Limits = .forTests,
    body: (HTTPServer, UInt16) async throws -> Void
) async throws {
    let server = HTTPServer(handler: handler, limits: limits)
    let port = try await server.bind(host: "127.0.0.1", port: 0)
    let running = Task { await server.run() }
    do {
        try await body(server, port)
    } catch {
        await server.closeAll()
        await running.value
        throw error
    }
    await server.closeAll()
    await running.value
}

extension Limits {
    /// Limits with time-outs that no test reaches by accident on a slow machine; a test sets those that it is about.
    static var forTests: Limits {
        var limits = Limits()
        let never = Duration.seconds(600)
        (limits.headerTimeout, limits.bodyStallTimeout, limits.bodyTimeout) = (never, never, never)
        (limits.idleTimeout, limits.writeStallTimeout, limits.lingerTimeout) = (never, never, never)
        return limits
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A response as a client sees it.
struct Reply {
    var status: Int
    var headers: Headers
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Whether this machine has the IPv6 loopback address; containers often do not.
let hasIPv6: Bool = {
    let descriptor = Platform.socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
        }
    }
}()

/// A raw client: bytes out, bytes in.
final class TestClient {
    private static let poller = Result<Poller, HTTPServerError> { () throws(HTTPServerError) in try Poller() }

    private var socket: Socket?
    private var buffer: [UInt8] = []
    private let patience: Duration

    /// - Parameters:
    ///   - lastByte: the last byte of the client's own loopback address.
    ///   - patience: how long to wait for bytes, so that a missing response does not block the tests.
    init(
        _ port: UInt16,
        from lastByte: UInt8 = 1,
        patience: Duration = .seconds(60),
        receiveBuffer: Int32? = nil
    ) throws {
        let descriptor = Platform.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let socket = Socket(adopting: descriptor, poller: try TestClient.poller.get())
        if let receiveBuffer { socket.setOption(Int(SOL_SOCKET), SO_RCVBUF, receiveBuffer) }
        let own = TestClient.withAddress(lastByte, port: 0) { bind(descriptor, $0, $1) }
        let status = TestClient.withAddress(1, port: port) { connect(descriptor, $0, $1) }
        guard own == 0, status == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            throw TestFailure("connect: \(errno)")
        }
        self.socket = socket
        self.patience = patience
    }

    private static func withAddress(
        _ lastByte: UInt8,
        port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0x7F00_0000 | UInt32(lastByte)).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Closes the connection.
    func close() { socket = nil }

    /// Closes the connection with a reset.
    func reset() throws {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(try open.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        socket = nil
    }

    /// Closes the sending side only.
    func finishSending() throws { shutdown(try open.descriptor, Int32(SHUT_WR)) }

    private var open: Socket {
        get throws {
            guard let socket else { throw TestFailure("the client has left") }
            return socket
        }
    }

    func send(_ text: String) async throws {
        try await open.send(Array(text.utf8), stallLimit: patience)
    }

    /// Reads available bytes; nil at the end.
    func read() async throws -> [UInt8]? {
        if !buffer.isEmpty {
            defer { buffer = [] }
            return buffer
        }
        let socket = try open
        while true {
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            switch chunk.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .bytes(let count): return Array(chunk[..<count])
            case .ended: return nil
            case .wouldBlock: break
            }
            let outcome = await socket.poller.wait(socket.descriptor, for: .readable, until: .now + patience)
            guard outcome == .ready else { throw TestFailure("nothing came: \(outcome)") }
        }
    }

    /// Reads up to and including `mark`.
    func read(through mark: String) async throws -> String {
        let mark = Array(mark.utf8)
        var bytes: [UInt8] = []
        while let more = try await read() {
            let start = max(0, bytes.count - mark.count)
            bytes += more
            guard bytes.count >= mark.count else { continue }
            for place in start...(bytes.count - mark.count) where bytes[place...].starts(with: mark) {
                buffer = Array(bytes[(place + mark.count)...])
                return String(decoding: bytes[..<(place + mark.count)], as: UTF8.self)
            }
        }
        throw TestFailure("closed before \"\(String(decoding: mark, as: UTF8.self))\"")
    }

    func readToEnd() async throws -> String {
        var bytes: [UInt8] = []
        while let more = try await read() { bytes += more }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func read(count: Int) async throws -> [UInt8] {
        var bytes = buffer
        buffer = []
        while bytes.count < count {
            guard let more = try await read() else { throw TestFailure("closed inside a body") }
            bytes += more
        }
        buffer = Array(bytes[count...])
        return Array(bytes[..<count])
    }

    func readHead() async throws -> Reply {
        let lines = try await read(through: "\r\n\r\n").split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3))
        else { throw TestFailure("no status line in \(lines)") }
        var headers = Headers()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers.add(String(parts[0]), String(parts[1].dropFirst()))
        }
        return Reply(status: status, headers: headers, body: [])
    }

    /// One response with its body, after any 100 Continue.
    func readFinalReply() async throws -> Reply {
        while true {
            let reply = try await readReply()
            if reply.status != 100 { return reply }
        }
    }

    /// One response with its body.
    func readReply(toHead: Bool = false) async throws -> Reply {
        var reply = try await readHead()
        if toHead || reply.status == 100 { return reply }
        if reply.headers[first: "transfer-encoding"] == "chunked" {
            while let chunk = try await readChunk() { reply.body += chunk }
        } else if let length = reply.headers[first: "content-length"].flatMap({ Int($0) }) {
            reply.body = try await read(count: length)
        } else {
            reply.body = Array(try await readToEnd().utf8)
        }
        return reply
    }

    /// One chunk; nil for the final one.
    func readChunk() async throws -> [UInt8]? {
        let line = try await read(through: "\r\n").dropLast(1)
        guard let size = Int(line, radix: 16) else { throw TestFailure("no chunk size: \(line)") }
        let chunk = try await read(count: size)
        guard try await read(count: 2) == [13, 10] else { throw TestFailure("no end of chunk") }
        return size == 0 ? nil : chunk
    }

    func get(_ target: String, _ fields: String = "") async throws -> Reply {
        try await send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
        return try await readReply()
    }
}

/// Waits until the condition holds; false if it does not within a generous time.
func eventually(within limit: Duration = .seconds(60), _ condition: () async -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return await condition()
}

/// A gate at which tasks wait until it is opened.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.yield() }

    /// Returns after one `open`, or when the task is cancelled.
    func pass() async { for await _ in stream { return } }
}

/// A counter that several tasks share.
final class Counter: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }
    var isSet: Bool { value > 0 }

    func add(_ count: Int = 1) { number.add(count, ordering: .relaxed) }
}
