import Foundation

/// The address of a server.
package struct Target: Sendable, Equatable {
    /// Without the brackets of an IPv6 address.
    package var host: String
    package var port: UInt16
    /// The path before `/v1/messages`: empty, or for example `/llm`.
    package var path: String

    package init(host: String = "127.0.0.1", port: UInt16 = 7777, path: String = "") {
        self.host = host
        self.port = port
        self.path = path
    }

    /// Parses `http://host:port/path`; the scheme is optional.
    /// - Throws: `UsageError`.
    package init(url text: String) throws(UsageError) {
        guard !text.lowercased().hasPrefix("https:") else {
            throw UsageError("https is not supported; name the plain http address behind the proxy")
        }
        let example = "such as http://127.0.0.1:7777"
        guard let url = URLComponents(string: text.contains("://") ? text : "http://" + text),
            url.scheme?.lowercased() == "http", let host = url.host, !host.isEmpty, url.user == nil,
            let port = UInt16(exactly: url.port ?? 80), port > 0
        else { throw UsageError("'\(text)' is no address \(example)") }
        guard url.query == nil, url.fragment == nil else { throw UsageError("an address has no query, \(example)") }
        var path = url.percentEncodedPath
        while path.hasSuffix("/") { path.removeLast() }
        guard !path.hasSuffix("/v1"), !path.hasSuffix("/v1/messages") else {
            throw UsageError("leave /v1 out of the address; it is added")
        }
        self.init(host: host.trimmingCharacters(in: ["[", "]"]), port: port, path: path)
    }

    /// The value of the `Host` header.
    package var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
    package var description: String { authority + path }
}

/// A mistake in the arguments; the description says what to do.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
