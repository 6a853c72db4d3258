import HTTPFront

/// Which web pages of other origins may use the API, and what browsers are told of it (the CORS protocol of the Fetch
/// standard).
///
/// Browsers keep pages from reading what a server of another origin answers, unless the answer says that they may. None
/// may by default; without configured keys those of this machine may, which is where people develop.
struct CrossOrigin: Sendable {
    private let allowed: Set<WebOrigin>
    private let allowsAll: Bool
    private let hasKeys: Bool

    /// - Parameter origins: as operators write them, `*` for all.
    init(_ origins: [String], hasKeys: Bool) {
        allowed = Set(origins.compactMap { WebOrigin($0) })
        allowsAll = origins.contains("*")
        self.hasKeys = hasKeys
    }

    /// Without keys, the well-known development key would open the server to whatever page its user looks at. Browsers
    /// send some requests without asking first, and only hide the answer: so those are not computed either.
    func check(_ head: RequestHead) throws(APIError) {
        guard !hasKeys, !head.origins.isEmpty, !isFromHere(head), grant(head) == nil else { return }
        guard let origin = head.origins.first.flatMap({ WebOrigin($0) }), head.origins.count == 1 else {
            throw .permission(
                "a page without an origin of its own (a file, or a frame that is shut in) may not use this server "
                    + "while it has no keys; to let every page use it, start it with --allow-origin '*'"
            )
        }
        throw .permission(
            "pages of \(origin) may not use this server; to allow it, start the server with --allow-origin \(origin)",
            logged: "the page is of another origin, and the server has no keys"
        )
    }

    /// A response with what a browser needs to know about who may read it.
    func marked(_ response: Response, for head: RequestHead) -> Response {
        guard !head.origins.isEmpty else { return response }
        var response = response
        // Whoever keeps the answer must not give it to another origin.
        response.headers.add("vary", "origin")
        guard let grant = grant(head) else { return response }
        response.headers.set("access-control-allow-origin", grant)
        response.headers.set("access-control-expose-headers", "request-id, retry-after, x-should-retry")
        return response
    }

    /// The answer to `OPTIONS`, completed if a browser asks what a page may send.
    func preflight(_ response: Response, for head: RequestHead) -> Response {
        guard head.headers[first: "access-control-request-method"] != nil, grant(head) != nil else { return response }
        var response = response
        response.headers.add("vary", "access-control-request-method, access-control-request-headers")
        response.headers.set("access-control-allow-methods", response.headers[first: "allow"] ?? "POST")
        response.headers.set("access-control-allow-headers", CrossOrigin.allowedHeaders(head))
        // Two hours: more is not believed by any browser.
        response.headers.set("access-control-max-age", "7200")
        if head.headers[first: "access-control-request-private-network"] == "true" {
            response.headers.set("access-control-allow-private-network", "true")
        }
        return response
    }

    /// What `access-control-allow-origin` says; nil where the page may not read the answer, or needs no permission.
    private func grant(_ head: RequestHead) -> String? {
        guard let text = head.origins.first, head.origins.count == 1, !isFromHere(head) else { return nil }
        if allowsAll { return "*" }
        guard let origin = WebOrigin(text) else { return nil }
        return allowed.contains(origin) || (!hasKeys && origin.isLoopback) ? text : nil
    }

    /// Whether the page is one of this server's own. The scheme cannot be known behind a proxy, so the page's counts.
    private func isFromHere(_ head: RequestHead) -> Bool {
        guard let origin = head.origins.first.flatMap({ WebOrigin($0) }), head.origins.count == 1,
            let host = head.headers[first: "host"]
        else { return false }
        return WebOrigin("\(origin.scheme)://\(host)") == origin
    }

    private static let usualHeaders =
        "authorization, content-type, x-api-key, anthropic-version, anthropic-beta, "
        + "anthropic-dangerous-direct-browser-access"

    /// Every header that is asked for: SDKs add new ones (`x-stainless-…`) with every release, and none does harm.
    private static func allowedHeaders(_ head: RequestHead) -> String {
        let asked = head.headers.values("access-control-request-headers").flatMap { $0.split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" } }
            .filter { name in
                !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
            }
        return asked.isEmpty ? usualHeaders : asked.joined(separator: ", ")
    }
}

extension RequestHead {
    /// Where the page comes from that sends this; nothing if it is no page, more than one where somebody plays tricks.
    fileprivate var origins: [String] { headers.values("origin") }
}
