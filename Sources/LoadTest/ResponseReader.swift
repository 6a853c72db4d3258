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

    package private(set) var status = 0
    package private(set) var headers: [String: String] = [:]
    package var isComplete: Bool { state == .done }
    /// Whether the end of the connection may be the end of the body.
    package var mayEndHere: Bool { state == .done || state == .untilClose }

    private var state = State.head
    private var buffer: [UInt8] = []

    package init() {}

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
            guard let end = buffer.firstRange(of: [13, 10, 13, 10]) else {
                guard buffer.count < 1 << 20 else { throw ProtocolViolation("endless head") }
                return false
            }
            try readHead(String(decoding: buffer[..<end.lowerBound], as: UTF8.self))
            buffer.removeFirst(end.upperBound)
            return true
        case .sized(let left):
            body += buffer.prefix(left)
            state = left > buffer.count ? .sized(left - buffer.count) : .done
            buffer.removeFirst(min(left, buffer.count))
            return false
        case .untilClose:
            body += buffer
            buffer = []
            return false
        case .chunkSize:
            guard let line = try takeLine() else { return false }
            let digits = line.prefix { $0 != ";" }
            guard let size = Int(digits, radix: 16), size >= 0 else {
                throw ProtocolViolation("bad chunk size '\(line)'")
            }
            state = size == 0 ? .trailers : .chunk(size)
            return true
        case .chunk(let left):
            guard !buffer.isEmpty else { return false }
            body += buffer.prefix(left)
            state = left > buffer.count ? .chunk(left - buffer.count) : .chunkEnd
            buffer.removeFirst(min(left, buffer.count))
            return true
        case .chunkEnd:
            guard let line = try takeLine() else { return false }
            guard line.isEmpty else { throw ProtocolViolation("a chunk is longer than its size") }
            state = .chunkSize
            return true
        case .trailers:
            guard let line = try takeLine() else { return false }
            if line.isEmpty { state = .done }
            return true
        case .done: return false
        }
    }

    private mutating func takeLine() throws(ProtocolViolation) -> String? {
        guard let end = buffer.firstRange(of: [13, 10]) else {
            guard buffer.count < 1 << 16 else { throw ProtocolViolation("endless line") }
            return nil
        }
        defer { buffer.removeFirst(end.upperBound) }
        return String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
    }

    private mutating func readHead(_ text: String) throws(ProtocolViolation) {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let parts = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let code = Int(parts[1]) else {
            throw ProtocolViolation("not an HTTP/1 response")
        }
        headers = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw ProtocolViolation("bad header '\(line)'") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        status = code
        if code == 100 {
            state = .head
        } else if headers["transfer-encoding"]?.lowercased() == "chunked" {
            state = .chunkSize
        } else if let length = headers["content-length"] {
            guard let count = Int(length), count >= 0 else { throw ProtocolViolation("bad content-length '\(length)'") }
            state = count == 0 ? .done : .sized(count)
        } else {
            state = .untilClose
        }
    }
}

package struct ProtocolViolation: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
