import Foundation

/// Accumulates a streamed answer from its events, and checks their order.
package struct AnswerReader: Sendable {
    package private(set) var text = ""
    package private(set) var stopReason: String?
    /// Prompt tokens that the server computed, including those it wrote to its cache.
    package private(set) var uncachedTokens = 0
    /// Prompt tokens that the server read from its cache.
    package private(set) var cachedTokens = 0
    package private(set) var outputTokens = 0
    package private(set) var isComplete = false
    /// The arrival time of each piece of the answer, by the caller's clock.
    package private(set) var deltaTimes: [Double] = []
    package var promptTokens: Int { uncachedTokens + cachedTokens }
    private var started = false
    private var openBlock = false

    package init() {}

    private static let names: Set = [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop", "error",
    ]

    private struct Payload: Decodable {
        struct Usage: Decodable {
            var input_tokens: Int?
            var cache_creation_input_tokens: Int?
            var cache_read_input_tokens: Int?
            var output_tokens: Int?
        }
        struct Message: Decodable { var usage: Usage? }
        struct Delta: Decodable {
            var type: String?
            var text: String?
            var thinking: String?
            var partial_json: String?
            var stop_reason: String?

            /// Whether it has some of the answer, rather than an empty piece or a signature.
            var hasContent: Bool { [text, thinking, partial_json].contains { $0?.isEmpty == false } }
        }
        struct Failure: Decodable {
            var type: String
            var message: String?
        }
        var type: String
        var message: Message?
        var delta: Delta?
        var usage: Usage?
        var error: Failure?
    }

    /// - Returns: the text that the event adds to the answer.
    /// - Throws: `ProtocolViolation` for events out of order; `StreamFailure` for an error event.
    @discardableResult
    package mutating func receive(_ event: EventParser.Event, at time: Double) throws -> String {
        // The SDKs ignore events of other names, and those without one, such as `data: [DONE]`.
        guard Self.names.contains(event.name) else { return "" }
        guard let payload = try? JSONDecoder().decode(Payload.self, from: Data(event.data.utf8)),
            payload.type == event.name
        else { throw ProtocolViolation("an event whose data is not of its name") }
        guard !isComplete else { throw ProtocolViolation("an event after message_stop") }
        guard started != (event.name == "message_start") || event.name == "error" else {
            throw ProtocolViolation(started ? "a second message_start" : "an event before message_start")
        }
        switch event.name {
        case "message_start":
            started = true
            add(payload.message?.usage)
        case "content_block_start":
            guard !openBlock else { throw ProtocolViolation("a block inside a block") }
            openBlock = true
        case "content_block_delta":
            guard openBlock else { throw ProtocolViolation("a delta outside a block") }
            if payload.delta?.hasContent == true { deltaTimes.append(time) }
            text += payload.delta?.text ?? ""
            return payload.delta?.text ?? ""
        case "content_block_stop":
            guard openBlock else { throw ProtocolViolation("the end of no block") }
            openBlock = false
        case "message_delta":
            stopReason = payload.delta?.stop_reason
            add(payload.usage)
        case "message_stop":
            guard !openBlock, stopReason != nil else { throw ProtocolViolation("message_stop too early") }
            isComplete = true
        case "error": throw StreamFailure(kind: payload.error?.type ?? "", message: payload.error?.message)
        default: break
        }
        return ""
    }

    private mutating func add(_ usage: Payload.Usage?) {
        if let input = usage?.input_tokens {
            uncachedTokens = Self.bounded(input) + Self.bounded(usage?.cache_creation_input_tokens ?? 0)
        }
        cachedTokens = usage?.cache_read_input_tokens.map(Self.bounded) ?? cachedTokens
        outputTokens = usage?.output_tokens.map(Self.bounded) ?? outputTokens
    }

    /// Bounds a server's token count, so that sums of counts cannot overflow.
    private static func bounded(_ count: Int) -> Int { min(max(count, 0), 1 << 40) }
}

/// An error event in the middle of a stream.
package struct StreamFailure: Error, Equatable {
    package var kind: String
    package var message: String?
}
