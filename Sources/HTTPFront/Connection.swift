import Synchronization

/// One connection: reads requests and answers them, one after the other, in a task of its own. Pipelined requests wait
/// in the parser and in the kernel.
struct Connection {
    /// Why no request could be read.
    private enum Interruption: Error {
        /// The client is gone, was idle for too long, or the connection was evicted: nothing is sent.
        case ended
        case fault(HTTPFault)
    }

    private let socket: Socket
    private let handler: any RequestHandler
    private let limits: Limits
    private let peer: Address
    /// Nil for a connection that is refused because the server is full.
    private let entry: ConnectionRegistry.Entry?
    private let responses: ResponseSender
    private let memoryQuota: RequestMemoryQuota
    private let requestQuota: RequestCountQuota
    private var parser: RequestParser
    /// The client that the current request is accounted to: the handler's name for it, or its network address.
    private var client: String
    /// Whether the current request counts in `requestQuota`.
    private var isCounted = false
    /// Bytes reserved in `memoryQuota` for the current request.
    private var reservedBytes = 0
    /// The announced length of the current request's body.
    private var announcedBytes = 0
    /// When the current request's first byte arrived.
    private var started = ContinuousClock.now

    init(
        _ socket: Socket,
        peer: Address,
        entry: ConnectionRegistry.Entry?,
        handler: any RequestHandler,
        limits: Limits,
        memoryQuota: RequestMemoryQuota,
        requestQuota: RequestCountQuota
    ) {
        self.socket = socket
        self.handler = handler
        self.limits = limits
        self.peer = peer
        self.entry = entry
        client = peer.network
        self.memoryQuota = memoryQuota
        self.requestQuota = requestQuota
        responses = ResponseSender(socket: socket, stallLimit: limits.writeStallTimeout)
        parser = RequestParser(limits: limits)
    }

    /// Serves requests until the connection ends.
    @concurrent
    mutating func run() async {
        while true {
            let delivery = await serveRequest()
            if delivery != .keepAlive { parser = RequestParser(limits: limits) }
            memoryQuota.release(reservedBytes, of: client)
            if isCounted { requestQuota.release(client) }
            (reservedBytes, isCounted, client) = (0, false, peer.network)
            switch delivery {
            // Pipelined requests that are refused never suspend this task: let others run.
            case .keepAlive: await Task.yield()
            case .close: return await linger()
            case .failed: return
            }
        }
    }

    /// Answers 503, because the server is full.
    @concurrent
    func refuseConnection() async {
        let requestID = RequestID.make()
        let response = handler.response(to: .tooManyConnections, requestID: requestID)
        let delivery = await send(response, to: nil, requestID: requestID)
        guard delivery != .failed else { return }
        await socket.linger(for: min(limits.lingerTimeout, .seconds(1)), upTo: limits.lingerBytes)
    }

    /// Closes gracefully, see `Socket.linger`. During shutdown this takes a second at most.
    private func linger() async {
        guard enter(.lingering) else { return }
        let limit = limits.lingerTimeout
        // A client that sends its whole body before it reads would otherwise see a reset instead of the response.
        let byteCount = max(limits.lingerBytes, min(announcedBytes, limits.lingerBodyBytes))
        await socket.linger(for: socket.poller.isDraining ? min(limit, .seconds(1)) : limit, upTo: byteCount)
    }

    /// Sets this connection's state; false if it has been evicted.
    private func enter(_ state: ConnectionRegistry.State) -> Bool { entry?.setState(state) ?? true }

    private mutating func serveRequest() async -> ResponseSender.Delivery {
        let requestID = RequestID.make()
        var accepted: (head: RequestHead, request: any AcceptedRequest)?
        do throws(Interruption) {
            let parsed = try await readHead()
            let head = RequestHead(parsed, requestID: requestID, peer: peer)
            let keepsAlive = parsed.keepsAlive
            if case .length(let length) = parsed.framing { announcedBytes = length }
            switch handler.admit(head) {
            case .refused(let response):
                guard enter(.answering) else { throw .ended }
                return await refuse(head, with: response, keepsAlive: keepsAlive && !parsed.announcesBody)
            case .accepted(let request):
                accepted = (head, request)
                let isIdentified = try identifyClient(request.client)
                let body = try await readBody(expectsContinue: parsed.expectsContinue)
                guard enter(isIdentified ? .active : .answering) else { throw .ended }
                let execution = RequestExecution(socket: socket, head: head, responses: responses)
                let (response, delivery) = await execution.run(request, body: body, keepsAlive: keepsAlive)
                finish(head, response)
                return delivery
            }
        } catch {
            guard case .fault(let fault) = error else { return .failed }
            let response = accepted?.request.response(to: fault)
            return await send(
                response ?? handler.response(to: fault, requestID: requestID),
                to: accepted?.head,
                requestID: requestID
            )
        }
    }

    /// Whether the client is identified; from then on the request is accounted to the client's name.
    /// - Throws: a fault if that client has too many requests in progress.
    private mutating func identifyClient(_ name: String?) throws(Interruption) -> Bool {
        guard let name else {
            guard enter(.receiving) else { throw .ended }
            return false
        }
        guard enter(.uploading) else { throw .ended }
        memoryQuota.release(reservedBytes, of: client)
        (reservedBytes, client) = (0, name)
        isCounted = requestQuota.acquire(name)
        guard isCounted else { throw .fault(.tooManyRequests) }
        return true
    }

    // MARK: Reading

