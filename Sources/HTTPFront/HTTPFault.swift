/// Errors of the server itself; the handler renders them in the API's error format.
package enum HTTPFault: Error, Sendable, Equatable {
    case badRequest(String)
    case requestLineTooLong
    case headersTooLarge
    case bodyTooLarge(limit: Int)
    case tooManyConnections
    case tooManyRequests
    case bodyMemoryFull
    case timeout(String)
    case unsupportedTransferCoding(String)
    case versionNotSupported

    /// The response status. An unknown transfer coding or version is 400, not 501 or 505 as in RFC 9110, because
    /// clients retry after a 5xx.
    package var status: Int {
        switch self {
        case .badRequest, .unsupportedTransferCoding, .versionNotSupported: 400
        case .timeout: 408
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .tooManyRequests: 429
        case .headersTooLarge: 431
        case .tooManyConnections, .bodyMemoryFull: 503
        }
    }

    package var message: String {
        switch self {
        case .badRequest(let reason): "malformed HTTP request: \(reason)"
        case .requestLineTooLong: "the request line is too long"
        case .headersTooLarge: "the request headers are too large or too many"
        case .bodyTooLarge(let limit): "the request body exceeds the limit of \(limit) bytes"
        case .tooManyConnections: "too many connections; try again later"
        case .tooManyRequests: "too many requests of this client at once; try again later"
        case .bodyMemoryFull: "too many large requests at once; try again later"
        case .timeout(let what): "timed out while waiting for \(what)"
        case .unsupportedTransferCoding(let name): "the transfer coding \"\(name)\" is not supported; use chunked"
        case .versionNotSupported: "only HTTP/1.0 and HTTP/1.1 are supported"
        }
    }
}

/// Why a server could not be started; the message says what to do about it.
package struct HTTPServerError: Error, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }

    init(_ message: String) { self.message = message }
}
