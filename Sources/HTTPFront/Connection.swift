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
    private let peer: Address
    /// Nil for a connection that is only told that there is no place.
    private let place: ConnectionRoll.Place?
    private let responses: ResponseSender
    private let memory: BodyMemory
    private let shares: RequestShares
    private var parser: RequestParser
    /// Whom the current request is from, as far as that is known.
    private var client: String
    /// Whether the current request counts in `shares`.
    private var isCounted = false
    /// What the current request holds of `memory`.
    private var heldBytes = 0
    /// What the current request's body is said to have.
    private var announcedBytes = 0
    /// When the current request's first byte came.
    private var started = ContinuousClock.now

    init(
        _ socket: Socket,
        peer: Address,
        place: ConnectionRoll.Place?,
        handler: any RequestHandler,
        limits: Limits,
        memory: BodyMemory,
        shares: RequestShares
    ) {
        self.socket = socket
        self.handler = handler
        self.limits = limits
        self.peer = peer
        self.place = place
        client = peer.network
        self.memory = memory
        self.shares = shares
        responses = ResponseSender(socket: socket, stallLimit: limits.writeStallTimeout)
        parser = RequestParser(limits: limits)
    }

    /// Serves requests until the connection ends.
    @concurrent
    mutating func run() async {
        while true {
            let delivery = await serveRequest()
            if delivery != .keepsConnection { parser = RequestParser(limits: limits) }
            memory.giveBack(heldBytes, of: client)
            if isCounted { shares.leave(client) }
            (heldBytes, isCounted, client) = (0, false, peer.network)
            switch delivery {
            // Pipelined requests that are refused cost no wait at all: others must have their turn.
            case .keepsConnection: await Task.yield()
            case .lastOfConnection: return await linger()
            case .failed: return
            }
        }
    }

    /// Tells a client that the server is full.
    @concurrent
    func refuseConnection() async {
        let requestID = RequestID.make()
        let response = handler.response(to: .tooManyConnections, requestID: requestID)
        let delivery = await send(response, to: nil, requestID: requestID)
        guard delivery != .failed else { return }
        await socket.linger(for: min(limits.lingerTimeout, .seconds(1)), upTo: limits.lingerBytes)
    }

    /// A server that shuts down does not wait long for slow goodbyes.
    private func linger() async {
        guard changes(to: .leaving) else { return }
        let limit = limits.lingerTimeout
        // A client that sends its whole body before it reads would find a reset in place of the answer.
        let byteCount = max(limits.lingerBytes, min(announcedBytes, limits.lingerBodyBytes))
        await socket.linger(for: socket.poller.isDraining ? min(limit, .seconds(1)) : limit, upTo: byteCount)
    }

    /// Notes what this connection does from now on; false if it has to give way to others.
    private func changes(to stage: ConnectionRoll.Stage) -> Bool { place?.change(to: stage) ?? true }

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
                guard changes(to: .answering) else { throw .ended }
                return await refuse(head, with: response, keepsAlive: keepsAlive && !parsed.announcesBody)
            case .accepted(let request):
                accepted = (head, request)
                let isKnown = try recognize(request.client)
                let body = try await readBody(expectsContinue: parsed.expectsContinue)
                guard changes(to: isKnown ? .occupied : .answering) else { throw .ended }
                let exchange = Exchange(socket: socket, head: head, responses: responses)
                let (response, delivery) = await exchange.run(request, body: body, keepsAlive: keepsAlive)
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

    /// Whether the request's client is known; from then on it is accounted by its name.
    private mutating func recognize(_ client: String?) throws(Interruption) -> Bool {
        guard let client else {
            guard changes(to: .receiving) else { throw .ended }
            return false
        }
        guard changes(to: .uploading) else { throw .ended }
        memory.giveBack(heldBytes, of: self.client)
        (heldBytes, self.client) = (0, client)
        isCounted = shares.enter(client)
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
                guard changes(to: .idle) else { throw .ended }
                guard try await fill(until: .now + limits.idleTimeout, endsOnDrain: true) else { throw .ended }
                started = .now
            } else {
                guard changes(to: .receiving) else { throw .ended }
                try hold(parser.headBytes)
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
            let whole = min(limits.bodyTimeout + earned, limits.bodyTimeoutMax)
            let deadline = min(.now + limits.bodyStallTimeout, start + whole)
            guard ContinuousClock.now < deadline, try await fill(until: deadline) else {
                throw .fault(.timeout("the request body"))
            }
            reads += 1
            // Whoever sends without a pause must not keep a thread of the pool.
            if reads % 8 == 0 { await Task.yield() }
        }
    }

    /// Counts the bytes of the head, then of the body, that are there now.
    private mutating func hold(_ count: Int) throws(Interruption) {
        guard count > heldBytes else { return }
        guard memory.take(count - heldBytes, for: client) else { throw .fault(.bodyMemoryFull) }
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

    private mutating func refuse(
        _ head: RequestHead,
        with response: Response,
        keepsAlive: Bool
    ) async -> ResponseSender.Delivery {
        // The end of an empty body.
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
        // What the client understands is not known if its head could not be read: HTTP/1.1, with a body.
        let assumed = head ?? RequestHead(method: "GET", target: "/", requestID: requestID)
        let delivery = await responses.send(response, to: assumed, keepsAlive: false)
        finish(head, response, requestID: requestID)
        return delivery
    }

    /// - Parameter response: what was sent, with the status of what became of it.
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
