import APIClient
import Foundation
import JSON

/// Asks questions as an SDK would, and takes the times. Blocks: call it from a thread.
struct Client: Sendable {
    private static let maxRefusalBytes = 64 << 10

    let options: LoadOptions
    let transport: Transport
    /// When the test began.
    let epoch: ContinuousClock.Instant

    init(_ options: LoadOptions, _ connections: ConnectionPool) {
        self.options = options
        transport = Transport(
            target: options.target,
            key: options.key,
            userAgent: "pensieve-load",
            timeoutSeconds: options.timeoutSeconds,
            connections: connections
        )
        epoch = .now
    }

    var now: Double { (ContinuousClock.now - epoch) / .seconds(1) }

    /// Asks for a streamed answer and reads it to its end.
    /// - Parameter abortAfterDeltas: leaves, as an impatient user would, after so many pieces of text.
    func ask(_ question: Question, maxTokens: Int? = nil, abortAfterDeltas: Int? = nil) -> Exchange {
        var exchange = Exchange(question: question, start: now)
        do {
            let body = body(question, maxTokens: maxTokens ?? options.maxTokens, streams: true)
            exchange.outcome = try stream(body, into: &exchange.answer, abortAfterDeltas)
        } catch let failure as StreamFailure {
            exchange.outcome = .failed("error event: \(Self.kind(failure.kind))", detail: failure.message)
        } catch let violation as ProtocolViolation {
            exchange.outcome = .failed("protocol: \(violation)")
        } catch {
            exchange.outcome = .failed("\(error)")
        }
        if case .failed = exchange.outcome, transport.connections.isEnded { exchange.outcome = .interrupted }
        exchange.end = now
        return exchange
    }

    private func stream(_ body: [UInt8], into answer: inout AnswerReader, _ abortAfterDeltas: Int?) throws -> Outcome {
        var events = EventParser()
        var refusal: [UInt8] = []
        var hasLeft = false
        let response = try transport.post("/v1/messages", body) { response, piece in
            guard response.isEventStream else {
                refusal += piece.prefix(Self.maxRefusalBytes - refusal.count)
                return true
            }
            let time = now
            for event in try events.push(piece) { try answer.take(event, at: time) }
            hasLeft = !answer.isComplete && answer.deltaTimes.count >= abortAfterDeltas ?? .max
            return !hasLeft
        }
        if hasLeft { return .aborted }
        guard response.status == 200 else { return Self.refusal(response, refusal) }
        guard response.isEventStream else {
            throw ProtocolViolation("status 200, but \(Self.mediaType(response)) instead of an event stream")
        }
        guard answer.isComplete else { throw ProtocolViolation("the stream ended without message_stop") }
        return .answered
    }

    /// How many tokens the server counts in a prompt; nil if it has no way to tell.
    func countTokens(_ question: Question) throws -> Int? {
        var bytes: [UInt8] = []
        let body = body(question, maxTokens: nil, streams: false)
        let response = try transport.post("/v1/messages/count_tokens", body) { _, piece in
            bytes += piece.prefix(Self.maxRefusalBytes - bytes.count)
            return true
        }
        guard response.status == 200 else { return nil }
        return try? JSONDocument(bytes).root["input_tokens"].int()
    }

    private func body(_ question: Question, maxTokens: Int?, streams: Bool) -> [UInt8] {
        let messages: [JSONValue] = question.turns.enumerated().map { index, text in
            ["role": index % 2 == 0 ? "user" : "assistant", "content": .string(text)]
        }
        let body = JSONValue(omittingNil: [
            "model": .string(options.model), "max_tokens": maxTokens.map(JSONValue.integer),
            "stream": streams ? true : nil, "temperature": streams ? 0 : nil,
            "system": question.system.map(JSONValue.string), "messages": .array(messages),
        ])
        return body.bytes
    }

    // MARK: Refusals

    private static func refusal(_ response: ResponseReader, _ body: [UInt8]) -> Outcome {
        do throws(JSONError) {
            let error = try JSONDocument(body).root["error"]
            let type = try error["type"].string()
            return .failed("HTTP \(response.status) \(kind(type))", detail: try error["message"].nullable?.string())
        } catch {
            return .failed("HTTP \(response.status), \(mediaType(response)) without an error object")
        }
    }

    private static func mediaType(_ response: ResponseReader) -> String {
        let type = response.headers["content-type"]?.split(separator: ";").first ?? ""
        let isPlain = type.utf8.count <= 60 && type.contains("/") && type.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isPlain ? type.lowercased() : "no content type"
    }

    /// An error's type if it looks like one; the kinds of errors in a report are few, whatever a server sends.
    private static func kind(_ type: String) -> String {
        let isPlain = (1...40).contains(type.utf8.count) && type.allSatisfy { $0 == "_" || $0.isASCII && $0.isLetter }
        return isPlain ? type : "error of unknown type"
    }
}
