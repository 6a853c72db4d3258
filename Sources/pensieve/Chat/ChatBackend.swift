/// Answers in a conversation: a model in this process, or a server.
protocol ChatBackend: Sendable {
    /// The model's name.
    var model: String { get }
    /// Where the model runs, for display.
    var location: String { get }

    /// Answers a question at the end of a conversation.
    /// - Parameter emit: receives each piece of text.
    /// - Throws: `ChatError` and other errors whose descriptions are for the user; the conversation can go on.
    func answer(
        _ question: String,
        in conversation: Conversation,
        _ emit: @escaping @Sendable (String) -> Void
    ) async throws -> ChatAnswer

    /// Interrupts the current answer; can be called from any thread.
    func interrupt()

    /// The names of models for `switched(to:)`.
    /// - Throws: errors whose descriptions are for the user, as the next function.
    func models() async throws -> [String]

    /// The same backend with another model.
    func switched(to model: String) async throws -> any ChatBackend
}

struct ChatAnswer: Sendable {
    var text: String
    /// Nil for an interrupted answer of a server.
    var statistics: AnswerStatistics?
}

/// Options of the answers in a chat.
struct ChatOptions: Sendable {
    var maxTokens = 4096
    /// For a server; nil: the server's default.
    var temperature: Double?
    var seed: Int?
}

/// Why there is no answer; the description is for the user.
struct ChatError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
