import Platform

/// Writes responses to a socket: heads, plain bodies and chunked streams.
struct ResponseSender: Sendable {
    /// What follows for the connection after a response.
    enum Delivery: Equatable {
        case keepAlive
        /// Sent in full, with `connection: close`.
        case close
        /// Not sent in full: the connection must be closed at once.
        case failed
    }

    let socket: Socket
    let stallLimit: Duration

    /// Sends a response.
    /// - Parameters:
    ///   - unsent: bytes that must be sent before it.
    ///   - keepsAlive: whether the request lets the connection persist.
    func send(
        _ response: Response,
        after unsent: [UInt8] = [],
        to request: RequestHead,
        keepsAlive: Bool
    ) async -> Delivery {
        let framing = ResponseHead.Framing(response, to: request)
        let keepAlive =
            keepsAlive && framing != .untilClose && !socket.poller.isDraining && !Task.isCancelled
        let head = ResponseHead(response: response, request: request, framing: framing, keepsAlive: keepAlive)
        do {
            switch response.body {
            case .bytes(let bytes):
                try await sendAll(unsent + head.bytes + (framing.hasBody ? bytes : []))
            case .stream(let produce):
                try await sendAll(unsent + head.bytes)
                if framing.hasBody { try await stream(produce, isChunked: framing == .chunked) }
            }
            return keepAlive ? .keepAlive : .close
        } catch {
            return .failed
        }
    }

    func sendContinue() async throws(SendError) {
        try await sendAll(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    private func stream(
        _ produce: @Sendable (BodyWriter) async throws -> Void,
        isChunked: Bool
    ) async throws {
        let writer = BodyWriter { bytes in
            try await sendAll(isChunked ? Self.chunk(bytes) : bytes)
        }
        // Cancellation closes the writer, so that a producer that goes on writing is told.
        try await withTaskCancellationHandler {
            defer { writer.close() }
            try await produce(writer)
            // After a failed write whose error the producer ignored, half a chunk may have been sent. Without a failed
            // write everything was delivered, even if the client has left since.
            guard !writer.hasFailed else { throw SendError.disconnected }
        } onCancel: {
            writer.close()
        }
        if isChunked { try await sendAll(Array("0\r\n\r\n".utf8)) }
    }

    private func sendAll(_ bytes: [UInt8]) async throws(SendError) {
        try await socket.send(bytes, stallLimit: stallLimit)
    }

    /// One complete chunk, to be sent with one system call.
    private static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        var chunk: [UInt8] = []
        chunk.reserveCapacity(bytes.count + 20)
        chunk.append(contentsOf: String(bytes.count, radix: 16).utf8)
        chunk.append(contentsOf: "\r\n".utf8)
        chunk.append(contentsOf: bytes)
        chunk.append(contentsOf: "\r\n".utf8)
        return chunk
    }
}

/// The encoded head of a response.
struct ResponseHead {
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// The body ends with the connection: streams to HTTP/1.0 clients.
        case untilClose
        /// The head describes a body that is not sent: responses to HEAD.
        case headOnly(length: Int?)
        /// Responses that cannot have a body: 1xx, 204, 304.
        case noBody

        init(_ response: Response, to request: RequestHead) {
            if response.status < 200 || response.status == 204 || response.status == 304 {
                self = .noBody
                return
            }
            switch response.body {
            case .bytes(let bytes):
                self = request.method == "HEAD" ? .headOnly(length: bytes.count) : .length(bytes.count)
            case .stream where request.method == "HEAD": self = .headOnly(length: nil)
            case .stream: self = request.minorVersion == 0 ? .untilClose : .chunked
            }
        }

        var hasBody: Bool {
            switch self {
            case .length, .chunked, .untilClose: true
            case .headOnly, .noBody: false
            }
        }
    }

    /// Fields that only the server sets.
    private static let reservedFields = ["content-length", "transfer-encoding", "connection"]

    let bytes: [UInt8]

    init(response: Response, request: RequestHead, framing: Framing, keepsAlive: Bool) {
        var text = "HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\n"
        for (name, value) in response.headers.fields
        where !Self.reservedFields.contains(where: { Headers.equal($0, name) }) {
            text += "\(Self.clean(name)): \(Self.clean(value))\r\n"
        }
        if response.headers[first: "date"] == nil { text += "date: \(Self.date(time(nil)))\r\n" }
        if response.headers[first: "request-id"] == nil { text += "request-id: \(request.requestID)\r\n" }
        switch framing {
        case .length(let length), .headOnly(let length?): text += "content-length: \(length)\r\n"
        case .chunked: text += "transfer-encoding: chunked\r\n"
        case .untilClose, .headOnly, .noBody: break
        }
        if !keepsAlive {
            text += "connection: close\r\n"
        } else if request.minorVersion == 0 {
            text += "connection: keep-alive\r\n"
        }
        bytes = Array((text + "\r\n").utf8)
    }

    /// Replaces control characters, which could end the field early.
    private static func clean(_ text: String) -> String {
        if text.utf8.allSatisfy(isFieldByte) { return text }
        return String(decoding: text.utf8.map { isFieldByte($0) ? $0 : UInt8(ascii: " ") }, as: UTF8.self)
    }

    /// RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func date(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date =
            "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 529: "Overloaded"
        default: "Unknown"
        }
    }
}
