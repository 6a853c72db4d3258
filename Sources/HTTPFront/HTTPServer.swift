import Platform

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

    /// So many connections leave so much freed memory behind that it is worth giving back.
    private static let crowd = 512
    /// How soon to look again whether there is room for a connection.
    private static let recess: Duration = .milliseconds(2)

    private let handler: any RequestHandler
    private let limits: Limits
    private let memory: BodyMemory
    private let roll = ConnectionRoll()
    private var phase = Phase.open
    private var poller: Poller?
    /// Nil where one was closed.
    private var listeners: [Listener?] = []
    private var budget: DescriptorBudget?
    private var shares = RequestShares(places: 0)
    private var refusals = 0
    private var peakConnections = 0
    private var lastEnded: [CheckedContinuation<Void, Never>] = []

    /// Connections that can be served at a time, which the limit on open files may make fewer than wanted.
    package var connectionLimit: Int { budget?.connections ?? limits.maxConnections }

    /// Connections that are served now.
    package var connectionCount: Int { roll.count }

    package init(handler: any RequestHandler, limits: Limits = Limits()) {
        self.handler = handler
        self.limits = limits
        memory = BodyMemory(limits)
    }

    deinit {
        poller?.stop()
    }

    /// Whether a host name or address to listen on is known at all.
    package static func check(host: String) async throws(HTTPServerError) {
        _ = try await Address.resolve(host: host, port: 0)
    }

    /// Listens on every address of a host that this machine has; port 0 takes any. Returns the port bound.
    package func bind(host: String, port: UInt16) async throws(HTTPServerError) -> UInt16 {
        guard listeners.isEmpty, phase == .open else { throw HTTPServerError("this server is bound already") }
        await TimerDescriptors.open()
        let poller = try makePoller()
        let bound = try await Listener.bind(host: host, port: port, poller: poller)
        let budget = try DescriptorBudget(wanted: limits.maxConnections)
        self.budget = budget
        shares = RequestShares(places: budget.connections)
        listeners = bound
        return bound.first?.port ?? port
    }

    /// Accepts connections until `stopAccepting` or `closeAll`; returns when all of them have ended. A server runs
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
            await waitForLastConnection()
            if phase == .closing { group.cancelAll() }
        }
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

    private func acceptConnections(
        listenerAt index: Int,
        _ poller: Poller,
        _ budget: DescriptorBudget,
        into group: inout DiscardingTaskGroup
    ) async {
        var accepted = 0
        while phase == .open, !Task.isCancelled, let listener = listeners[index] {
            guard hasRoom(poller, budget) else {
                // Those who come wait in the kernel's queue meanwhile.
                do { try await Task.sleep(for: Self.recess) } catch { return }
                continue
            }
            switch listener.accept() {
            case .connection(let socket, let peer):
                admit(socket, peer: peer, budget, into: &group)
                accepted += 1
                // However many come: those that end must be counted out, and a thread of the pool be left to others.
                if accepted % 32 == 0 { await Task.yield() }
            case .wouldBlock:
                guard await !isReady(listener, poller), phase == .open, !Task.isCancelled else { continue }
                // The system could not watch the listener just now.
                do { try await Task.sleep(for: Self.recess * 25) } catch { return }
            case .exhausted:
                // The whole system has no descriptor or memory left. The listener stays readable: without a pause this
                // loop would spin until there is.
                _ = roll.makeRoom()
                do { try await Task.sleep(for: Self.recess * 25) } catch { return }
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
        return roll.staying < budget.connections || refusals < budget.refusals || roll.makeRoom()
    }

    private func admit(
        _ socket: Socket,
        peer: Address,
        _ budget: DescriptorBudget,
        into group: inout DiscardingTaskGroup
    ) {
        if roll.staying < budget.connections || roll.makeRoom() {
            let place = roll.enter(socket, client: peer.network)
            peakConnections = max(peakConnections, roll.count)
            let connection = connection(socket, peer, place)
            group.addTask {
                var connection = connection
                await connection.run()
                await self.connectionEnded(place)
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

    private func connection(_ socket: Socket, _ peer: Address, _ place: ConnectionRoll.Place?) -> Connection {
        Connection(socket, peer: peer, place: place, handler: handler, limits: limits, memory: memory, shares: shares)
    }

    private func connectionEnded(_ place: ConnectionRoll.Place) {
        place.leave()
        if roll.count == 0 { resumeWaiting() }
        returnMemory()
    }

    /// After a crowd has left: the allocator would keep what thousands of connections needed, scattered over its heaps.
    private func returnMemory() {
        guard peakConnections >= Self.crowd, roll.count * 4 < peakConnections else { return }
        peakConnections = roll.count
        _ = startThread(named: "http-trim") { returnFreeHeapMemory() }
    }

    private func refusalEnded() {
        refusals -= 1
    }

    // MARK: Ending

    private func waitForLastConnection() async {
        while phase != .closing, roll.count > 0, !Task.isCancelled {
            await withCheckedContinuation { lastEnded.append($0) }
        }
    }

    private func resumeWaiting() {
        let waiting = lastEnded
        lastEnded = []
        for continuation in waiting { continuation.resume() }
    }
}
