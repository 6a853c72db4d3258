import CLinux
import Glibc

/// The HTTP front: owns the listener, the connections and the limits.
///
/// Each connection runs in a task of its own, not on this actor; here they are only counted.
package actor HTTPServer {
    private enum Phase {
        case open
        /// No new connections; those there are finish what they do.
        case draining
        /// All connections are cancelled.
        case closing
    }

    /// Beyond the limit, so many clients at a time are told so; more are dropped without a word.
    private static let maxRefusals = 64
    /// So many connections leave so much freed memory behind that it is worth giving back.
    private static let crowd = 512
    /// Descriptors kept back for everything but connections: files, pipes, the poller.
    private static let reservedDescriptors = 64

    private let handler: any RequestHandler
    private let limits: Limits
    private let memory: BodyMemory
    private var phase = Phase.open
    private var poller: Poller?
    private var listener: Listener?
    private var maxConnections: Int
    private var refusals = 0
    private var peakConnections = 0
    private var lastEnded: CheckedContinuation<Void, Never>?

    /// Connections that are served now.
    package private(set) var connectionCount = 0

    package init(handler: any RequestHandler, limits: Limits = Limits()) {
        self.handler = handler
        self.limits = limits
        memory = BodyMemory(limits)
        maxConnections = limits.maxConnections
    }

    deinit {
        poller?.stop()
    }

    /// Binds the listening socket to a host name or address; port 0 takes any. Returns the port bound.
    package func bind(host: String, port: UInt16) async throws(HTTPServerError) -> UInt16 {
        guard listener == nil, phase == .open else { throw HTTPServerError("this server is bound already") }
        maxConnections = min(limits.maxConnections, max(1, raiseDescriptorLimit() - Self.reservedDescriptors))
        let poller = try makePoller()
        let listener = try await Listener.bind(host: host, port: port, poller: poller)
        self.listener = listener
        return listener.port
    }

    /// Accepts connections until `stopAccepting` or `closeAll`; returns when all of them have ended. A server runs
    /// once.
    package func run() async {
        guard let poller else { return }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                await acceptConnections(poller, into: &group)
                listener = nil
                await waitForLastConnection()
                if phase == .closing { group.cancelAll() }
            }
        } onCancel: {
            poller.drain()
        }
        poller.stop()
    }

    /// Closes the listener and the idle connections; running requests end with `connection: close`.
    package func stopAccepting() {
        guard phase == .open else { return }
        phase = .draining
        poller?.drain()
    }

    /// Cancels every connection.
    package func closeAll() {
        phase = .closing
        poller?.drain()
        resumeWaiting()
    }

    private func makePoller() throws(HTTPServerError) -> Poller {
        if let poller { return poller }
        let poller = try Poller()
        self.poller = poller
        return poller
    }

    // MARK: Accepting

    private func acceptConnections(_ poller: Poller, into group: inout DiscardingTaskGroup) async {
        while phase == .open, !Task.isCancelled, let listener {
            switch listener.accept() {
            case .connection(let socket, let peer):
                admit(socket, peer: peer, into: &group)
            case .wouldBlock:
                guard await isReady(listener, poller) else { return }
            case .exhausted:
                // The listener stays readable: without a pause this loop would spin until a descriptor is free.
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
        }
    }

    private func isReady(_ listener: Listener, _ poller: Poller) async -> Bool {
        await poller.wait(listener.socket.descriptor, for: .readable, until: nil, endsOnDrain: true) == .ready
    }

    private func admit(_ socket: Socket, peer: Address, into group: inout DiscardingTaskGroup) {
        let connection = Connection(
            socket,
            peer: peer,
            handler: handler,
            limits: limits,
            memory: memory
        )
        if connectionCount < maxConnections {
            connectionCount += 1
            peakConnections = max(peakConnections, connectionCount)
            group.addTask { [connection] in
                var connection = connection
                await connection.run()
                await self.connectionEnded()
            }
        } else if refusals < Self.maxRefusals {
            refusals += 1
            group.addTask { [connection] in
                await connection.refuseConnection()
                await self.refusalEnded()
            }
        }
    }

    private func connectionEnded() {
        connectionCount -= 1
        if connectionCount == 0 { resumeWaiting() }
        returnMemory()
    }

    /// After a crowd has left: the allocator would keep what thousands of connections needed, scattered over its heaps.
    private func returnMemory() {
        guard peakConnections >= Self.crowd, connectionCount * 4 < peakConnections else { return }
        peakConnections = connectionCount
        _ = startThread(named: "http-trim") { clinux_return_free_memory() }
    }

    private func refusalEnded() {
        refusals -= 1
    }

    // MARK: Ending

    private func waitForLastConnection() async {
        while phase != .closing, connectionCount > 0, !Task.isCancelled {
            await withCheckedContinuation { lastEnded = $0 }
        }
    }

    private func resumeWaiting() {
        lastEnded?.resume()
        lastEnded = nil
    }
}

/// Raises the soft limit on open descriptors to the hard one: each connection is a descriptor. Returns the limit.
private func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
}
