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

    enum Purpose: Sendable { case generate, count }

    init(_ body: JSON, for purpose: Purpose) throws(FieldError) {
        guard case .object = body else { throw FieldError("the request body must be a JSON object") }
        var unsupported = Unsupported()
        model = try body.required("model") { (value) throws(FieldError) in
            let name = try value.nonEmptyString()
            guard MessagesRequest.isModelName(name) else {
                throw FieldError("String should have at most 1024 characters")
            }
            return name
        }
        let needsMaxTokens = purpose == .generate
        let readMaxTokens = { (value: JSON) throws(FieldError) in try value.integer(atLeast: 0) }
        maxTokens =
            needsMaxTokens
            ? try body.required("max_tokens", readMaxTokens) : try body.optional("max_tokens", readMaxTokens)
        try body.checkThread()
        messages = try unsupported.at("messages") { (unsupported) throws(FieldError) in
            guard let value = body["messages"] else { throw FieldError("Field required") }
            return try Message.list(value, &unsupported)
        }
        system = try body.optional("system") { (value) throws(FieldError) in try SystemPrompt.read(value) } ?? []
        stream = try body.optional("stream") { (value) throws(FieldError) in try value.bool() }
        stopSequences =
            try body.optional("stop_sequences") { (value) throws(FieldError) in
                try MessagesRequest.stopSequences(value)
            } ?? []
        temperature = try body.optional("temperature") { (value) throws(FieldError) in try value.fraction() }
        topP = try body.optional("top_p") { (value) throws(FieldError) in try value.fraction() }
        topK = try body.optional("top_k") { (value) throws(FieldError) in try value.integer(atLeast: 0) }
        let tools = try ToolSettings.check(body, &unsupported)
        try body.checkToolChoice(tools)
        try body.checkThinking(maxTokens: maxTokens, &unsupported)
        try body.checkOutputConfig(&unsupported)
        try body.checkIgnoredFields(&unsupported)
        try unsupported.refuse()
    }

    static func isModelName(_ name: String) -> Bool { (1...1024).contains(name.utf8.count) }

    /// Bounds what looking for them in each answer can cost.
    private static let maxStopSequences = 1024
    private static let maxStopSequenceBytes = 4096

    private static func stopSequences(_ value: JSON) throws(FieldError) -> [String] {
        let elements = try value.array()
        guard elements.count <= maxStopSequences else {
            throw FieldError("List should have at most \(maxStopSequences) items")
        }
        return try elements.each { (element) throws(FieldError) in
            let text = try element.string()
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw FieldError("each stop sequence must contain non-whitespace")
            }
            guard text.utf8.count <= maxStopSequenceBytes else {
                throw FieldError("String should have at most \(maxStopSequenceBytes) bytes")
            }
            return text
        }
    }
}

/// The first thing asked for that this server cannot do; refused once the whole body has been found well formed.
struct Unsupported: Sendable {
    private var first: FieldError?

    mutating func note(_ error: FieldError) { if first == nil { first = error } }

    func refuse() throws(FieldError) { if let first { throw first } }

    /// Collects what `check` notes with `component` in front of its path.
    mutating func at<Value>(
        _ component: @autoclosure () -> String,
        _ check: (inout Unsupported) throws(FieldError) -> Value
    ) throws(FieldError) -> Value {
        var inner = Unsupported()
        do throws(FieldError) {
            let value = try check(&inner)
            if let noted = inner.first { note(noted.under(component())) }
            return value
        } catch {
            throw error.under(component())
        }
    }
}

/// The `system` field: a string is the same as one text block.
enum SystemPrompt {
    static func read(_ value: JSON) throws(FieldError) -> [String] {
        if case .string(let text) = value { return text.isEmpty ? [] : [text] }
        guard case .array(let blocks) = value else {
            throw FieldError("Input should be a valid string or an array of text blocks")
        }
        return try blocks.each { (block) throws(FieldError) in
            try block.checkObject()
            let type = try block.required("type") { (value) throws(FieldError) in try value.string() }
            guard type == "text" else { throw FieldError("only text blocks may be here", at: "type") }
            return try TextBlock.read(block)
        }
    }
}
