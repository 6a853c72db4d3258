import Platform

/// The HTTP server: owns the listeners, the registry of connections and the limits.
///
/// Each connection runs in a task of its own, not on this actor.
package actor HTTPServer {
    private enum Phase {
        case open
        /// No new connections; requests in progress are completed.
        case draining
        /// All connections are cancelled.
        case closing
    }

    /// After a peak of this many connections, the heap is worth trimming.
    private static let trimThreshold = 512
    /// How long to wait before looking again whether there is room for a connection.
    private static let retryDelay: Duration = .milliseconds(2)

    private let handler: any RequestHandler
    private let limits: Limits
    private let memoryQuota: RequestMemoryQuota
    private let connections = ConnectionRegistry()
    private var phase = Phase.open
    private var poller: Poller?
    /// Closed ones are nil.
    private var listeners: [Listener?] = []
    private var budget: DescriptorBudget?
    private var requestQuota = RequestCountQuota(connections: 0)
    private var refusals = 0
    private var peakConnections = 0
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    /// The most connections that are served at a time: the configured number, or fewer if the limit on open files is
    /// low.
    package var connectionLimit: Int { budget?.connections ?? limits.maxConnections }

    /// Connections that are being served.
    package var connectionCount: Int { connections.count }

    package init(handler: any RequestHandler, limits: Limits = Limits()) {
        self.handler = handler
        self.limits = limits
        memoryQuota = RequestMemoryQuota(limits)
    }

    deinit {
        poller?.stop()
    }

    /// Checks that a host name or address to listen on can be resolved, and that the port is free, unless it is 0.
    /// - Throws: `HTTPServerError` as `bind` would.
    package static func check(host: String, port: UInt16) async throws(HTTPServerError) {
        try await Listener.check(host: host, port: port)
    }

    /// Listens on every address of a host that this machine has; port 0 picks a free port. Returns the port.
    /// - Throws: `HTTPServerError` if the server is bound already, the host cannot be resolved, no address can be
    ///   bound, or the limit on open files is too low.
    package func bind(host: String, port: UInt16) async throws(HTTPServerError) -> UInt16 {
        guard listeners.isEmpty, phase == .open else { throw HTTPServerError("this server is bound already") }
        await TimerDescriptors.open()
        let poller = try makePoller()
        let bound = try await Listener.bind(host: host, port: port, poller: poller)
        let budget = try DescriptorBudget(wanted: limits.maxConnections)
        self.budget = budget
        requestQuota = RequestCountQuota(connections: budget.connections)
        listeners = bound
        return bound.first?.port ?? port
    }

    /// Accepts connections until `stopAccepting` or `closeAll`; returns when all connections have ended. Can be called
    /// once.
    package func run() async {
        guard let poller, let budget else { return }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for index in listeners.indices {
                    group.addTask { await self.serve(listenerAt: index, poller, budget) }
                }
            }
        } onCancel: {
            poller.drain()
        }
        poller.stop()
    }

    private func serve(listenerAt index: Int, _ poller: Poller, _ budget: DescriptorBudget) async {
        await withDiscardingTaskGroup { group in
            await acceptConnections(listenerAt: index, poller, budget, into: &group)
            listeners[index] = nil
            await waitUntilIdle()
            if phase == .closing { group.cancelAll() }
        }
    }

    /// Starts a graceful shutdown: closes the listeners and idle connections; responses in progress are completed, with
    /// `connection: close`.
    package func stopAccepting() {
        guard phase == .open else { return }
        phase = .draining
        poller?.drain()
    }

    /// Cancels every connection.
    package func closeAll() {
        phase = .closing
        poller?.drain()
        resumeIdleWaiters()
    }

    private func makePoller() throws(HTTPServerError) -> Poller {
        if let poller { return poller }
        let poller = try Poller()
        self.poller = poller
        return poller
    }

    // MARK: Accepting

    private func acceptConnections(
        listenerAt index: Int,
        _ poller: Poller,
        _ budget: DescriptorBudget,
        into group: inout DiscardingTaskGroup
    ) async {
        var accepted = 0
        while phase == .open, !Task.isCancelled, let listener = listeners[index] {
            guard hasRoom(poller, budget) else {
                // New connections wait in the kernel's backlog.
                do { try await Task.sleep(for: Self.retryDelay) } catch { return }
                continue
            }
            switch listener.accept() {
            case .connection(let socket, let peer):
                admit(socket, peer: peer, budget, into: &group)
                accepted += 1
                // Under a stream of new connections this actor must still be able to handle those that end.
                if accepted % 32 == 0 { await Task.yield() }
            case .wouldBlock:
                guard await !isReady(listener, poller), phase == .open, !Task.isCancelled else { continue }
                // The poller could not watch the listener.
                do { try await Task.sleep(for: Self.retryDelay * 25) } catch { return }
            case .exhausted:
                // The system is out of descriptors or memory. The listener stays readable: without a pause this loop
                // would spin.
                _ = connections.evictOne()
                do { try await Task.sleep(for: Self.retryDelay * 25) } catch { return }
            }
        }
    }

    private func isReady(_ listener: Listener, _ poller: Poller) async -> Bool {
        await poller.wait(listener.socket.descriptor, for: .readable, until: nil, endsOnDrain: true) == .ready
    }

    /// Whether one more connection can be served or at least be told that it cannot. The sockets are counted until they
    /// are closed, which is a little later than their connections end.
    private func hasRoom(_ poller: Poller, _ budget: DescriptorBudget) -> Bool {
        guard poller.socketCount < budget.connections + budget.refusals + listeners.count else { return false }
        return connections.retainedCount < budget.connections || refusals < budget.refusals || connections.evictOne()
    }

    private func admit(
        _ socket: Socket,
        peer: Address,
        _ budget: DescriptorBudget,
        into group: inout DiscardingTaskGroup
    ) {
        if connections.retainedCount < budget.connections || connections.evictOne() {
            let entry = connections.add(socket, client: peer.network)
            peakConnections = max(peakConnections, connections.count)
            let connection = connection(socket, peer, entry)
            group.addTask {
                var connection = connection
                await connection.run()
                await self.connectionEnded(entry)
            }
        } else {
            refusals += 1
            let connection = connection(socket, peer, nil)
            group.addTask {
                await connection.refuseConnection()
                await self.refusalEnded()
            }
        }
    }

    private func connection(_ socket: Socket, _ peer: Address, _ entry: ConnectionRegistry.Entry?) -> Connection {
        Connection(
            socket,
            peer: peer,
            entry: entry,
            handler: handler,
            limits: limits,
            memoryQuota: memoryQuota,
            requestQuota: requestQuota
        )
    }

    private func connectionEnded(_ entry: ConnectionRegistry.Entry) {
        entry.remove()
        if connections.count == 0 { resumeIdleWaiters() }
        trimHeap()
    }

    /// After a peak of connections: the allocator would otherwise keep the memory that thousands of them needed.
    private func trimHeap() {
        guard peakConnections >= Self.trimThreshold, connections.count * 4 < peakConnections else { return }
        peakConnections = connections.count
        _ = startThread(named: "http-trim") { returnFreeHeapMemory() }
    }

    private func refusalEnded() {
        refusals -= 1
    }

    // MARK: Ending

    private func waitUntilIdle() async {
        while phase != .closing, connections.count > 0, !Task.isCancelled {
            await withCheckedContinuation { idleWaiters.append($0) }
        }
    }

    private func resumeIdleWaiters() {
        let waiting = idleWaiters
        idleWaiters = []
        for continuation in waiting { continuation.resume() }
    }
}
