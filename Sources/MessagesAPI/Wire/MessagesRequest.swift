import Chat
import JSON

/// The body of `POST /v1/messages`, checked; also of `/v1/messages/count_tokens`, where `max_tokens` may be absent.
///
/// What the API knows and this server cannot do yet is checked like everything else and then refused by name. Unknown
/// fields are ignored: clients add some with every release.
struct MessagesRequest: Sendable {
    var model: String
    var system: [String]
    var messages: [Message]
    /// Nil only when counting.
    var maxTokens: Int?
    /// Nil if the body does not say.
    var stream: Bool?
    var stopSequences: [String]
    var temperature: Double?
    var topP: Double?
    var topK: Int?
    var tools: [ToolDefinition]
    var toolChoice: ToolChoice
    var thinking: ThinkingSettings
    /// The JSON Schema that the answer's text must satisfy.
    var format: JSONNode?

    enum Purpose: Sendable { case generate, count }

    /// Schemas of tools may nest deeper than files do. No conversation has as many values.
    private static let limits = JSONLimits(depth: 200, values: 2_000_000)

    /// - Throws: `APIError` if the body is not JSON, or not what the API takes, or asks for what this server cannot do.
    init(_ body: [UInt8], for purpose: Purpose) throws(APIError) {
        guard !body.isEmpty else { throw .invalidRequest("the request body is empty; it must be a JSON object") }
        do throws(JSONError) {
            let body = try JSONDocument(body, limits: Self.limits).root
            if try body["thread"].nullable == nil {
                try self.init(body, for: purpose)
                return
            }
        } catch {
            throw APIError(error)
        }
        // Threads must never be ignored: the next request would hold only the new messages. With this code the official
        // runner repeats the turn without a thread.
        throw .invalidRequest(
            "thread: message threads are not supported",
            details: ["error_code": "thread_unsupported_request", "unsupported": []]
        )
    }

    private init(_ body: JSONNode, for purpose: Purpose) throws(JSONError) {
        var unsupported = Unsupported()
        model = try body["model"].nonEmptyString()
        guard Self.isModelName(model) else { throw body["model"].error("String should have at most 1024 characters") }
        let limit = body["max_tokens"]
        maxTokens = try (purpose == .generate ? limit : limit.optional)?.int(in: 0...)
        messages = try Message.list(body["messages"], &unsupported)
        system = try body["system"].optional.map(SystemPrompt.read) ?? []
        stream = try body["stream"].optional?.bool()
        stopSequences = try body["stop_sequences"].optional.map(Self.stopSequences) ?? []
        temperature = try body["temperature"].optional?.double(in: 0...1)
        topP = try body["top_p"].optional?.double(in: 0...1)
        topK = try body["top_k"].optional?.int(in: 0...)
        let list = try body["tools"].optional
        tools = try list.map { (list) throws(JSONError) in try ToolList.read(list, &unsupported) } ?? []
        toolChoice = ToolChoice()
        if let choice = try body["tool_choice"].optional {
            toolChoice = try ToolChoice(choice, tools, hasTools: (list?.count ?? 0) > 0)
        }
        thinking = try ThinkingSettings(body, maxTokens: maxTokens)
        format = try OutputFormat.schema(body)
        try checkPrefill(body)
        try body.checkIgnoredFields(&unsupported)
        try unsupported.refuse()
    }

    /// Whether the last message is an assistant's and has text, with which the answer goes on.
    var isPrefilled: Bool {
        guard let last = messages.last, last.role == .assistant else { return false }
        return last.content.contains { if case .text = $0 { true } else { false } }
    }

    /// An answer that must have a form cannot go on with a text of the client's.
    private func checkPrefill(_ body: JSONNode) throws(JSONError) {
        guard isPrefilled, format != nil || toolChoice.isForced else { return }
        let what = format != nil ? "output_config.format" : "a tool_choice that forces a call"
        throw body["messages"][messages.count - 1].error("the answer cannot begin with this text together with \(what)")
    }

    static func isModelName(_ name: String) -> Bool { (1...1024).contains(name.utf8.count) }

    /// Bounds what looking for them in each answer can cost.
    private static let maxStopSequences = 1024
    private static let maxStopSequenceBytes = 4096

    private static func stopSequences(_ value: JSONNode) throws(JSONError) -> [String] {
        var sequences: [String] = []
        for element in try value.elements(atMost: maxStopSequences) {
            let text = try element.string()
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw element.error("each stop sequence must contain non-whitespace")
            }
            guard text.utf8.count <= maxStopSequenceBytes else {
                throw element.error("String should have at most \(maxStopSequenceBytes) bytes")
            }
            sequences.append(text)
        }
        return sequences
    }
}

/// The first thing asked for that this server cannot do; refused once the whole body has been found well formed.
struct Unsupported: Sendable {
    private var first: JSONError?

    /// - Parameter logged: what logs say instead, where the message repeats what a client sent.
    mutating func note(_ node: JSONNode, _ message: String, logged: String? = nil) {
        if first == nil { first = node.error(message, logged: logged) }
    }

    func refuse() throws(JSONError) { if let first { throw first } }
}

/// The `system` field: a string is the same as one text block.
enum SystemPrompt {
    static func read(_ value: JSONNode) throws(JSONError) -> [String] {
        if value.kind == .string { return try [value.string()].filter { !$0.isEmpty } }
        guard value.kind == .array else {
            throw value.error("Input should be a valid string or an array of text blocks")
        }
        var texts: [String] = []
        for block in try value.elements() {
            guard try block["type"].string() == "text" else {
                throw block["type"].error("only text blocks may be here")
            }
            texts.append(try TextBlock.read(block))
        }
        return texts
    }
}
