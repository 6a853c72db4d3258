import Foundation

/// How one request ended.
package enum Outcome: Sendable, Equatable {
    case answered
    /// This client left on purpose.
    case aborted
    /// What went wrong, in a few words that are the same for the same kind of fault.
    case failed(String)
}

/// One request as its client saw it; times in seconds since the test began.
package struct Exchange: Sendable {
    package var question: Prompts.Question
    package var start = 0.0
    package var end = 0.0
    package var answer = AnswerReader()
    package var outcome = Outcome.answered

    package init(question: Prompts.Question) { self.question = question }

    package var timeToFirstToken: Double? { answer.deltaTimes.first.map { $0 - start } }
    package var duration: Double { end - start }
    package var interTokenLatencies: [Double] {
        zip(answer.deltaTimes.dropFirst(), answer.deltaTimes).map { $0 - $1 }
    }
}

/// Sends one request over a connection of its own and reads the stream to its end. Blocks: call it from a thread.
struct Client: Sendable {
    let options: LoadOptions
    let epoch: ContinuousClock.Instant

    private var now: Double { (ContinuousClock.now - epoch) / .seconds(1) }

    func ask(_ question: Prompts.Question, abortAfterDeltas: Int? = nil) -> Exchange {
        var exchange = Exchange(question: question)
        exchange.start = now
        do {
            let socket = try BlockingSocket(host: options.host, port: options.port, timeout: options.timeoutSeconds)
            try socket.send(requestBytes(question))
            try read(socket, into: &exchange, abortAfterDeltas)
        } catch let failure as StreamFailure {
            exchange.outcome = .failed("stream error: \(failure.kind)")
        } catch let violation as ProtocolViolation {
            exchange.outcome = .failed("protocol: \(violation)")
        } catch let error as SocketFailure {
            exchange.outcome = .failed(error.description)
        } catch {
            exchange.outcome = .failed("\(error)")
        }
        exchange.end = now
        return exchange
    }

    private func read(_ socket: BlockingSocket, into exchange: inout Exchange, _ abortAfterDeltas: Int?) throws {
        var response = ResponseReader()
        var events = EventParser()
        var body: [UInt8] = []
        let deadline = exchange.start + options.timeoutSeconds
        while !response.isComplete {
            guard now < deadline else { throw SocketFailure("timeout") }
            let bytes = try socket.receive()
            guard !bytes.isEmpty else {
                guard response.mayEndHere else { throw ProtocolViolation("the connection ended inside the answer") }
                break
            }
            let piece = try response.push(bytes[...])
            guard response.status == 200 else {
                body += piece
                continue
            }
            for event in events.push(piece) { try exchange.answer.take(event, at: now) }
            if let abortAfterDeltas, exchange.answer.deltaTimes.count >= abortAfterDeltas, response.status == 200 {
                exchange.outcome = .aborted
                return
            }
        }
        if response.status != 200 {
            exchange.outcome = .failed("HTTP \(response.status) \(Self.errorKind(body))")
        } else if !exchange.answer.isComplete {
            throw ProtocolViolation("the stream ended without message_stop")
        }
    }

    private func requestBytes(_ question: Prompts.Question) throws -> [UInt8] {
        let body = try JSONSerialization.data(
            withJSONObject: [
                "model": options.model, "max_tokens": options.maxTokens, "stream": true, "temperature": 0,
                "messages": [["role": "user", "content": question.text]],
            ] as [String: Any]
        )
        let head = """
            POST /v1/messages HTTP/1.1\r
            Host: \(options.host):\(options.port)\r
            Authorization: Bearer \(options.key)\r
            anthropic-version: 2023-06-01\r
            Content-Type: application/json\r
            Content-Length: \(body.count)\r
            Connection: close\r
            \r

            """
        return Array(head.utf8) + body
    }

    private static func errorKind(_ body: [UInt8]) -> String {
        struct Envelope: Decodable {
            struct Inner: Decodable { var type: String }
            var error: Inner
        }
        return (try? JSONDecoder().decode(Envelope.self, from: Data(body)))?.error.type ?? "without an error body"
    }
}
