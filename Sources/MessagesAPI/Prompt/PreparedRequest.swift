import Chat
import EngineContract
import HTTPFront
import JSON
import Scheduling
import Templates
import Tokenization

/// A request, checked, and its prompt in tokens.
struct PreparedRequest: Sendable {
    /// Without its texts, which are in the prompt.
    var message: MessagesRequest
    var prompt: ChatPrompt
    var stopSequences: StopSequenceFilter
    /// Whether the last turn is the assistant's and has text: the answer goes on with it.
    var continuesAssistantText: Bool
    /// What the answer may be; nil: anything.
    var constraint: (any TokenConstraint)?
    /// Those that the answer may call.
    var tools: [ToolDefinition]
    var display: ThinkingDisplay
    /// Whether a text of the answer is a value of `output_config.format`, in which nothing is a call.
    var hasFormat: Bool

    /// `stream` in the body decides; the header is for requests that do not say.
    func wantsStream(_ head: RequestHead) -> Bool {
        message.stream ?? (head.headers[first: "x-stream"]?.lowercased() == "true")
    }
}

extension MessagesAPI {
    /// Bodies up to this size leave little memory behind.
    private static let smallBodyBytes = 64 << 10

    /// Parses, checks and tokenizes a body, outside the cooperative pool.
    /// - Throws: `APIError` if the body is refused, too many wait, or the client left meanwhile.
    func prepare(
        _ request: RoutedRequest,
        for purpose: MessagesRequest.Purpose
    ) async throws(APIError) -> PreparedRequest {
        let byteCount = request.body.count
        defer { if byteCount > Self.smallBodyBytes { Task { [scheduler] in await scheduler.noteWork() } } }
        let prepared = try await promptThreads.run(client: request.clientName, bytes: byteCount) {
            () throws(APIError) in
            try self.build(request.body, for: purpose, request.record)
        }
        guard let prepared else { throw .clientGone }
        return prepared
    }

    private func build(
        _ body: [UInt8],
        for purpose: MessagesRequest.Purpose,
        _ record: RequestRecord
    ) throws(APIError) -> PreparedRequest {
        let message = try MessagesRequest(body, for: purpose)
        record.note { $0.model = message.model }
        let conversation = PromptBuilder.conversation(
            message,
            remembering: answers,
            keepsThinking: configuration.keepsThinking
        )
        let prompt: ChatPrompt
        do throws(TemplateError) {
            prompt = try model.chatFormat.prompt(conversation, with: model.tokenizer, recalling: answers)
        } catch {
            throw APIError(error)
        }
        record.note { $0.promptTokens = prompt.tokens.count }
        try check(prompt.tokens)
        let constraint = try constraint(message, prompt)
        var prepared = PreparedRequest(
            message: message,
            prompt: prompt,
            stopSequences: StopSequenceFilter(message.stopSequences),
            continuesAssistantText: message.isPrefilled,
            constraint: constraint,
            tools: message.toolChoice.kind == .none ? [] : message.tools.map(\.detached),
            display: !message.mayThink ? .dropped : message.thinking.isOmitted ? .omitted : .shown,
            hasFormat: message.format != nil
        )
        prepared.message.dropTexts()
        return prepared
    }

    /// Throws if no model could continue a prompt, so that counting and generating say the same.
    private func check(_ prompt: [Token]) throws(APIError) {
        if prompt.isEmpty { throw APIError(.emptyPrompt) }
        let vocabularySize = scheduler.engineDescription.vocabularySize
        if let token = prompt.first(where: { !(0..<vocabularySize).contains(Int($0)) }) {
            throw APIError(.invalidToken(token))
        }
    }
}

extension MessagesRequest {
    /// Forgets all that is in the prompt, and the body with it.
    fileprivate mutating func dropTexts() {
        (messages, system, stopSequences, tools, format) = ([], [], [], [], nil)
    }
}

extension ToolDefinition {
    /// The same, without the rest of the body that the schema stands in.
    fileprivate var detached: ToolDefinition {
        guard let document = try? JSONDocument(inputSchema.compact, limits: JSONLimits(depth: 256)) else { return self }
        var tool = self
        tool.inputSchema = document.root
        return tool
    }
}
