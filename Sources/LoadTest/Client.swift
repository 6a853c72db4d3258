package import APIClient
import Foundation
import JSON

/// Sends requests as an SDK does, and measures times. Blocking: call it from a thread of its own.
struct Client: Sendable {
    private static let maxRefusalBytes = 64 << 10

    let options: LoadOptions
    let transport: Transport
    /// The zero of all times.
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

    /// Sends a streaming request and reads the answer to its end.
    /// - Parameter abortAfterDeltas: disconnects after this many pieces of text; nil: never.
    func ask(_ question: Question, maxTokens: Int? = nil, abortAfterDeltas: Int? = nil) -> RequestSample {
        var sample = RequestSample(question: question, start: now)
        do {
            let body = body(question, maxTokens: maxTokens ?? options.maxTokens, streams: true)
            sample.outcome = try stream(body, into: &sample.answer, abortAfterDeltas)
        } catch let failure as StreamFailure {
            sample.outcome = .failed("error event: \(Self.kind(failure.kind))", detail: failure.message)
        } catch let violation as ProtocolViolation {
            sample.outcome = .failed("protocol: \(violation)")
        } catch {
            sample.outcome = .failed("\(error)")
        }
        if case .failed = sample.outcome, transport.connections.isClosed { sample.outcome = .interrupted }
        sample.end = now
        return sample
    }

    private func stream(_ body: [UInt8], into answer: inout AnswerReader, _ abortAfterDeltas: Int?) throws -> Outcome {
        var events = EventParser()
        var refusal: [UInt8] = []
        var hasAborted = false
        let response = try transport.post("/v1/messages", body) { response, piece in
            guard response.isEventStream else {
                refusal += piece.prefix(Self.maxRefusalBytes - refusal.count)
                return true
            }
            let time = now
            for event in try events.push(piece) { try answer.receive(event, at: time) }
            hasAborted = !answer.isComplete && answer.deltaTimes.count >= abortAfterDeltas ?? .max
            return !hasAborted
        }
        if hasAborted { return .aborted }
        guard response.status == 200 else { return Self.refusal(response, refusal) }
        guard response.isEventStream else {
            throw ProtocolViolation("status 200, but \(Self.mediaType(response)) instead of an event stream")
        }
        guard answer.isComplete else { throw ProtocolViolation("the stream ended without message_stop") }
        return .answered
    }

    /// The server's token count of a prompt; nil if it has no such endpoint.
    /// - Throws: `SocketFailure` or `ProtocolViolation`.
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
        let tools = question.tools.map(\.json)
        // At most one call: its length is bounded, and so is the test's time.
        let choice: JSONValue? = question.forcedTool.map {
            ["type": "tool", "name": .string($0), "disable_parallel_tool_use": .bool(true)]
        }
        let body = JSONValue(omittingNil: [
            "model": .string(options.model), "max_tokens": maxTokens.map(JSONValue.integer),
            "stream": streams ? true : nil, "temperature": streams ? 0 : nil,
            "system": question.system.map(JSONValue.string), "messages": .array(messages),
            "tools": tools.isEmpty ? nil : .array(tools), "tool_choice": choice,
        ])
        return body.bytes
    }

    // MARK: Errors

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

    /// An error's type if it is plausible: bounds the number of kinds in a report, whatever a server sends.
    private static func kind(_ type: String) -> String {
        let isPlain = (1...40).contains(type.utf8.count) && type.allSatisfy { $0 == "_" || $0.isASCII && $0.isLetter }
        return isPlain ? type : "error of unknown type"
    }
}

/// The outcome of a request.
package enum Outcome: Sendable, Equatable {
    case answered
    /// The client disconnected on purpose.
    case aborted
    /// The test ended before the answer.
    case interrupted
    /// The kind of failure, in words that are the same for the same kind, and the server's message.
    case failed(String, detail: String? = nil)
}

/// One request as measured by its client; times in seconds since the test began.
package struct RequestSample: Sendable {
    package var question: Question
    package var start: Double
    package var end: Double
    package var answer: AnswerReader
    package var outcome: Outcome

    package init(
        question: Question,
        start: Double = 0,
        end: Double = 0,
        answer: AnswerReader = AnswerReader(),
        outcome: Outcome = .answered
    ) {
        self.question = question
        self.start = start
        self.end = end
        self.answer = answer
        self.outcome = outcome
    }

    package var timeToFirstToken: Double? { answer.deltaTimes.first.map { $0 - start } }
    package var duration: Double { end - start }
    /// Times between text events; a server may put several tokens into one event.
    package var interTokenLatencies: [Double] {
        zip(answer.deltaTimes.dropFirst(), answer.deltaTimes).map { $0 - $1 }
    }
}
