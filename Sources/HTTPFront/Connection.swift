import Synchronization

/// One connection: reads requests and answers them, one after the other.
///
/// It runs in a task of its own. Pipelined requests wait in the parser, and in the kernel, until it is their turn.
struct Connection {
    /// Why there is no (further) request.
    private enum Interruption: Error {
        /// The client is gone, idle for too long, or not wanted any more: nothing to say.
        case ended
        case fault(HTTPFault)
    }

    private let socket: Socket
    private let handler: any RequestHandler
    private let limits: Limits
    private let peerIsLoopback: Bool
    private let responses: ResponseSender
    private let memory: BodyMemory
    private var parser: RequestParser
    /// What the current request's body holds of `memory`.
    private var heldBytes = 0
    /// When the current request's first byte came.
    private var started = ContinuousClock.now

    init(
        _ socket: Socket,
        peerIsLoopback: Bool,
        handler: any RequestHandler,
        limits: Limits,
        memory: BodyMemory
    ) {
        self.socket = socket
        self.handler = handler
        self.limits = limits
        self.peerIsLoopback = peerIsLoopback
        self.memory = memory
        responses = ResponseSender(socket: socket, stallLimit: limits.writeStallTimeout)
        parser = RequestParser(limits: limits)
    }

    /// Serves requests until the connection ends.
    @concurrent
    mutating func run() async {
        while true {
            let delivery = await serveRequest()
            if delivery != .keepsConnection { parser = RequestParser(limits: limits) }
            memory.giveBack(heldBytes)
            heldBytes = 0
            switch delivery {
            case .keepsConnection: continue
            case .lastOfConnection: return await linger()
            case .failed: return
            }
        }
    }

    /// Tells a client that the server is full.
    @concurrent
    func refuseConnection() async {
        let delivery = await answer(.tooManyConnections, to: nil, requestID: RequestID.make())
        if delivery != .failed { await socket.linger(for: min(limits.lingerTimeout, .seconds(1))) }
    }

    /// A server that shuts down does not wait long for slow goodbyes.
    private func linger() async {
        let limit = limits.lingerTimeout
        await socket.linger(for: socket.poller.isDraining ? min(limit, .seconds(1)) : limit)
    }

    private mutating func serveRequest() async -> ResponseSender.Delivery {
        let requestID = RequestID.make()
        var head: RequestHead?
        do throws(Interruption) {
            let parsed = try await readHead()
            let current = RequestHead(parsed, requestID: requestID, peerIsLoopback: peerIsLoopback)
            head = current
            let keepsAlive = parsed.keepsAlive
            if let refusal = handler.refuse(current) {
                return await refuse(current, with: refusal, keepsAlive: keepsAlive && !parsed.announcesBody)
            }
            let body = try await readBody(expectsContinue: parsed.expectsContinue)
            return await exchange(Request(head: current, body: body), keepsAlive: keepsAlive)
        } catch {
            guard case .fault(let fault) = error else { return .failed }
            return await answer(fault, to: head, requestID: requestID)
        }
    }

    // MARK: Reading

    private mutating func readHead() async throws(Interruption) -> ParsedHead {
        started = .now
        while true {
            switch parser.next() {
            case .head(let head): return head
            case .fault(let fault): throw .fault(fault)
            case .body: continue
            case .needsMore: break
            }
            if parser.isIdle {
                guard try await fill(until: .now + limits.idleTimeout, endsOnDrain: true) else { throw .ended }
                started = .now
            } else {
                guard try await fill(until: started + limits.headerTimeout) else {
                    throw .fault(.timeout("the end of the request head"))
                }
            }
        }
    }

