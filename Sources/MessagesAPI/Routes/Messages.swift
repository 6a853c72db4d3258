import Chat
import EngineContract
import HTTPFront
import Scheduling
import Templates
import Tokenization

extension Route {
    /// One answer, whole or as a stream of events.
    static let messages = Route("POST", "/v1/messages") { api, request, _ throws(APIError) in
        await RequestRecord().keep(requestID: request.head.requestID) { record throws(APIError) in
            try await api.answer(request, record)
        }
    }
}

extension MessagesAPI {
    fileprivate func answer(_ request: Request, _ record: RequestRecord) async throws(APIError) -> Response {
        let client = keys.client(request.head)
        guard let prepared = try await prepare(request, for: .generate, client: client, record) else {
            throw .clientGone
        }
        let source = try await submit(prepared, client: client, record)
        let messageID = RandomID.make("msg_")
        guard prepared.wantsStream(request.head) else {
            return try await wholeAnswer(source, messageID: messageID, model: prepared.message.model)
        }
        // A session that ends before its turn came still gets a status. Nobody is kept waiting for the head, though:
        // clients give up on servers that say nothing.
        try await source.waitForStart(atMost: min(configuration.pingInterval, .seconds(5)))
        let stream = MessageStream(
            source: source,
            encoder: EventEncoder(
                messageID: messageID,
                model: prepared.message.model,
                requestID: request.head.requestID
            ),
            pingInterval: configuration.pingInterval
        )
        return Response(
            status: 200,
            headers: [
                "content-type": "text/event-stream", "cache-control": "no-cache",
                // nginx would hold the events back and send them in one go.
                "x-accel-buffering": "no",
            ],
            body: .stream { writer in try await stream.run(writer) }
        )
    }
}

/// A request, checked, and its prompt in tokens.
struct PreparedRequest: Sendable {
    /// Without its texts, which are in the prompt.
    var message: MessagesRequest
    var prompt: [Token]
    var stopSequences: StopSequenceFilter
    /// The answer goes on with a text that the client gave.
    var isPrefilled: Bool

    /// `stream` in the body decides; the header is for requests that do not say.
    func wantsStream(_ head: RequestHead) -> Bool {
        message.stream ?? (head.headers[first: "x-stream"]?.lowercased() == "true")
    }
}

extension MessagesAPI {
    /// Requests that are no longer leave little memory behind.
    private static let smallBodyBytes = 64 << 10

    /// Parses, checks and tokenizes a body.
    /// - Returns: nil if the client left meanwhile.
    func prepare(
        _ request: Request,
        for purpose: MessagesRequest.Purpose,
        client: String,
        _ record: RequestRecord
    ) async throws(APIError) -> PreparedRequest? {
        defer {
            if request.body.count > Self.smallBodyBytes { Task { [scheduler] in await scheduler.noteWork() } }
        }
        let vocabularySize = scheduler.engineDescription.vocabularySize
        return try await promptWorkers.run(client: client, bytes: request.body.count) {
            [model] () throws(APIError) in
            var message = try MessagesAPI.parse(request.body, for: purpose)
            record.note { $0.model = message.model }
            let turns = Rendering.turns(message)
            let stopSequences = StopSequenceFilter(message.stopSequences)
            (message.messages, message.system, message.stopSequences) = ([], [], [])
            let prompt: [Token]
            do throws(TemplateError) {
                prompt = try model.chatFormat.encode(turns, with: model.tokenizer)
            } catch {
                throw APIError(error)
            }
            record.note { $0.promptTokens = prompt.count }
            try MessagesAPI.check(prompt, vocabularySize: vocabularySize)
            return PreparedRequest(
                message: message,
                prompt: prompt,
                stopSequences: stopSequences,
                isPrefilled: turns.last.map { $0.role == .assistant && !$0.text.isEmpty } ?? false
            )
        }
    }

    /// Throws if no model could go on from a prompt, so that counting and generating say the same.
    private static func check(_ prompt: [Token], vocabularySize: Int) throws(APIError) {
        if prompt.isEmpty { throw APIError(.emptyPrompt) }
        if let token = prompt.first(where: { !(0..<vocabularySize).contains(Int($0)) }) {
            throw APIError(.invalidToken(token))
        }
    }

