import Synchronization

/// A pool of keep-alive connections to one server, which can all be closed at once.
package final class ConnectionPool: Sendable {
    private struct State {
        var idle: [BlockingSocket] = []
        var busy: [ObjectIdentifier: BlockingSocket] = [:]
        var isClosed = false
    }

    private let endpoint: Endpoint
    private let timeout: Double
    private let state = Mutex(State())

    package init(_ endpoint: Endpoint, timeout: Double) {
        self.endpoint = endpoint
        self.timeout = timeout
    }

    /// Whether `closeAll` was called; failures are expected then.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// An idle connection from an earlier request; the server may have closed it meanwhile.
    func takeIdle() -> BlockingSocket? {
        state.withLock { state in
            guard let socket = state.idle.popLast() else { return nil }
            state.busy[ObjectIdentifier(socket)] = socket
            return socket
        }
    }

    /// Opens a new connection.
    /// - Throws: `SocketFailure` if no address accepts it.
    package func open() throws(SocketFailure) -> BlockingSocket {
        let socket = try BlockingSocket(endpoint, timeout: timeout)
        let isClosed = state.withLock { state in
            state.busy[ObjectIdentifier(socket)] = socket
            return state.isClosed
        }
        // A connection opened during `closeAll` has missed its interruption.
        if isClosed { socket.interrupt() }
        return socket
    }

    /// Returns a connection to the pool.
    /// - Parameter reusable: whether its last response was complete and left it open.
    package func release(_ socket: BlockingSocket, reusable: Bool) {
        state.withLock { state in
            state.busy[ObjectIdentifier(socket)] = nil
            if reusable, !state.isClosed { state.idle.append(socket) }
        }
    }

    /// Aborts all requests, present and future.
    package func closeAll() {
        state.withLock { state in
            state.isClosed = true
            state.idle = []
            state.busy.values.forEach { $0.interrupt() }
        }
    }
}