    private mutating func readBody(expectsContinue: Bool) async throws(Interruption) -> [UInt8] {
        let start = ContinuousClock.now
        var owesContinue = expectsContinue
        while true {
            switch parser.next() {
            case .body(let body):
                try hold(body.count)
                return body
            case .fault(let fault): throw .fault(fault)
            case .head, .needsMore: try hold(parser.bodyBytes)
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
            let deadline = min(.now + limits.bodyStallTimeout, start + limits.bodyTimeout + earned)
            guard try await fill(until: deadline) else { throw .fault(.timeout("the request body")) }
        }
    }

    /// Counts the bytes of the body that are there now.
    private mutating func hold(_ count: Int) throws(Interruption) {
        guard memory.take(count - heldBytes) else { throw .fault(.bodyMemoryFull) }
        heldBytes = count
    }

    /// Gives the parser what has come, waiting for it if need be. False if nothing came in time.
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
            // A request that came at the last moment is still answered.
            case .interrupted: isLastTry = true
            case .cancelled, .closed: throw .ended
            }
        }
    }

    /// Receives into the parser. The buffer lives for this call only, so an idle connection holds none; and the call is
    /// synchronous, so the buffer is no part of the task's own memory.
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

    /// Lets the handler answer, and cancels it when the client goes away meanwhile.
    private func exchange(_ request: Request, keepsAlive: Bool) async -> ResponseSender.Delivery {
        enum ChildResult {
            case answered(status: Int, ResponseSender.Delivery)
            case clientLeft
            case stoppedWatching
        }
        var status = 499
        var delivery = ResponseSender.Delivery.failed
        await withTaskGroup(of: ChildResult.self) { [socket, handler, responses] group in
            group.addTask {
                let response = await handler.respond(to: request)
                let delivery = await responses.send(response, to: request.head, keepsAlive: keepsAlive)
                return .answered(status: response.status, delivery)
            }
            group.addTask {
                await socket.waitForHangup() ? .clientLeft : .stoppedWatching
            }
            var clientLeft = false
            for await result in group {
                switch result {
                case .answered(let answeredStatus, let answeredDelivery):
                    // What was delivered counts, whoever is seen first: a client may close as soon as it has the whole
                    // response, or close its sending side only. There will be no further request either way.
                    delivery = clientLeft && answeredDelivery == .keepsConnection ? .lastOfConnection : answeredDelivery
                    status = answeredDelivery == .failed ? 499 : answeredStatus
                    group.cancelAll()
                case .clientLeft:
                    clientLeft = true
                    group.cancelAll()
                case .stoppedWatching: break
                }
            }
        }
        finish(request.head, status: status)
        return delivery
    }

    private mutating func refuse(
        _ head: RequestHead,
        with response: Response,
        keepsAlive: Bool
    ) async -> ResponseSender.Delivery {
        // The end of an empty body.
        if keepsAlive { _ = parser.next() }
        let delivery = await responses.send(response, to: head, keepsAlive: keepsAlive)
        finish(head, status: response.status)
        return delivery
    }

    private func answer(
        _ fault: HTTPFault,
        to head: RequestHead?,
        requestID: String
    ) async -> ResponseSender.Delivery {
        let response = handler.response(to: fault, head: head, requestID: requestID)
        // What the client understands is not known if its head could not be read: HTTP/1.1, with a body.
        let assumed = head ?? RequestHead(method: "GET", target: "/", requestID: requestID)
        let delivery = await responses.send(response, to: assumed, keepsAlive: false)
        finish(head, status: response.status)
        return delivery
    }

    private func finish(_ head: RequestHead?, status: Int) {
        handler.finished(head, status: status, seconds: (ContinuousClock.now - started) / .seconds(1))
    }
}

extension RequestHead {
    fileprivate init(_ parsed: ParsedHead, requestID: String, peerIsLoopback: Bool) {
        self.init(
            method: parsed.line.method,
            target: parsed.line.target,
            headers: parsed.headers,
            requestID: requestID,
            peerIsLoopback: peerIsLoopback
        )
        minorVersion = parsed.line.minorVersion
    }
}

/// Makes the unique names of requests, as the official API forms them.
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
