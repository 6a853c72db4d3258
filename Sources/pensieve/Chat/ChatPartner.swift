/// Who answers in a conversation: a model in this process, or a server.
protocol ChatPartner: Sendable {
    /// The model's name, and where it runs.
    var model: String { get }
    var place: String { get }

    /// Answers a question at the end of a conversation.
    /// - Parameter emit: gets each piece of text as it comes.
    /// - Throws: `ChatError` and others with a sentence for people; the conversation can go on.
    func answer(
        _ question: String,
        in conversation: Conversation,
        _ emit: @escaping @Sendable (String) -> Void
    ) async throws -> ChatAnswer

    /// Ends the answer that runs; callable from any thread.
    func interrupt()

    /// Names that `changed(to:)` takes.
    func models() async throws -> [String]

    /// The same partner with another model.
    func changed(to model: String) async throws -> any ChatPartner
}

struct ChatAnswer: Sendable {
    var text: String
    /// Nil where a server was not asked to the end.
    var figures: AnswerFigures?
}

/// What a user of `chat` may set for its answers.
struct ChatOptions: Sendable {
    var maxTokens = 4096
    /// Of a server's answers; nil leaves it to the server.
    var temperature: Double?
    var seed: Int?
}

/// Why there is no answer, in a sentence for people.
struct ChatError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
