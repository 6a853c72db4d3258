/// An incremental, strict parser of HTTP/1.x requests (RFC 9112), as a plain value.
///
/// `append` adds bytes, `next` returns the next event. Ambiguous input, which enables request smuggling (conflicting
/// lengths, bare line feeds, folded fields …), is refused, never repaired. After a fault the connection must end.
struct RequestParser {
    enum Event: Equatable {
        /// More bytes are needed.
        case needsMore
        /// The head is complete; the body follows.
        case head(ParsedHead)
        /// The body and with it the request is complete; the next call of `next` begins another request.
        case body([UInt8])
        case fault(HTTPFault)
    }

    private enum State {
        case requestLine
        case fields(RequestLine)
        case body(remaining: Int)
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers
        case failed(HTTPFault)
    }

    /// The longest chunk-size line, extensions included.
    private static let maxChunkLineBytes = 1024

    private let limits: Limits
    private var state = State.requestLine
    private var buffer: [UInt8] = []
    /// Bytes before this index of `buffer` have been consumed.
    private var position = 0
    /// Bytes before this index of `buffer` contain no line end: so a line sent byte by byte is scanned once only.
    private var scanned = 0
    private var emptyLines = 0
    private var fieldBytes = 0
    private var fieldCount = 0
    private var fields = FieldCollector()
    private var collected: [UInt8] = []

    init(limits: Limits) {
        self.limits = limits
    }

    /// Whether no byte of a request has been received.
    var isIdle: Bool {
        if case .requestLine = state { return position == buffer.count }
        return false
    }

    /// Bytes of the current body received so far.
    var bodyBytes: Int { collected.count }

