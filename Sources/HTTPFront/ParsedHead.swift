/// A checked request line (RFC 9112 §3).
struct RequestLine: Equatable {
    var method: String
    var target: String
    var minorVersion: Int

    init(parsing line: ArraySlice<UInt8>) throws(HTTPFault) {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .badRequest("the request line needs a method, a target and a version") }
        guard isToken(parts[0]) else { throw .badRequest("invalid method") }
        minorVersion = try RequestLine.minorVersion(parts[2])
        method = String(decoding: parts[0], as: UTF8.self)
        target = try RequestLine.target(parts[1], method: method)
    }

    private static func minorVersion(_ bytes: ArraySlice<UInt8>) throws(HTTPFault) -> Int {
        let digits = bytes.dropFirst(5)
        guard bytes.prefix(5).elementsEqual("HTTP/".utf8), digits.count == 3,
            let major = decimalValue(digits[digits.startIndex]),
            digits[digits.startIndex + 1] == UInt8(ascii: "."),
            let minor = decimalValue(digits[digits.startIndex + 2])
        else { throw .badRequest("invalid HTTP version") }
        guard major == 1 else { throw .versionNotSupported }
        // A higher minor version is treated as the highest known one (RFC 9110 §2.5).
        return min(Int(minor), 1)
    }

    /// Origin form, absolute form, or `*` for OPTIONS. CONNECT and its authority form are for proxies.
    private static func target(_ bytes: ArraySlice<UInt8>, method: String) throws(HTTPFault) -> String {
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw .badRequest("invalid character in the request target")
        }
        let target = String(decoding: bytes, as: UTF8.self)
        if target == "*" {
            guard method == "OPTIONS" else { throw .badRequest("the target * is for OPTIONS only") }
            return target
        }
        if bytes.first == UInt8(ascii: "/") { return target }
        for scheme in ["http://", "https://"] where Headers.equal(bytes.prefix(scheme.utf8.count), scheme.utf8) {
            let authority = bytes.dropFirst(scheme.utf8.count).prefix {
                $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
            }
            guard !authority.isEmpty, authority.allSatisfy(isHostByte) else { break }
            return target
        }
        throw .badRequest("invalid request target")
    }
}

/// A request's head, with what its fields say about framing and connection.
struct ParsedHead: Equatable {
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
    }

    var line: RequestLine
    var headers: Headers
    var framing: Framing
    /// Whether a body that is not empty follows the head.
    var announcesBody: Bool { framing != .none && framing != .length(0) }
    /// Whether the client waits for `100 Continue` before it sends the body.
    var expectsContinue: Bool
    /// Whether the client wants the connection to persist.
    var keepsAlive: Bool

    init(_ line: RequestLine, _ headers: Headers) throws(HTTPFault) {
        self.line = line
        self.headers = headers
        try ParsedHead.checkHost(headers, minorVersion: line.minorVersion)
        framing = try ParsedHead.framing(headers, minorVersion: line.minorVersion)
        // RFC 9110 §10.1.1: the expectation of an HTTP/1.0 client is ignored.
        expectsContinue =
            line.minorVersion == 1 && framing != .none && framing != .length(0)
            && headers.lists("100-continue", in: "expect")
        let closes = headers.lists("close", in: "connection")
        keepsAlive = !closes && (line.minorVersion == 1 || headers.lists("keep-alive", in: "connection"))
    }

    /// RFC 9112 §3.2: HTTP/1.1 needs exactly one Host field.
    private static func checkHost(_ headers: Headers, minorVersion: Int) throws(HTTPFault) {
        let hosts = headers.values("host")
        guard hosts.count <= 1 else { throw .badRequest("more than one Host field") }
        guard let host = hosts.first else {
            guard minorVersion == 0 else { throw .badRequest("the Host field is missing") }
            return
        }
        guard host.utf8.allSatisfy(isHostByte) else { throw .badRequest("invalid Host field") }
    }

    /// RFC 9112 §6.3, with every ambiguous case refused.
    private static func framing(_ headers: Headers, minorVersion: Int) throws(HTTPFault) -> Framing {
        let lengths = headers.values("content-length")
        let codings = headers.values("transfer-encoding")
        if let coding = codings.first {
            guard lengths.isEmpty else { throw .badRequest("both Content-Length and Transfer-Encoding") }
            guard codings.count == 1 else { throw .badRequest("more than one Transfer-Encoding field") }
            guard minorVersion == 1 else { throw .badRequest("Transfer-Encoding in an HTTP/1.0 request") }
            guard Headers.equal(coding, "chunked") else { throw .unsupportedTransferCoding(String(coding.prefix(60))) }
            return .chunked
        }
        guard let length = lengths.first else { return .none }
        guard lengths.count == 1 else { throw .badRequest("more than one Content-Length field") }
        guard !length.isEmpty, length.utf8.allSatisfy({ decimalValue($0) != nil }) else {
            throw .badRequest("invalid Content-Length")
        }
        // A number beyond Int is valid, and too large.
        return .length(Int(length) ?? Int.max)
    }
}

/// Checks and collects field lines (RFC 9112 §5).
struct FieldCollector {
    private(set) var headers = Headers()

    mutating func add(_ line: ArraySlice<UInt8>) throws(HTTPFault) {
        guard let first = line.first, !first.isBlank else {
            throw .badRequest("folded header fields are not allowed")
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .badRequest("a header field without a colon")
        }
        let name = line[..<colon]
        guard isToken(name) else { throw .badRequest("invalid header field name") }
        let value = line[(colon + 1)...].trimmed
        guard value.allSatisfy(isFieldByte) else {
            throw .badRequest("control character in a header field")
        }
        headers.add(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}

func decimalValue(_ byte: UInt8) -> UInt8? {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : nil
}

/// RFC 9110 §5.6.2.
private func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
}

/// Characters of a host and port (RFC 3986 §3.2.2); user information is not allowed.
private func isHostByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-._~%!$&'()*+;=:[]".utf8.contains(byte)
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    decimalValue(byte) != nil || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}
