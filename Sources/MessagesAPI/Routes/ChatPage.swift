import HTTPFront
import WebPage

extension Route {
    /// A page to talk to the model, for browsers; some words on what is here for whatever else asks. Without a key: the
    /// page holds nothing, and asks its user for a key where one is needed.
    static let chatPage = Route("GET", "/", needsKey: false) { api, request throws(APIError) in
        let accepted = request.head.headers.values("accept")
        return accepted.contains { $0.lowercased().contains("text/html") } ? ChatPage.response() : api.signpost()
    }

    /// The page's mark. Browsers ask for this name by themselves.
    static let favicon = Route("GET", "/favicon.ico", needsKey: false) { _, _ throws(APIError) in
        Response(
            status: 200,
            headers: [
                "content-type": "image/svg+xml", "cache-control": "max-age=86400", "x-content-type-options": "nosniff",
                "content-security-policy": "default-src 'none'",
            ],
            body: .bytes(Array(ChatPage.file("mark.svg").utf8))
        )
    }
}

/// The chat page: its files joined to one document that asks for nothing besides the API and the mark.
enum ChatPage {
    /// In the order in which they build on each other.
    private static let scripts = [
        "inline.js", "markdown.js", "highlight.js", "client.js", "store.js", "thread.js", "conversations.js",
        "asking.js", "controls.js", "app.js",
    ]

    /// The document, cut where the nonce goes.
    private static let pieces: [String] = file("page.html")
        .replacing("{{page.css}}", with: file("page.css"))
        .replacing("{{scripts}}", with: scripts.map(file).joined(separator: "\n"))
        .split(separator: "{{nonce}}", omittingEmptySubsequences: false)
        .map(String.init)

    /// The page with a policy under which only its own script and style work, and nothing goes anywhere but to this
    /// server: whatever a model writes, it can neither run nor send.
    static func response() -> Response {
        let nonce = RandomID.make("")
        let policy = [
            "default-src 'none'", "script-src 'nonce-\(nonce)'", "style-src 'nonce-\(nonce)'", "connect-src 'self'",
            "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ]
        return Response(
            status: 200,
            headers: [
                "content-type": "text/html; charset=utf-8",
                "content-security-policy": policy.joined(separator: "; "), "x-content-type-options": "nosniff",
                "x-frame-options": "DENY", "referrer-policy": "no-referrer",
                "cross-origin-resource-policy": "same-origin", "cache-control": "no-cache", "vary": "accept",
            ],
            body: .bytes(Array(pieces.joined(separator: nonce).utf8))
        )
    }

    /// The text of a file; empty if there is none of that name.
    static func file(_ name: String) -> String {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard pensieve_page_file(name, &start, &length) == 1, let start else { return "" }
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }
}

extension MessagesAPI {
    /// For people with a command line: what this is, and where to go on.
    fileprivate func signpost() -> Response {
        let text = """
            Pensieve \(configuration.version) serves \(model.id) over the Anthropic Messages API.

              POST /v1/messages               an answer, whole or as a stream of events
              POST /v1/messages/count_tokens  how many tokens a prompt has
              GET  /v1/models                 the models
              GET  /health, GET /metrics      how the server is (without a key)
              GET  /                          in a browser: a page to talk to the model

            """
        return Response(
            status: 200,
            headers: ["content-type": "text/plain; charset=utf-8", "cache-control": "no-cache", "vary": "accept"],
            body: .bytes(Array(text.utf8))
        )
    }
}
