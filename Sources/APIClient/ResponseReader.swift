/// An incremental parser of HTTP/1.1 responses: status, headers, and the body without its framing.
package struct ResponseReader: Sendable {
    private enum State: Equatable {
        case head
        case sized(Int)
        case untilClose
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case done
    }

    private static let maxHeadBytes = 1 << 16
    private static let maxLineBytes = 1 << 14
    private static let headEnd: [UInt8] = [13, 10, 13, 10]
    private static let lineEnd: [UInt8] = [13, 10]

    /// 0 until the head is complete.
    package private(set) var status = 0
    /// By lower-case name; the last of repeated ones.
    package private(set) var headers: [String: String] = [:]
    package var isComplete: Bool { state == .done }
    /// Whether the end of the connection may be the end of the body.
    package var canEndHere: Bool { state == .done || state == .untilClose }
    /// Whether the connection can take another request after this response.
    package private(set) var keepsAlive = false

    private var state = State.head
    private var buffer: [UInt8] = []

    package init() {}

    /// Whether the body is a stream of server-sent events.
    package var isEventStream: Bool {
        status == 200 && headers["content-type"]?.lowercased().hasPrefix("text/event-stream") == true
    }

    /// Adds bytes; returns those that belong to the body.
    /// - Throws: `ProtocolViolation` if head or framing is invalid.
    package mutating func push(_ bytes: ArraySlice<UInt8>) throws(ProtocolViolation) -> [UInt8] {
        buffer += bytes
        var body: [UInt8] = []
        while try advance(&body) {}
        return body
    }

    private mutating func advance(_ body: inout [UInt8]) throws(ProtocolViolation) -> Bool {
        switch state {
        case .head:
            guard let head = try take(until: Self.headEnd, atMost: Self.maxHeadBytes) else { return false }
            try readHead(head)
        case .sized(let left):
            let rest = moveBody(left, into: &body)
            state = rest == 0 ? .done : .sized(rest)
            return rest == 0
        case .untilClose:
            _ = moveBody(buffer.count, into: &body)
            return false
        case .chunkSize:
            guard let line = try take(until: Self.lineEnd, atMost: Self.maxLineBytes) else { return false }
            let size = try Self.chunkSize(line)
            state = size == 0 ? .trailers : .chunk(size)
        case .chunk(let left):
            let rest = moveBody(left, into: &body)
            state = rest == 0 ? .chunkEnd : .chunk(rest)
            return rest == 0
        case .chunkEnd:
            guard buffer.count >= 2 else { return false }
            guard buffer.starts(with: Self.lineEnd) else { throw ProtocolViolation("a chunk is longer than its size") }
            buffer.removeFirst(2)
            state = .chunkSize
        case .trailers:
            guard let line = try take(until: Self.lineEnd, atMost: Self.maxLineBytes) else { return false }
            if line.isEmpty { state = .done }
        case .done:
            guard buffer.isEmpty else { throw ProtocolViolation("bytes after the end of the response") }
            return false
        }
        return true
    }

    /// Moves up to `count` bytes into the body; returns the number still missing.
    private mutating func moveBody(_ count: Int, into body: inout [UInt8]) -> Int {
        let moved = min(count, buffer.count)
        body += buffer[..<moved]
        buffer.removeFirst(moved)
        return count - moved
    }

    /// The text before a mark, which is consumed as well; nil if the mark has not arrived.
    private mutating func take(until mark: [UInt8], atMost limit: Int) throws(ProtocolViolation) -> String? {
        let end = buffer.firstRange(of: mark)
        guard (end?.lowerBound ?? buffer.count) <= limit else { throw ProtocolViolation("a head or line without end") }
        guard let end else { return nil }
        defer { buffer.removeFirst(end.upperBound) }
        return String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
    }

    private static func chunkSize(_ line: String) throws(ProtocolViolation) -> Int {
        let digits = line.prefix { $0 != ";" }.trimmingSuffix(while: { $0 == " " || $0 == "\t" })
        guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), let size = Int(digits, radix: 16) else {
            throw ProtocolViolation("a bad chunk size")
        }
        return size
    }

    private mutating func readHead(_ text: String) throws(ProtocolViolation) {
        // Splits by scalars, as "\r\n" is one Character: a bare "\r" or "\n" must not hide in a line.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(String.UnicodeScalarView(line.last == "\r" ? line.dropLast() : line))
        }
        let parts = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3,
            let code = Int(parts[1]), (100...599).contains(code)
        else { throw ProtocolViolation("not an HTTP/1 response") }
        headers = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw ProtocolViolation("a header without a colon")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers[line[..<colon].lowercased()] = String(value.trimmingSuffix(while: { $0 == " " || $0 == "\t" }))
        }
        // Interim responses such as 100 Continue precede the final one.
        guard code >= 200 else { return }
        status = code
        try chooseBody()
        let connection = headers["connection"]?.lowercased() ?? ""
        keepsAlive = parts[0] == "HTTP/1.1" && !connection.contains("close") && state != .untilClose
    }

    /// The body's framing, in the order of RFC 9112 section 6.3.
    private mutating func chooseBody() throws(ProtocolViolation) {
        if status == 204 || status == 304 {
            state = .done
        } else if let coding = headers["transfer-encoding"] {
            guard coding.lowercased() == "chunked" else { throw ProtocolViolation("an unknown transfer coding") }
            state = .chunkSize
        } else if let length = headers["content-length"] {
            guard length.allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int(length) else {
                throw ProtocolViolation("a bad content-length")
            }
            state = count == 0 ? .done : .sized(count)
        } else {
            state = .untilClose
        }
    }
}

/// A violation of HTTP or of the API's protocol by the server.
package struct ProtocolViolation: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
        self[..<(lastIndex { !isTrimmed($0) }.map(index(after:)) ?? startIndex)]
    }
}
