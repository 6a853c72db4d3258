import Platform

/// Puts responses on the wire: heads, plain bodies and chunks.
struct ResponseSender: Sendable {
    /// What a response means for its connection.
    enum Delivery: Equatable {
        case keepsConnection
        /// Sent in full, and said to be the last.
        case lastOfConnection
        /// Not sent in full: the connection can only be dropped.
        case failed
    }

    let socket: Socket
    let stallLimit: Duration

    /// Sends a response.
    /// - Parameters:
    ///   - owed: what has to go out before it.
    ///   - keepsAlive: whether the request allows another one after it.
    func send(
        _ response: Response,
        after owed: [UInt8] = [],
        to request: RequestHead,
        keepsAlive: Bool
    ) async -> Delivery {
        let framing = ResponseHead.Framing(response, to: request)
        let keeps =
            keepsAlive && framing != .untilClose && !socket.poller.isDraining && !Task.isCancelled
        let head = ResponseHead(response: response, request: request, framing: framing, keepsAlive: keeps)
        do {
            switch response.body {
            case .bytes(let bytes):
                try await sendAll(owed + head.bytes + (framing.hasBody ? bytes : []))
            case .stream(let produce):
                try await sendAll(owed + head.bytes)
                if framing.hasBody { try await stream(produce, isChunked: framing == .chunked) }
            }
            return keeps ? .keepsConnection : .lastOfConnection
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
        // Also a producer whose writes come from elsewhere must notice that the client is gone.
        try await withTaskCancellationHandler {
            defer { writer.close() }
            try await produce(writer)
            // A failed write that the producer swallowed leaves half a chunk behind. A client that leaves once it has all
            // that was written is another matter.
            guard !writer.hasFailed else { throw SendError.disconnected }
        } onCancel: {
            writer.close()
        }
        if isChunked { try await sendAll(Array("0\r\n\r\n".utf8)) }
    }

    private func sendAll(_ bytes: [UInt8]) async throws(SendError) {
        try await socket.send(bytes, stallLimit: stallLimit)
    }

    /// One chunk, complete, so that it goes out in one system call.
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

/// A response's head, as it goes out.
struct ResponseHead {
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// The connection's end is the body's end: streams to HTTP/1.0 clients.
        case untilClose
        /// The head describes a body that is not sent: answers to HEAD.
        case withheld(length: Int?)
        /// There can be no body: 1xx, 204, 304.
        case impossible

        init(_ response: Response, to request: RequestHead) {
            if response.status < 200 || response.status == 204 || response.status == 304 {
                self = .impossible
                return
            }
            switch response.body {
            case .bytes(let bytes):
                self = request.method == "HEAD" ? .withheld(length: bytes.count) : .length(bytes.count)
            case .stream where request.method == "HEAD": self = .withheld(length: nil)
            case .stream: self = request.minorVersion == 0 ? .untilClose : .chunked
            }
        }

        var hasBody: Bool {
            switch self {
            case .length, .chunked, .untilClose: true
            case .withheld, .impossible: false
            }
        }
    }

    /// What the front alone decides.
    private static let ownFields = ["content-length", "transfer-encoding", "connection"]

    let bytes: [UInt8]

    init(response: Response, request: RequestHead, framing: Framing, keepsAlive: Bool) {
        var text = "HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\n"
        for (name, value) in response.headers.fields where !Self.ownFields.contains(where: { Headers.equal($0, name) })
        {
            text += "\(Self.clean(name)): \(Self.clean(value))\r\n"
        }
        if response.headers[first: "date"] == nil { text += "date: \(Self.date(time(nil)))\r\n" }
        if response.headers[first: "request-id"] == nil { text += "request-id: \(request.requestID)\r\n" }
        switch framing {
        case .length(let length), .withheld(let length?): text += "content-length: \(length)\r\n"
        case .chunked: text += "transfer-encoding: chunked\r\n"
        case .untilClose, .withheld, .impossible: break
        }
        if !keepsAlive {
            text += "connection: close\r\n"
        } else if request.minorVersion == 0 {
            text += "connection: keep-alive\r\n"
        }
        bytes = Array((text + "\r\n").utf8)
    }

    /// Takes out what would end the field early.
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