    private mutating func readHead() async throws(Interruption) -> ParsedHead {
        started = .now
        announcedBytes = 0
        while true {
            switch parser.next() {
            case .head(let head): return head
            case .fault(let fault): throw .fault(fault)
            case .body: continue
            case .needsMore: break
            }
            if parser.isIdle {
                guard enter(.idle) else { throw .ended }
                guard try await fill(until: .now + limits.idleTimeout, endsOnDrain: true) else { throw .ended }
                started = .now
            } else {
                guard enter(.receiving) else { throw .ended }
                try reserveMemory(parser.headBytes)
                guard try await fill(until: started + limits.headerTimeout) else {
                    throw .fault(.timeout("the end of the request head"))
                }
            }
        }
    }

    private mutating func readBody(expectsContinue: Bool) async throws(Interruption) -> [UInt8] {
        let start = ContinuousClock.now
        var owesContinue = expectsContinue
        var reads = 0
        while true {
            switch parser.next() {
            case .body(let body):
                try reserveMemory(body.count)
                return body
            case .fault(let fault): throw .fault(fault)
            case .head, .needsMore: try reserveMemory(parser.bodyBytes)
            }
            if owesContinue, parser.bodyBytes == 0 {
                do throws(SendError) {
                    try await responses.sendContinue()
                } catch {
                    throw .ended
                }
            }
            owesContinue = false
            let earned = Duration.seconds(parser.bodyBytes / max(1, limits.minBodyBytesPerSecond))
            let whole = min(limits.bodyTimeout + earned, limits.bodyTimeoutMax)
            let deadline = min(.now + limits.bodyStallTimeout, start + whole)
            guard ContinuousClock.now < deadline, try await fill(until: deadline) else {
                throw .fault(.timeout("the request body"))
            }
            reads += 1
            // A client that sends without a pause must not occupy a thread of the pool.
            if reads % 8 == 0 { await Task.yield() }
        }
    }

    /// Raises the memory reserved for this request to `count` bytes, of its head or its body.
    private mutating func reserveMemory(_ count: Int) throws(Interruption) {
        guard count > reservedBytes else { return }
        guard memoryQuota.reserve(count - reservedBytes, for: client) else { throw .fault(.bodyMemoryFull) }
        reservedBytes = count
    }

    /// Feeds received bytes to the parser, waiting for some if there are none. False if none arrived in time.
    private mutating func fill(
        until deadline: ContinuousClock.Instant,
        endsOnDrain: Bool = false
    ) async throws(Interruption) -> Bool {
        var isLastTry = false
        while true {
            switch receive() {
            case .bytes: return true
            case .ended: throw .ended
            case .wouldBlock: if isLastTry { throw .ended }
            }
            switch await socket.poller.wait(
                socket.descriptor,
                for: .readable,
                until: deadline,
                endsOnDrain: endsOnDrain
            )
            {
            case .ready: continue
            case .timedOut: return false
            // A request that arrived just before the shutdown is still answered.
            case .interrupted: isLastTry = true
            case .cancelled, .closed: throw .ended
            }
        }
    }

    /// Receives into the parser. The buffer is on the stack and lives for this call only, so an idle connection holds
    /// no buffer.
    private mutating func receive() -> Socket.Received {
        withUnsafeTemporaryAllocation(byteCount: 1 << 15, alignment: 16) { buffer in
            let received = socket.receive(into: buffer)
            if case .bytes(let count) = received {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return received
        }
    }

    // MARK: Answering

    private mutating func refuse(
        _ head: RequestHead,
        with response: Response,
        keepsAlive: Bool
    ) async -> ResponseSender.Delivery {
        // Consumes the end of the empty body.
        if keepsAlive { _ = parser.next() }
        let delivery = await responses.send(response, to: head, keepsAlive: keepsAlive)
        finish(head, response)
        return delivery
    }

    /// Sends the last response of a connection.
    /// - Parameter head: nil if it could not be read.
    private func send(
        _ response: Response,
        to head: RequestHead?,
        requestID: String
    ) async -> ResponseSender.Delivery {
        // If the head could not be read, the client's version is unknown: HTTP/1.1, with a body, is assumed.
        let assumed = head ?? RequestHead(method: "GET", target: "/", requestID: requestID)
        let delivery = await responses.send(response, to: assumed, keepsAlive: false)
        finish(head, response, requestID: requestID)
        return delivery
    }

    /// - Parameter response: the response for logs, with status 499 if it was not delivered.
    private func finish(_ head: RequestHead?, _ response: Response, requestID: String? = nil) {
        let request = FinishedRequest(
            head: head,
            requestID: requestID ?? head?.requestID ?? "",
            peer: peer.text,
            status: response.status,
            started: started,
            seconds: (ContinuousClock.now - started) / .seconds(1),
            record: response.record
        )
        handler.finished(request)
    }
}

extension RequestHead {
    fileprivate init(_ parsed: ParsedHead, requestID: String, peer: Address) {
        self.init(
            method: parsed.line.method,
            target: parsed.line.target,
            headers: parsed.headers,
            requestID: requestID,
            peerIsLoopback: peer.isLoopback,
            peer: peer.network
        )
        minorVersion = parsed.line.minorVersion
    }
}

/// Generates request IDs in the format of the official API: `req_` and 24 random characters.
enum RequestID {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    static func make() -> String {
        var bytes = Array("req_".utf8)
        for var bits in [UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max)] {
            for _ in 0..<12 {
                bytes.append(alphabet[Int(bits & 31)])
                bits >>= 5
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
