import HTTPFront
import Testing

@testable import MessagesAPI

/// What web pages of other origins may do, and what their browsers are told.
@Suite("Web pages of elsewhere", .timeLimit(.minutes(1))) struct CrossOriginTests {
    private func api(_ origins: [String] = [], keys: [String] = []) throws -> TestAPI {
        var configuration = APIConfiguration()
        (configuration.allowedOrigins, configuration.apiKeys) = (origins, keys)
        return try TestAPI(answering: Script.bytes("ok"), configuration: configuration)
    }

    private func ask(_ api: TestAPI, from origin: String, key: String, host: String) async throws -> Reply {
        try await api.send(
            "POST",
            "/v1/messages",
            TestAPI.body(),
            headers: ["host": host, "origin": origin, "x-api-key": key]
        )
    }

    @Test("A page may read what its origin is allowed to, and without keys nothing is computed for any other")
    func permissions() async throws {
        struct Attempt {
            var origin: String
            var allowed: [String] = []
            var keys: [String] = []
            var host = "127.0.0.1:7777"
            var status = 200
            /// What access-control-allow-origin says.
            var grant: String?
        }
        let foreign = "https://page.example"
        for attempt in [
            // Without keys: pages of this machine, and the server's own, which need no permission.
            Attempt(origin: "http://localhost:5173", grant: "http://localhost:5173"),
            Attempt(origin: "https://localhost", grant: "https://localhost"),
            Attempt(origin: "http://127.0.0.1:1", grant: "http://127.0.0.1:1"),
            Attempt(origin: "http://127.8.9.1", grant: "http://127.8.9.1"),
            Attempt(origin: "http://[::1]:8000", grant: "http://[::1]:8000"),
            Attempt(origin: "http://127.0.0.1:7777"), Attempt(origin: "http://localhost:7777", host: "LOCALHOST:7777"),
            // Nobody else.
            Attempt(origin: foreign, status: 403), Attempt(origin: "null", status: 403),
            Attempt(origin: "http://localhost.page.example", status: 403),
            Attempt(origin: "http://127.0.0.1.page.example", status: 403),
            Attempt(origin: "http://127.0.0.1@page.example", status: 403), Attempt(origin: "", status: 403),
            Attempt(origin: "ftp://localhost", status: 403), Attempt(origin: "https://llm.example", status: 403),
            Attempt(origin: "chrome-extension://abcdef", status: 403),
            // Those that are named, and no others.
            Attempt(origin: foreign, allowed: [foreign], grant: foreign),
            Attempt(origin: foreign, allowed: ["HTTPS://Page.Example:443"], grant: foreign),
            Attempt(origin: "https://page.example:8443", allowed: [foreign], status: 403),
            Attempt(origin: "http://page.example", allowed: [foreign], status: 403),
            Attempt(origin: "https://sub.page.example", allowed: [foreign], status: 403),
            Attempt(
                origin: "chrome-extension://abcdef",
                allowed: ["chrome-extension://abcdef"],
                grant: "chrome-extension://abcdef"
            ),
            Attempt(origin: foreign, allowed: ["*"], grant: "*"), Attempt(origin: "null", allowed: ["*"], grant: "*"),
            // With keys the key decides; the browser is told nothing, and keeps the answer from the page.
            Attempt(
                origin: "https://llm.example",
                allowed: ["https://llm.example"],
                keys: ["k"],
                host: "llm.example:443"
            ),
            Attempt(origin: foreign, keys: ["k"]), Attempt(origin: "http://localhost:5173", keys: ["k"]),
            Attempt(origin: foreign, allowed: [foreign], keys: ["k"], grant: foreign),
        ] {
            let api = try api(attempt.allowed, keys: attempt.keys)
            let key = attempt.keys.first ?? "test-api-key-12345"
            let reply = try await ask(api, from: attempt.origin, key: key, host: attempt.host)
            #expect(reply.status == attempt.status, "\(attempt)")
            #expect(reply.headers[first: "access-control-allow-origin"] == attempt.grant, "\(attempt)")
            #expect(reply.headers.values("vary").contains("origin"), "\(attempt)")
            let exposed = reply.headers[first: "access-control-expose-headers"]
            #expect((exposed?.contains("request-id") == true) == (attempt.grant != nil), "\(attempt)")
            guard attempt.status == 403 else { continue }
            #expect(try reply.errorType() == "permission_error" && reply.errorMessage.contains("--allow-origin"))
        }
    }

    @Test("Two origins in one request are none")
    func twoOrigins() async throws {
        var headers: Headers = ["origin": "http://localhost:1", "x-api-key": "test-api-key-12345", "host": "localhost"]
        headers.add("origin", "https://page.example")
        let reply = try await api().send("POST", "/v1/messages", TestAPI.body(), headers: headers)
        #expect(reply.status == 403 && reply.headers[first: "access-control-allow-origin"] == nil)
    }

    @Test("An allowed page may read errors and streams as well")
    func errorsAndStreams() async throws {
        let origin = "https://page.example"
        let api = try api([origin], keys: ["right"])
        func reply(_ method: String, _ path: String, _ body: String, key: String = "right") async throws -> Reply {
            try await api.send(method, path, body, headers: ["origin": origin, "x-api-key": key])
        }
        for (reply, status) in [
            (try await reply("POST", "/v1/messages", TestAPI.body(), key: "wrong"), 401),
            (try await reply("POST", "/v1/messages", "{}"), 400), (try await reply("GET", "/v1/nothing", ""), 404),
            (try await reply("GET", "/v1/messages", ""), 405), (try await reply("GET", "/health", ""), 200),
            (try await reply("POST", "/v1/messages", TestAPI.body(#","stream":true"#)), 200),
        ] {
            #expect(reply.status == status)
            #expect(reply.headers[first: "access-control-allow-origin"] == origin, "\(status)")
        }
        let headers: Headers = ["origin": origin, "x-api-key": "right"]
        let admission = api.api.admit(RequestHead(method: "POST", target: "/v1/messages", headers: headers))
        guard case .accepted(let request) = admission else {
            Issue.record("\(admission)")
            return
        }
        let fault = request.response(to: .bodyTooLarge(limit: 9))
        #expect((fault.record as? RequestRecord)?.facts.route == "/v1/messages")
        #expect(fault.status == 413 && fault.headers[first: "access-control-allow-origin"] == origin)
    }

    @Test("A browser that asks first learns what its page may send, without a key")
    func preflight() async throws {
        let asked = "authorization,content-type, x-stainless-helper-method"
        func reply(_ origins: [String], _ path: String, _ headers: Headers) async throws -> Reply {
            var headers = headers
            headers.set("origin", "https://page.example")
            return try await api(origins, keys: ["k"]).send("OPTIONS", path, headers: headers)
        }
        let method = ["access-control-request-method": "POST", "access-control-request-headers": asked]
        var headers = Headers()
        for (name, value) in method { headers.add(name, value) }
        let allowed = try await reply(["https://page.example"], "/v1/messages", headers)
        #expect(allowed.status == 204 && allowed.body.isEmpty)
        #expect(allowed.headers[first: "access-control-allow-origin"] == "https://page.example")
        #expect(allowed.headers[first: "access-control-allow-methods"] == "OPTIONS, POST")
        #expect(
            allowed.headers[first: "access-control-allow-headers"]
                == "authorization, content-type, x-stainless-helper-method"
        )
        #expect(allowed.headers[first: "access-control-max-age"] == "7200")
        #expect(allowed.headers[first: "access-control-allow-private-network"] == nil)
        #expect(allowed.headers.values("vary").joined(separator: ", ").contains("access-control-request-headers"))

        headers.set("access-control-request-private-network", "true")
        headers.set("access-control-request-headers", "x-api-key, bad name\u{7F}, <b>")
        let near = try await reply(["*"], "/v1/models", headers)
        #expect(near.headers[first: "access-control-allow-origin"] == "*")
        #expect(near.headers[first: "access-control-allow-private-network"] == "true")
        #expect(near.headers[first: "access-control-allow-methods"] == "GET, HEAD, OPTIONS")
        #expect(near.headers[first: "access-control-allow-headers"] == "x-api-key")
        headers.remove("access-control-request-headers")
        let usual = try await reply(["*"], "/v1/messages", headers).headers[first: "access-control-allow-headers"]
        for name in ["authorization", "x-api-key", "anthropic-version", "anthropic-dangerous-direct-browser-access"] {
            #expect(usual?.contains(name) == true)
        }

        for origins in [[], ["https://other.example"]] {
            let refused = try await reply(origins, "/v1/messages", headers)
            #expect(refused.status == 204 && refused.headers[first: "allow"] == "OPTIONS, POST")
            for name in ["origin", "methods", "headers", "private-network"] {
                #expect(refused.headers[first: "access-control-allow-" + name] == nil, "\(name)")
            }
        }
    }

    @Test(
        "Origins are what browsers send, and nothing else",
        arguments: [
            ("https://a.example", "https://a.example"), ("HTTP://A.Example:80", "http://a.example"),
            ("https://a.example:443", "https://a.example"), ("https://a.example:80", "https://a.example:80"),
            ("http://[::1]:7777", "http://[::1]:7777"), ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("vscode-webview://1a-2b", "vscode-webview://1a-2b"), ("tauri://localhost", "tauri://localhost"),
            ("https://a.example/", nil), ("https://a.example/path", nil), ("a.example", nil), ("https://", nil),
            ("https://a.example:", nil), ("https://a.example:x", nil), ("https://a.example:0", nil),
            ("https://a.example:65536", nil), ("https://a.example:+1", nil), ("https://u@a.example", nil),
            ("https://a b", nil), ("https://*.example", nil), ("https://bücher.example", nil), ("http://[::1", nil),
            ("http://[]", nil), ("null", nil), ("", nil), ("://a", nil), ("1a://b", nil),
        ] as [(String, String?)]
    )
    func origins(_ text: String, _ normal: String?) {
        #expect(WebOrigin(text)?.description == normal)
    }
}
