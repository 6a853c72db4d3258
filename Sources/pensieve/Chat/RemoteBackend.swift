import APIClient
import Chat
import Console
import Foundation
import JSON
import Synchronization

/// A server of this API, this program's or another: it needs `/v1/messages`, and `/v1/models` for names.
struct RemoteBackend: ChatBackend {
    let model: String
    private let server: ServerConnection
    private let options: ChatOptions

    var location: String { "at \(server.address)" }

    private init(_ server: ServerConnection, model: String, _ options: ChatOptions) {
        self.server = server
        self.model = model
        self.options = options
    }

    /// Connects to the server; uses its first model if none is named.
    /// - Throws: `ChatError` if it cannot be reached, `ServerError` if it refuses.
    static func connect(
        _ server: ServerConnection,
        model: String?,
        _ options: ChatOptions
    ) async throws -> RemoteBackend {
        let names = try await names(server)
        return RemoteBackend(server, model: model ?? names.first ?? "default", options)
    }

    private static func names(_ server: ServerConnection) async throws -> [String] {
        let (status, body) = try await reach(server) { try await server.get("/v1/models") }
        // A server without this route can still answer.
        if status == 404 || status == 405 { return [] }
        guard status == 200 else { throw ServerError(status: status, body: body) }
        let models = try? JSONDocument(body).root["data"].elements().map { try $0["id"].string().visible }
        return models ?? []
    }

    private static func reach<Value>(
        _ server: ServerConnection,
        _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch let failure as SocketFailure {
            throw ChatError("\(server.address): \(failure); is the server running? pensieve start starts one")
        } catch let violation as ProtocolViolation {
            throw ChatError("\(server.address): \(violation); is it a server of this API?")
        }
    }

    func interrupt() { server.interrupt() }

    func models() async throws -> [String] { try await Self.names(server) }

    func switched(to model: String) -> any ChatBackend { RemoteBackend(server, model: model, options) }

    func answer(
        _ question: String,
        in conversation: Conversation,
        _ emit: @escaping @Sendable (String) -> Void
    ) async throws -> ChatAnswer {
        let text = ReceivedText()
        let start = ContinuousClock.now
        let body = body(conversation, question)
        do {
            let answer = try await Self.reach(server) {
                try await server.stream(body) { piece in
                    text.add(piece)
                    emit(piece)
                }
            }
            return ChatAnswer(text: answer.text, statistics: statistics(answer, seconds: (.now - start) / .seconds(1)))
        } catch let failure as StreamFailure {
            throw ChatError((failure.message ?? failure.kind).visible)
        } catch is CancellationError {
            // The user has read what arrived before the interruption: it is part of the conversation.
            return ChatAnswer(text: text.value, statistics: nil)
        }
    }

    private func body(_ conversation: Conversation, _ question: String) -> [UInt8] {
        let messages: [JSONValue] = conversation.messages(asking: question).map {
            ["role": .string($0.role.rawValue), "content": .string($0.text)]
        }
        let body = JSONValue(omittingNil: [
            "model": .string(model), "max_tokens": .integer(options.maxTokens), "stream": true,
            "temperature": options.temperature.map(JSONValue.double),
            "system": conversation.system.map(JSONValue.string), "messages": .array(messages),
        ])
        return body.bytes
    }

    private func statistics(_ answer: AnswerReader, seconds: Double) -> AnswerStatistics {
        let first = answer.deltaTimes.first
        return AnswerStatistics(
            promptTokens: answer.promptTokens,
            cachedTokens: answer.cachedTokens,
            generatedTokens: answer.outputTokens,
            firstTokenSeconds: first,
            decodeSeconds: first.map { seconds - $0 } ?? 0,
            ending: [
                "max_tokens": "cut at --max-tokens", "model_context_window_exceeded": "cut where the context is full",
                "refusal": "refused",
            ][answer.stopReason ?? ""]
        )
    }
}

/// The text received so far, on another thread.
private final class ReceivedText: Sendable {
    private let text = Mutex("")

    var value: String { text.withLock { $0 } }

    func add(_ piece: String) { text.withLock { $0 += piece } }
}
