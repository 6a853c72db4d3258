/// What precedes a request's body.
package struct RequestHead: Sendable {
    package var method: String
    /// The request target as it was sent.
    package var target: String
    /// The path before `?`, still percent-encoded; `*` for the asterisk form.
    package var path: String
    package var query: String?
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package var minorVersion: Int
    package var headers: Headers
    /// Unique, made by the server: `req_…`.
    package var requestID: String
    package var peerIsLoopback: Bool
    /// The address that the request came from, or the network of it that counts as one client.
    package var peer: String

    package init(
        method: String,
        target: String,
        headers: Headers = [:],
        requestID: String = "req_test",
        peerIsLoopback: Bool = true,
        peer: String = "127.0.0.1"
    ) {
        let (path, query) = RequestHead.split(target: target)
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.minorVersion = 1
        self.headers = headers
        self.requestID = requestID
        self.peerIsLoopback = peerIsLoopback
        self.peer = peer
    }

    /// Path and query of an origin-form, absolute-form or asterisk-form target (RFC 9112 §3.2).
    static func split(target: String) -> (path: String, query: String?) {
        var rest = target[...]
        if !rest.hasPrefix("/"), let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
        }
        let path = rest.prefix { $0 != "?" }
        let query = path.endIndex == rest.endIndex ? nil : String(rest[path.endIndex...].dropFirst())
        return (path.isEmpty ? "/" : String(path), query)
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
