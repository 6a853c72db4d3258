import HTTPFront

/// Keeps pages of other sites away from a server without configured keys, whose development keys everybody knows.
///
/// A page may let its own name stand for 127.0.0.1 once it is loaded (DNS rebinding); its requests then come from this
/// machine, but `Host` still names the page. So only names that always mean this machine pass.
enum HostCheck {
    static func check(_ head: RequestHead) throws(APIError) {
        // Only clients of HTTP/1.0 may leave it out, and no browser does.
        guard let host = head.headers[first: "host"], !isLoopback(host) else { return }
        throw .permission(
            "without configured API keys this server answers to localhost and 127.0.0.1 only, not to "
                + "\"\(host.prefix(100))\"; use http://localhost, or start the server with --api-key-file FILE",
            logged: "the request names another host, and the server has no keys"
        )
    }

    /// Whether a host, perhaps with a port, is this machine's.
    static func isLoopback(_ authority: String) -> Bool {
        withoutPort(authority).map(LoopbackName.contains) ?? false
    }

    private static func withoutPort(_ authority: String) -> String? {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let host = end.map { authority[...$0] } ?? authority.prefix { $0 != ":" }
        let rest = authority[host.endIndex...]
        guard rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return nil
        }
        return String(host)
    }
}
