import Foundation

/// Carries requests over HTTP/1.1 to the server under test. Blocks: call it from a thread.
struct Transport: Sendable {
    let target: Target
    let key: String
    let timeoutSeconds: Double
    let connections: ConnectionPool

    /// Takes a piece of the response's body; false to leave before its end.
    typealias Receiver = (_ response: ResponseReader, _ piece: [UInt8]) throws -> Bool

    /// Posts a JSON body, and hands the response's body on as it comes.
    /// - Returns: the response; incomplete if `receive` wanted no more.
    /// - Throws: `SocketFailure`, `ProtocolViolation`, and what `receive` throws.
    func post(_ path: String, _ body: [UInt8], _ receive: Receiver) throws -> ResponseReader {
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        let request = head(path, bodyBytes: body.count) + body
        // A server may close an idle connection at any moment. If it did so before it answered, that is no failure of
        // its own, and nothing is lost by asking again.
        if let idle = connections.takeIdle(), let response = try reuse(idle, request, deadline, receive) {
            return response
        }
        return try exchange(on: try connections.open(), request, deadline, receive)
    }

    private func reuse(
        _ socket: BlockingSocket,
        _ request: [UInt8],
        _ deadline: ContinuousClock.Instant,
        _ receive: Receiver
    ) throws -> ResponseReader? {
        var hasAnswered = false
        do {
            return try exchange(on: socket, request, deadline) { response, piece in
                hasAnswered = true
                return try receive(response, piece)
            }
        } catch let failure as SocketFailure where !hasAnswered && !failure.isTimeout && !connections.isEnded {
            return nil
        }
    }

    private func exchange(
        on socket: BlockingSocket,
        _ request: [UInt8],
        _ deadline: ContinuousClock.Instant,
        _ receive: Receiver
    ) throws -> ResponseReader {
        var response = ResponseReader()
        var isReusable = false
        defer { connections.giveBack(socket, reusable: isReusable) }
        try socket.send(request)
        while !response.isComplete {
            guard ContinuousClock.now < deadline else { throw SocketFailure("timeout", isTimeout: true) }
            let bytes = try socket.receive()
            guard !bytes.isEmpty else {
                guard response.status != 0 else { throw SocketFailure("connection closed without an answer") }
                guard response.mayEndHere else { throw ProtocolViolation("the connection ended inside the answer") }
                break
            }
            let piece = try response.push(bytes[...])
            if !piece.isEmpty, !(try receive(response, piece)) { return response }
        }
        isReusable = response.isComplete && response.keepsAlive
        return response
    }

    private func head(_ path: String, bodyBytes: Int) -> [UInt8] {
        let text = """
            POST \(target.path)\(path) HTTP/1.1\r
            Host: \(target.authority)\r
            Authorization: Bearer \(key)\r
            anthropic-version: 2023-06-01\r
            User-Agent: pensieve-load\r
            Content-Type: application/json\r
            Content-Length: \(bodyBytes)\r
            \r

            """
        return Array(text.utf8)
    }
}
