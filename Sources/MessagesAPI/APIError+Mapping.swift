import HTTPFront
import Scheduling
import Templates
import Tokenization

/// The errors of the modules below, in the API's terms.
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

    init(_ fault: HTTPFault) {
        let kind: Kind
        var shouldRetry: Bool? = false
        var retryAfter: Int?
        switch fault {
        case .badRequest, .requestLineTooLong, .headersTooLarge, .unsupportedTransferCoding, .versionNotSupported:
            kind = .invalidRequest
        case .bodyTooLarge: kind = .requestTooLarge
        case .timeout: (kind, shouldRetry) = (.timeout, nil)
        case .tooManyRequests: (kind, shouldRetry, retryAfter) = (.rateLimit, nil, 1)
        case .tooManyConnections, .bodyMemoryFull: (kind, shouldRetry, retryAfter) = (.overloaded, nil, 1)
        }
        self.init(
            status: fault.status,
            kind: kind,
            message: fault.message,
            retryAfterSeconds: retryAfter,
            shouldRetry: shouldRetry
        )
        if case .unsupportedTransferCoding = fault { logged = "the transfer coding is not supported" }
    }
}
