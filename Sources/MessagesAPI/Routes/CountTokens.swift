import HTTPFront
import JSON

extension Route {
    /// How many tokens a request's prompt has. Nothing is generated and nothing waits for the scheduler; prompts beyond
    /// the context are counted too, for that is why clients count.
    static let countTokens = Route("POST", "/v1/messages/count_tokens") { api, request, _ throws(APIError) in
        await RequestRecord().keep(requestID: request.head.requestID) { record throws(APIError) in
            let client = api.keys.client(request.head)
            guard let prepared = try await api.prepare(request, for: .count, client: client, record) else {
                throw .clientGone
            }
            return .json(["input_tokens": .integer(prepared.prompt.count)])
        }
    }
}