    private static func parse(
        _ body: [UInt8],
        for purpose: MessagesRequest.Purpose
    ) throws(APIError) -> MessagesRequest {
        guard !body.isEmpty else { throw .invalidRequest("the request body is empty; it must be a JSON object") }
        let json: JSON
        do {
            json = try JSONParser.parse(body)
        } catch {
            throw .invalidRequest("the request body is not valid JSON: \(error.message) at byte \(error.offset)")
        }
        do {
            return try MessagesRequest(json, for: purpose)
        } catch {
            throw .invalidRequest(error.description, details: error.details, logged: error.loggedDescription)
        }
    }

    fileprivate func submit(
        _ prepared: PreparedRequest,
        client: String,
        _ record: RequestRecord
    ) async throws(APIError) -> AnswerSource {
        let message = prepared.message
        let request = GenerationRequest(
            client: client,
            prompt: prepared.prompt,
            // Clients ask for more than any context holds; that much is never reached.
            maxTokens: min(message.maxTokens ?? 0, contextLength),
            stopTokens: model.chatFormat.stopTokens(in: model.tokenizer),
            sampling: sampling(message)
        )
        do {
            let generation = try await scheduler.submit(request)
            return AnswerSource(
                generation: generation,
                promptTokens: prepared.prompt.count,
                tokenizer: model.tokenizer,
                stopSequences: prepared.stopSequences,
                startsText: !prepared.isPrefilled,
                record: record
            )
        } catch {
            throw APIError(error)
        }
    }

    private func sampling(_ message: MessagesRequest) -> SamplingParameters {
        var sampling = configuration.defaultSampling
        if let temperature = message.temperature { sampling.temperature = Float(temperature) }
        // 0 keeps the most probable token alone; so does the smallest number that engines take for a share.
        if let topP = message.topP { sampling.topP = max(Float(topP), .leastNormalMagnitude) }
        if let topK = message.topK { sampling.topK = topK }
        sampling.seed = configuration.fixedSeed ?? .random(in: .min ... .max)
        return sampling
    }

    fileprivate func wholeAnswer(
        _ source: AnswerSource,
        messageID: String,
        model: String
    ) async throws(APIError) -> Response {
        var text = ""
        let answer: Answer
        do {
            answer = try await source.read { text += $0 }
        } catch let error as APIError {
            throw error
        } catch {
            throw .clientGone
        }
        let content: JSON = text.isEmpty ? [] : [["type": "text", "text": .string(text)]]
        return .json([
            "id": .string(messageID), "type": "message", "role": "assistant", "model": .string(model),
            "content": content, "stop_reason": .string(answer.stop.name),
            "stop_sequence": .optional(answer.stop.sequence), "usage": answer.usage.json,
        ])
    }
}

extension APIError {
    /// What a model's template does not stand is the conversation's fault as far as a client can tell.
    init(_ error: TemplateError) {
        let what = error.kind == .raised ? "refuses this conversation" : "fails on this conversation"
        let message = "messages: the model's chat template \(what)"
        // What a template says may quote the conversation, and be the whole of it.
        self = .invalidRequest("\(message): \("\(error)".prefix(1000))", logged: message)
    }

    init(_ error: AdmissionError) {
        switch error {
        case .queueFull(let seconds): self = .overloaded(retryAfterSeconds: seconds)
        case .promptTooLong(let tokens, let maximum):
            // Claude Code knows these words and shortens the conversation.
            self = .invalidRequest("prompt is too long: \(tokens) tokens > \(maximum) maximum")
        case .shuttingDown: self = .shuttingDown
        case .emptyPrompt:
            self = .invalidRequest("messages: the model's chat template makes no token of this conversation")
        case .invalidToken(let token):
            self = .invalidRequest(
                "messages: a text spells token \(token), which is in the tokenizer but not in the model's weights"
            )
        }
    }
}

/// Identifiers that are unique for ever.
enum RandomID {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// `prefix` and 24 random letters and digits: 142 bits.
    static func make(_ prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<24).reduce(into: prefix) { id, _ in
            id.append(alphabet[Int.random(in: alphabet.indices, using: &generator)])
        }
    }
}
