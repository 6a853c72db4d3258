import APIClient
import Console
import Foundation
import JSON
import Platform
import Synchronization

/// A running server, reached over HTTP. Each request has a thread of its own, as its waits block.
final class ServerConnection: Sendable {
    /// Larger documents do not come from a server of this API.
    private static let maxDocumentBytes = 4 << 20

    private struct State {
        var pool: ConnectionPool?
        var isInterrupted = false
    }

    let target: Target
    private let key: String?
    private let silenceSeconds: Double
    private let state = Mutex(State())

    /// - Parameter silenceSeconds: the time-out of every wait for the server.
    init(_ target: Target, key: String?, silenceSeconds: Double) {
        self.target = target
        self.key = key
        self.silenceSeconds = silenceSeconds
    }

    /// Parses the value of `--url`.
    /// - Throws: `ConfigurationError`.
    static func target(_ text: String) throws(ConfigurationError) -> Target {
        do {
            return try Target(url: text)
        } catch {
            throw ConfigurationError("--url: \(error)")
        }
    }

    var address: String { "http://" + target.description }

    /// Aborts the current request; can be called from any thread. Later requests are not affected.
    func interrupt() {
        let pool = state.withLock { state in
            state.isInterrupted = true
            defer { state.pool = nil }
            return state.pool
        }
        pool?.closeAll()
    }

    /// Gets a small document, whatever the status.
    /// - Throws: `SocketFailure` or `ProtocolViolation`; `CancellationError` after `interrupt`.
    func get(_ path: String) async throws -> (status: Int, body: [UInt8]) {
        try await perform { [self] in
            var body: [UInt8] = []
            let response = try transport(seconds: silenceSeconds).get(path) { _, piece in
                guard body.count + piece.count <= Self.maxDocumentBytes else {
                    throw ProtocolViolation("an answer of more than \(Self.maxDocumentBytes) bytes")
                }
                body += piece
                return true
            }
            return (response.status, body)
        }
    }

    /// Requests a streamed answer.
    /// - Parameter emit: receives each piece of text, on the request's thread.
    /// - Returns: the answer, with arrival times in seconds since the request.
    /// - Throws: `ServerError` for an error response; `SocketFailure`, `ProtocolViolation`, `StreamFailure`;
    ///   `CancellationError` after `interrupt`.
    func stream(_ body: [UInt8], _ emit: @escaping @Sendable (String) -> Void) async throws -> AnswerReader {
        try await perform { [self] in
            let start = ContinuousClock.now
            var events = EventParser()
            var answer = AnswerReader()
            var refusal: [UInt8] = []
            let response = try transport(seconds: 86_400).post("/v1/messages", body) { response, piece in
                guard response.isEventStream else {
                    refusal += piece.prefix(max(0, (64 << 10) - refusal.count))
                    return true
                }
                for event in try events.push(piece) {
                    let text = try answer.receive(event, at: (.now - start) / .seconds(1))
                    if !text.isEmpty { emit(text) }
                }
                return true
            }
            guard response.isEventStream else { throw ServerError(status: response.status, body: refusal) }
            guard answer.isComplete else { throw ProtocolViolation("the stream ended before the answer did") }
            return answer
        }
    }

    private func transport(seconds: Double) throws -> Transport {
        Transport(
            target: target,
            key: key,
            userAgent: "pensieve/\(Command.version)",
            timeoutSeconds: seconds,
            connections: try connections()
        )
    }

    /// Resolves the host, which blocks: called on a request's thread only.
    private func connections() throws -> ConnectionPool {
        if let pool = state.withLock({ $0.pool }) { return pool }
        let pool = ConnectionPool(try Endpoint(target), timeout: silenceSeconds)
        return try state.withLock { state in
            guard !state.isInterrupted else { throw CancellationError() }
            state.pool = pool
            return pool
        }
    }

    private func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        state.withLock { $0.isInterrupted = false }
        do {
            return try await onThread(named: "request", work)
        } catch {
            // Failures that an interruption causes are not failures of the network.
            if state.withLock({ $0.isInterrupted }) { throw CancellationError() }
            throw error
        }
    }
}

/// A server's error response, with the server's own message if it has one.
struct ServerError: Error, CustomStringConvertible {
    let status: Int
    let description: String

    init(status: Int, body: [UInt8]) {
        self.status = status
        let said = try? JSONDocument(body).root["error"]["message"].string()
        switch status {
        case 401:
            description =
                "the server wants another key: --api-key-file FILE, or \(ClientKey.variable)"
                + (said.map { " (it says: \($0.visible))" } ?? "")
        case 200: description = "the server answered with something that is no stream of this API"
        default: description = said.map(\.visible) ?? "the server answered with status \(status)"
        }
    }
}
