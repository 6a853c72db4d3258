import Foundation

/// Follows one streamed answer event by event, and holds the server to the protocol's order.
package struct AnswerReader: Sendable {
    package private(set) var text = ""
    package private(set) var stopReason: String?
    package private(set) var inputTokens = 0
    package private(set) var cachedTokens = 0
    package private(set) var outputTokens = 0
    package private(set) var isComplete = false
    /// When each text delta came, in the clock of the caller.
    package private(set) var deltaTimes: [Double] = []
    private var started = false
    private var openBlock = false

    package init() {}

    private struct Payload: Decodable {
        struct Usage: Decodable {
            var input_tokens: Int?
            var cache_read_input_tokens: Int?
            var output_tokens: Int?
        }
        struct Message: Decodable { var usage: Usage? }
        struct Delta: Decodable {
            var type: String?
            var text: String?
            var stop_reason: String?
        }
        struct Failure: Decodable { var type: String }
        var type: String
        var message: Message?
        var delta: Delta?
        var usage: Usage?
        var error: Failure?
    }

    /// - Throws: `ProtocolViolation` for events out of order; `StreamFailure` for an error event.
    package mutating func take(_ event: EventParser.Event, at time: Double) throws {
        guard let payload = try? JSONDecoder().decode(Payload.self, from: Data(event.data.utf8)),
            payload.type == event.name
        else { throw ProtocolViolation("event '\(event.name)' has other data") }
        guard !isComplete else { throw ProtocolViolation("'\(event.name)' after message_stop") }
        guard started || event.name == "message_start" || event.name == "error" else {
            throw ProtocolViolation("'\(event.name)' before message_start")
        }
        switch event.name {
        case "message_start":
            started = true
            note(payload.message?.usage)
        case "content_block_start":
            guard !openBlock else { throw ProtocolViolation("a block inside a block") }
            openBlock = true
        case "content_block_delta":
            guard openBlock else { throw ProtocolViolation("a delta outside a block") }
            text += payload.delta?.text ?? ""
            deltaTimes.append(time)
        case "content_block_stop":
            guard openBlock else { throw ProtocolViolation("the end of no block") }
            openBlock = false
        case "message_delta":
            stopReason = payload.delta?.stop_reason
            note(payload.usage)
        case "message_stop":
            guard !openBlock, stopReason != nil else { throw ProtocolViolation("message_stop too early") }
            isComplete = true
        case "error": throw StreamFailure(kind: payload.error?.type ?? "unknown")
        default: break
        }
    }

    private mutating func note(_ usage: Payload.Usage?) {
        inputTokens = usage?.input_tokens ?? inputTokens
        cachedTokens = usage?.cache_read_input_tokens ?? cachedTokens
        outputTokens = usage?.output_tokens ?? outputTokens
    }
}

/// An error event in the middle of a stream.
package struct StreamFailure: Error, Equatable {
    package var kind: String
}