    /// Bytes of the current head received so far.
    var headBytes: Int { buffer.count - position + fieldBytes }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if position == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            (position, scanned) = (0, 0)
        } else if position > 1 << 16 {
            buffer.removeFirst(position)
            scanned = max(0, scanned - position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    mutating func append(_ bytes: some Collection<UInt8>) {
        Array(bytes).withUnsafeBytes { append($0) }
    }

    mutating func next() -> Event {
        while true {
            do throws(HTTPFault) {
                if let event = try advance() { return event }
            } catch {
                state = .failed(error)
                (buffer, collected, position, scanned) = ([], [], 0, 0)
                fields = FieldCollector()
                return .fault(error)
            }
        }
    }

    /// One step of the state machine; nil if the next step can follow.
    private mutating func advance() throws(HTTPFault) -> Event? {
        switch state {
        case .requestLine: return try readRequestLine()
        case .fields(let line): return try readField(line)
        case .body(let remaining):
            let left = take(remaining)
            state = .body(remaining: left)
            return left == 0 ? complete() : .needsMore
        case .chunkSize: return try readChunkSize()
        case .chunk(let remaining):
            let left = take(remaining)
            state = left == 0 ? .chunkEnd : .chunk(remaining: left)
            return left == 0 ? nil : .needsMore
        case .chunkEnd:
            guard let line = try readLine(limit: 0, orElse: .badRequest("chunk data exceeds its size")) else {
                return .needsMore
            }
            guard line.isEmpty else { throw .badRequest("chunk data exceeds its size") }
            state = .chunkSize
            return nil
        case .trailers: return try readTrailer()
        case .failed(let fault): return .fault(fault)
        }
    }

    // MARK: Lines

    /// The next line without its CRLF, or nil if it is incomplete. A line longer than `limit` is a fault even while it
    /// is incomplete, which bounds the buffer.
    private mutating func readLine(limit: Int, orElse fault: HTTPFault) throws(HTTPFault) -> ArraySlice<UInt8>? {
        let from = max(scanned, position)
        let end = buffer[from...].firstIndex { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") } ?? buffer.count
        scanned = end
        guard end - position <= limit else { throw fault }
        guard end < buffer.count else { return nil }
        guard buffer[end] == UInt8(ascii: "\r") else { throw .badRequest("a line feed without a carriage return") }
        guard end + 1 < buffer.count else { return nil }
        guard buffer[end + 1] == UInt8(ascii: "\n") else { throw .badRequest("a carriage return without a line feed") }
        let line = buffer[position..<end]
        position = end + 2
        scanned = position
        return line
    }

    private mutating func readRequestLine() throws(HTTPFault) -> Event? {
        guard let line = try readLine(limit: limits.maxRequestLineBytes, orElse: .requestLineTooLong) else {
            return .needsMore
        }
        if line.isEmpty {
            // RFC 9112 §2.2: empty lines before a request are ignored; here up to four.
            emptyLines += 1
            guard emptyLines <= 4 else { throw .badRequest("empty lines instead of a request") }
            return nil
        }
        state = .fields(try RequestLine(parsing: line))
        return nil
    }

    private mutating func readField(_ requestLine: RequestLine) throws(HTTPFault) -> Event? {
        guard let line = try readFieldLine() else { return .needsMore }
        guard line.isEmpty else {
            try fields.add(line)
            return nil
        }
        let head = try ParsedHead(requestLine, fields.headers)
        fields = FieldCollector()
        switch head.framing {
        case .none: state = .body(remaining: 0)
        case .length(let length): state = .body(remaining: length)
        case .chunked: state = .chunkSize
        }
        // The head is reported first, so that the request can be refused for another reason; then `next` gives the
        // fault.
        if case .length(let length) = head.framing, length > limits.maxBodyBytes {
            state = .failed(.bodyTooLarge(limit: limits.maxBodyBytes))
        }
        return .head(head)
    }

    /// A line of the header or trailer section; the limits apply to both sections together.
    private mutating func readFieldLine() throws(HTTPFault) -> ArraySlice<UInt8>? {
        let room = limits.maxHeaderBytes - fieldBytes
        guard let line = try readLine(limit: max(0, room - 2), orElse: .headersTooLarge) else { return nil }
        guard !line.isEmpty else { return line }
        fieldBytes += line.count + 2
        fieldCount += 1
        guard fieldCount <= limits.maxHeaderFields else { throw .headersTooLarge }
        return line
    }

    // MARK: Bodies

    /// Moves up to `count` bytes into the body; returns the number still missing.
    private mutating func take(_ count: Int) -> Int {
        let available = min(count, buffer.count - position)
        if collected.isEmpty { collected.reserveCapacity(min(count, 1 << 16)) }
        collected.append(contentsOf: buffer[position..<(position + available)])
        position += available
        scanned = position
        return count - available
    }

    private mutating func readChunkSize() throws(HTTPFault) -> Event? {
        let limit = RequestParser.maxChunkLineBytes
        guard let line = try readLine(limit: limit, orElse: .badRequest("a chunk-size line is too long")) else {
            return .needsMore
        }
        let size = try parseChunkSize(line)
        guard size <= limits.maxBodyBytes - collected.count else {
            throw .bodyTooLarge(limit: limits.maxBodyBytes)
        }
        state = size == 0 ? .trailers : .chunk(remaining: size)
        return nil
    }

    private mutating func readTrailer() throws(HTTPFault) -> Event? {
        guard let line = try readFieldLine() else { return .needsMore }
        guard line.isEmpty else {
            // Trailers are checked like header fields, and dropped: they are not used.
            var checked = FieldCollector()
            try checked.add(line)
            return nil
        }
        return complete()
    }

    private mutating func complete() -> Event {
        let body = collected
        collected = []
        (emptyLines, fieldBytes, fieldCount) = (0, 0, 0)
        state = .requestLine
        if position == buffer.count { (buffer, position, scanned) = ([], 0, 0) }
        return .body(body)
    }
}

/// RFC 9112 §7.1: hexadecimal digits, then optional extensions after a semicolon, which are ignored.
func parseChunkSize(_ line: ArraySlice<UInt8>) throws(HTTPFault) -> Int {
    let digits = line.prefix { hexadecimalValue($0) != nil }
    // 15 digits cannot overflow; more, with leading zeros, are not sent by any real client.
    guard !digits.isEmpty, digits.count <= 15 else { throw .badRequest("invalid chunk size") }
    let extensions = line[digits.endIndex...]
    let afterBlanks = extensions.drop { $0.isBlank }
    guard extensions.isEmpty || afterBlanks.first == UInt8(ascii: ";") else {
        throw .badRequest("invalid chunk size")
    }
    guard extensions.allSatisfy(isFieldByte) else { throw .badRequest("invalid chunk extension") }
    return digits.reduce(0) { $0 << 4 | Int(hexadecimalValue($1) ?? 0) }
}

func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Bytes that a field value may contain: visible characters, blank, tab and bytes beyond ASCII.
func isFieldByte(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t")
}
