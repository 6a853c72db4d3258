import Synchronization

/// Connections to one server: kept alive between requests, as SDKs do, and all ended at once when nobody wants them more.
package final class ConnectionPool: Sendable {
    private struct State {
        var idle: [BlockingSocket] = []
        var busy: [ObjectIdentifier: BlockingSocket] = [:]
        var isEnded = false
    }

    private let endpoint: Endpoint
    private let timeout: Double
    private let state = Mutex(State())

    package init(_ endpoint: Endpoint, timeout: Double) {
        self.endpoint = endpoint
        self.timeout = timeout
    }

    /// Whether `endAll` was called: then a failure means nothing.
    package var isEnded: Bool { state.withLock { $0.isEnded } }

    /// A connection that was used before and is still open, as far as is known.
    func takeIdle() -> BlockingSocket? {
        state.withLock { state in
            guard let socket = state.idle.popLast() else { return nil }
            state.busy[ObjectIdentifier(socket)] = socket
            return socket
        }
    }

    package func open() throws(SocketFailure) -> BlockingSocket {
        let socket = try BlockingSocket(endpoint, timeout: timeout)
        let isEnded = state.withLock { state in
            state.busy[ObjectIdentifier(socket)] = socket
            return state.isEnded
        }
        // Whoever connected while all were ended has missed its interruption.
        if isEnded { socket.interrupt() }
        return socket
    }

    /// - Parameter reusable: whether the last response on it was complete and left it open.
    package func giveBack(_ socket: BlockingSocket, reusable: Bool) {
        state.withLock { state in
            state.busy[ObjectIdentifier(socket)] = nil
            if reusable, !state.isEnded { state.idle.append(socket) }
        }
    }

    /// Ends every request that runs, and all that begin later.
    package func endAll() {
        state.withLock { state in
            state.isEnded = true
            state.idle = []
            state.busy.values.forEach { $0.interrupt() }
        }
    }
}
