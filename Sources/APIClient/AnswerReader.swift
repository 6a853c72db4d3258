import JSON

/// Accumulates a streamed answer from its events, and checks their order.
package struct AnswerReader: Sendable {
    package private(set) var text = ""
    /// The calls of tools so far; the last may be unfinished.
    package private(set) var calls: [Call] = []
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
    private var isInCall = false

    package struct Call: Sendable, Equatable {
        package var name: String
        /// JSON as it came.
        package var arguments = ""
        /// Whether its block has ended.
        package var isComplete = false
    }

    package init() {}

    private static let names: Set = [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop", "error",
    ]

    /// - Returns: the text that the event adds to the answer.
    /// - Throws: `ProtocolViolation` for events out of order; `StreamFailure` for an error event.
    @discardableResult
    package mutating func receive(_ event: EventParser.Event, at time: Double) throws -> String {
        // The SDKs ignore events of other names, and those without one, such as `data: [DONE]`.
        guard Self.names.contains(event.name) else { return "" }
        do {
            let data = try JSONDocument(Array(event.data.utf8)).root
            guard try data["type"].string() == event.name else { throw ProtocolViolation.wrongData }
            return try receive(event.name, data, at: time)
        } catch is JSONError {
            throw ProtocolViolation.wrongData
        }
    }

    private mutating func receive(_ name: String, _ data: JSONNode, at time: Double) throws -> String {
        guard !isComplete else { throw ProtocolViolation("an event after message_stop") }
        guard started != (name == "message_start") || name == "error" else {
            throw ProtocolViolation(started ? "a second message_start" : "an event before message_start")
        }
        switch name {
        case "message_start":
            started = true
            try add(data["message"].nullable?["usage"].nullable)
        case "content_block_start":
            guard !openBlock else { throw ProtocolViolation("a block inside a block") }
            openBlock = true
            if let block = try data["content_block"].nullable, try block["type"].nullable?.string() == "tool_use" {
                isInCall = true
                calls.append(Call(name: try block["name"].string()))
            }
        case "content_block_delta":
            guard openBlock else { throw ProtocolViolation("a delta outside a block") }
            guard let delta = try data["delta"].nullable else { return "" }
            // Some of the answer, rather than an empty piece or a signature.
            let pieces = try ["text", "thinking", "partial_json"].map { try delta[$0].nullable?.string() ?? "" }
            if pieces.contains(where: { !$0.isEmpty }) { deltaTimes.append(time) }
            text += pieces[0]
            if isInCall { calls[calls.count - 1].arguments += pieces[2] }
            return pieces[0]
        case "content_block_stop":
            guard openBlock else { throw ProtocolViolation("the end of no block") }
            if isInCall { calls[calls.count - 1].isComplete = true }
            (openBlock, isInCall) = (false, false)
        case "message_delta":
            stopReason = try data["delta"].nullable?["stop_reason"].nullable?.string()
            try add(data["usage"].nullable)
        case "message_stop":
            guard !openBlock, stopReason != nil else { throw ProtocolViolation("message_stop too early") }
            isComplete = true
        case "error":
            let error = try data["error"].nullable
            let kind = try error?["type"].string() ?? ""
            throw StreamFailure(kind: kind, message: try error?["message"].nullable?.string())
        default: break
        }
        return ""
    }

    private mutating func add(_ usage: JSONNode?) throws(JSONError) {
        guard let usage else { return }
        func count(_ name: String) throws(JSONError) -> Int? { try usage[name].nullable.map(Self.bounded) }
        if let input = try count("input_tokens") {
            uncachedTokens = input + (try count("cache_creation_input_tokens") ?? 0)
        }
        cachedTokens = try count("cache_read_input_tokens") ?? cachedTokens
        outputTokens = try count("output_tokens") ?? outputTokens
    }

    /// Bounds a server's token count, so that sums of counts cannot overflow.
    private static func bounded(_ count: JSONNode) throws(JSONError) -> Int {
        Int(min(max(try count.double(), 0), 0x1p40))
    }
}

extension ProtocolViolation {
    fileprivate static let wrongData = ProtocolViolation("an event whose data is not of its name")
}

/// An error event in the middle of a stream.
package struct StreamFailure: Error, Equatable {
    package var kind: String
    package var message: String?
}
