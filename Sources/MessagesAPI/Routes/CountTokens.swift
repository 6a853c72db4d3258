import Chat
import JSON

extension Route {
    /// How many tokens a request's prompt has. Nothing is generated and nothing waits for the scheduler; prompts beyond
    /// the context are counted too, because clients count to find that out.
    static let countTokens = Route("POST", "/v1/messages/count_tokens") { api, request throws(APIError) in
        let prepared = try await api.prepare(request, for: .count)
        return .json(["input_tokens": .integer(prepared.prompt.tokens.count)])
    }
}
