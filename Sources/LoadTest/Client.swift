import APIClient
import Foundation

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
            let body = try body(question, maxTokens: maxTokens ?? options.maxTokens, streams: true)
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
        struct Count: Decodable { var input_tokens: Int }
        var bytes: [UInt8] = []
        let body = try body(question, maxTokens: nil, streams: false)
        let response = try transport.post("/v1/messages/count_tokens", body) { _, piece in
            bytes += piece.prefix(Self.maxRefusalBytes - bytes.count)
            return true
        }
        guard response.status == 200 else { return nil }
        return try? JSONDecoder().decode(Count.self, from: Data(bytes)).input_tokens
    }

    private func body(_ question: Question, maxTokens: Int?, streams: Bool) throws -> [UInt8] {
        let messages = question.turns.enumerated().map { index, text in
            ["role": index % 2 == 0 ? "user" : "assistant", "content": text]
        }
        var body: [String: Any] = ["model": options.model, "messages": messages]
        body["system"] = question.system
        body["max_tokens"] = maxTokens
        if streams { body.merge(["stream": true, "temperature": 0]) { $1 } }
        return Array(try JSONSerialization.data(withJSONObject: body, options: .sortedKeys))
    }

    // MARK: Refusals

    private struct Envelope: Decodable {
        struct Inner: Decodable {
            var type: String
            var message: String?
        }
        var error: Inner
    }

    private static func refusal(_ response: ResponseReader, _ body: [UInt8]) -> Outcome {
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(body)) else {
            return .failed("HTTP \(response.status), \(mediaType(response)) without an error object")
        }
        return .failed("HTTP \(response.status) \(kind(envelope.error.type))", detail: envelope.error.message)
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
