import Foundation

/// Sends HTTP/1.1 requests to a server. Blocking: call it from a thread of its own.
package struct Transport: Sendable {
    let target: Target
    let key: String?
    let userAgent: String
    let timeoutSeconds: Double
    package let connections: ConnectionPool

    /// - Parameters:
    ///   - key: the API key; nil sends none.
    ///   - timeoutSeconds: for a request with its response; connections have their own time-out for each wait.
    package init(
        target: Target,
        key: String?,
        userAgent: String,
        timeoutSeconds: Double,
        connections: ConnectionPool
    ) {
        self.target = target
        self.key = key
        self.userAgent = userAgent
        self.timeoutSeconds = timeoutSeconds
        self.connections = connections
    }

    /// Called with each piece of the response's body; returns false to stop reading.
    package typealias Receiver = (_ response: ResponseReader, _ piece: [UInt8]) throws -> Bool

    /// Posts a JSON body, and passes on the response's body as it arrives.
    /// - Returns: the response; incomplete if `receive` stopped reading.
    /// - Throws: `SocketFailure`, `ProtocolViolation`, and what `receive` throws.
    package func post(_ path: String, _ body: [UInt8], _ receive: Receiver) throws -> ResponseReader {
        try send(head("POST", path, bodyBytes: body.count) + body, receive)
    }

    /// Gets a document; otherwise like `post`.
    package func get(_ path: String, _ receive: Receiver) throws -> ResponseReader {
        try send(head("GET", path, bodyBytes: nil), receive)
    }

    private func send(_ request: [UInt8], _ receive: Receiver) throws -> ResponseReader {
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        // A server may close an idle connection at any moment. If it does so before it answers, sending the request
        // again on a new connection is safe.
        if let idle = connections.takeIdle(), let response = try reuse(idle, request, deadline, receive) {
            return response
        }
        return try perform(on: try connections.open(), request, deadline, receive)
    }

    private func reuse(
        _ socket: BlockingSocket,
        _ request: [UInt8],
        _ deadline: ContinuousClock.Instant,
        _ receive: Receiver
    ) throws -> ResponseReader? {
        var hasAnswered = false
        do {
            return try perform(on: socket, request, deadline) { response, piece in
                hasAnswered = true
                return try receive(response, piece)
            }
        } catch let failure as SocketFailure where !hasAnswered && !failure.isTimeout && !connections.isClosed {
            return nil
        }
    }

    private func perform(
        on socket: BlockingSocket,
        _ request: [UInt8],
        _ deadline: ContinuousClock.Instant,
        _ receive: Receiver
    ) throws -> ResponseReader {
        var response = ResponseReader()
        var isReusable = false
        defer { connections.release(socket, reusable: isReusable) }
        try socket.send(request)
        while !response.isComplete {
            guard ContinuousClock.now < deadline else { throw SocketFailure("timeout", isTimeout: true) }
            let bytes = try socket.receive()
            guard !bytes.isEmpty else {
                guard response.status != 0 else { throw SocketFailure("connection closed without an answer") }
                guard response.canEndHere else { throw ProtocolViolation("the connection ended inside the answer") }
                break
            }
            let piece = try response.push(bytes[...])
            if !piece.isEmpty, !(try receive(response, piece)) { return response }
        }
        isReusable = response.isComplete && response.keepsAlive
        return response
    }

    private func head(_ method: String, _ path: String, bodyBytes: Int?) -> [UInt8] {
        var lines = ["\(method) \(target.path)\(path) HTTP/1.1", "Host: \(target.authority)"]
        if let key { lines.append("Authorization: Bearer \(key)") }
        lines += ["anthropic-version: 2023-06-01", "User-Agent: \(userAgent)"]
        if let bodyBytes { lines += ["Content-Type: application/json", "Content-Length: \(bodyBytes)"] }
        return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
    }
}
