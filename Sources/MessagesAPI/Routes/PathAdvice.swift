/// What to say of a path at which there is nothing: many who come there wanted something near.
enum PathAdvice {
    /// Endpoints of other APIs, beginning behind a base URL with or without `/v1`.
    private static let foreign = [
        "chat/completions", "completions", "responses", "embeddings", "complete", "api/chat", "api/generate",
        "api/tags", "api/show", "api/embed", "api/embeddings", "api/version", "api/ps", "completion", "tokenize",
        "audio/speech", "audio/transcriptions", "images/generations", "rerank", "moderations",
    ]
    /// Of this API, and not served.
    private static let missing = ["messages/batches", "files", "skills"]

    static func text(for path: String) -> String {
        var rest = path.prefix(200).split(separator: "/").joined(separator: "/")[...]
        if rest == "v1/v1" || rest.hasPrefix("v1/v1/") {
            return "there is nothing at this path: give the client a base_url without /v1 (http://HOST:PORT); "
                + "it adds /v1 itself"
        }
        if rest.hasPrefix("v1/") { rest = rest.dropFirst(3) }
        if missing.contains(where: { begins(rest, with: $0) }) {
            return "this part of the Messages API is not served; there are POST /v1/messages, "
                + "POST /v1/messages/count_tokens and GET /v1/models"
        }
        if foreign.contains(where: { begins(rest, with: $0) }) {
            return "this endpoint of another API is not served: this server speaks the Anthropic Messages API, "
                + "POST /v1/messages"
        }
        if rest == "messages" || rest == "messages/count_tokens" || rest == "models" {
            return "there is nothing at this path; it is /v1/\(rest), without more slashes"
        }
        return "there is nothing at this path; see POST /v1/messages, POST /v1/messages/count_tokens, "
            + "GET /v1/models, GET /health and GET /metrics"
    }

    private static func begins(_ path: Substring, with endpoint: String) -> Bool {
        path == endpoint || path.hasPrefix(endpoint + "/")
    }
}
