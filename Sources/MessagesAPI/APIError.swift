import HTTPFront
import JSON

/// A refusal or failure in the API's terms; the only type that knows statuses and the error envelope.
struct APIError: Error, Equatable {
    enum Kind: String {
        case invalidRequest = "invalid_request_error"
        case authentication = "authentication_error"
        case permission = "permission_error"
        case notFound = "not_found_error"
        case rateLimit = "rate_limit_error"
        case requestTooLarge = "request_too_large"
        case timeout = "timeout_error"
        case overloaded = "overloaded_error"
        case api = "api_error"
    }

    var status: Int
    var kind: Kind
    var message: String
    /// A machine-readable code, where the API defines one.
    var details: JSONValue?
    var retryAfterSeconds: Int?
    /// Clients repeat some statuses by themselves; false tells them that it is of no use.
    var shouldRetry: Bool?
    var allow: [String] = []
    /// What logs say in place of a message that repeats what a client sent.
    var logged: String?

    static func invalidRequest(_ message: String, details: JSONValue? = nil, logged: String? = nil) -> APIError {
        var error = APIError(status: 400, kind: .invalidRequest, message: message, details: details)
        error.logged = logged
        return error
    }

    static func authentication(_ message: String) -> APIError {
        APIError(status: 401, kind: .authentication, message: message, shouldRetry: false)
    }

    static func permission(_ message: String, logged: String? = nil) -> APIError {
        var error = APIError(status: 403, kind: .permission, message: message, shouldRetry: false)
        error.logged = logged
        return error
    }

    static func notFound(_ message: String) -> APIError {
        APIError(status: 404, kind: .notFound, message: message)
    }

    static func bodyTooLarge(_ message: String) -> APIError {
        APIError(status: 413, kind: .requestTooLarge, message: message)
    }

    static func methodNotAllowed(_ method: String, allow: [String]) -> APIError {
        var error = APIError(
            status: 405,
            kind: .invalidRequest,
            message: "method \(method) is not allowed here",
            allow: allow
        )
        error.logged = "the method is not allowed here"
        return error
    }

    /// The waiting room is full. 529 is the API's own status for it.
    static func overloaded(retryAfterSeconds: Int) -> APIError {
        APIError(
            status: 529,
            kind: .overloaded,
            message: "too many requests are waiting; try again later",
            retryAfterSeconds: retryAfterSeconds
        )
    }

    static let shuttingDown = APIError(
        status: 503,
        kind: .overloaded,
        message: "server is shutting down",
        retryAfterSeconds: 5
    )

    /// For a client that has left: only logs show it.
    static let clientGone = APIError(
        status: 499,
        kind: .invalidRequest,
        message: "the client left before the answer was ready",
        shouldRetry: false
    )

    /// A fault of ours. What happened inside stays inside.
    static let `internal` = APIError(status: 500, kind: .api, message: "internal server error")

    init(
        status: Int,
        kind: Kind,
        message: String,
        details: JSONValue? = nil,
        retryAfterSeconds: Int? = nil,
        shouldRetry: Bool? = nil,
        allow: [String] = []
    ) {
        self.status = status
        self.kind = kind
        self.message = message
        self.details = details
        self.retryAfterSeconds = retryAfterSeconds
        self.shouldRetry = shouldRetry
        self.allow = allow
    }

    /// The message, without anything of a client's.
    var logMessage: String { logged ?? message }

    /// The envelope: the body of an error response, and the data of a stream's `error` event.
    func envelope(requestID: String) -> JSONValue {
        let error = JSONValue(omittingNil: [
            "type": .string(kind.rawValue), "message": .string(message), "details": details,
        ])
        return ["type": "error", "error": error, "request_id": .string(requestID)]
    }

    func response(requestID: String) -> Response {
        var response = Response.json(envelope(requestID: requestID), status: status)
        if let retryAfterSeconds { response.headers.set("retry-after", String(retryAfterSeconds)) }
        if let shouldRetry { response.headers.set("x-should-retry", String(shouldRetry)) }
        // RFC 9110 §15.5.2: a 401 says how to do better.
        if kind == .authentication { response.headers.set("www-authenticate", "Bearer") }
        if !allow.isEmpty { response.headers.set("allow", allow.joined(separator: ", ")) }
        return response
    }
}

extension Response {
    static func json(_ value: JSONValue, status: Int = 200) -> Response {
        Response(status: status, headers: ["content-type": "application/json"], body: .bytes(value.bytes))
    }
}
