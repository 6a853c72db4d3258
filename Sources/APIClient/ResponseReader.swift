/// Takes an HTTP/1.1 response apart as its bytes come: status, headers, and the body without its framing.
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

    /// 0 until the head has come.
    package private(set) var status = 0
    /// By lower-case name; of repeated ones the last.
    package private(set) var headers: [String: String] = [:]
    package var isComplete: Bool { state == .done }
    /// Whether the end of the connection may be the end of the body.
    package var mayEndHere: Bool { state == .done || state == .untilClose }
    /// Whether the connection can take another request after this response.
    package private(set) var keepsAlive = false

    private var state = State.head
    private var buffer: [UInt8] = []

    package init() {}

    /// Whether it is an answer, to be read as server-sent events.
    package var isEventStream: Bool {
        status == 200 && headers["content-type"]?.lowercased().hasPrefix("text/event-stream") == true
    }

    /// Adds bytes; returns the body's bytes among them.
    /// - Throws: `ProtocolViolation` where the framing is wrong.
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

    /// Moves at most so many bytes; returns how many are still to come.
    private mutating func moveBody(_ count: Int, into body: inout [UInt8]) -> Int {
        let moved = min(count, buffer.count)
        body += buffer[..<moved]
        buffer.removeFirst(moved)
        return count - moved
    }

    /// The text before a mark, which is dropped; nil if the mark has not come.
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
        // Not by "\r\n", which is one character: a bare one of them must not hide in a line.
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
        // Interim responses, such as 100 Continue, come before the one that counts.
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

/// What a server may not send.
package struct ProtocolViolation: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
        self[..<(lastIndex { !isTrimmed($0) }.map(index(after:)) ?? startIndex)]
    }
}
