import Foundation
import HTTPFront
import Testing

@testable import MessagesAPI

/// The page at `/`, as bytes; a browser looks at it in ServerTests.
@Suite("The chat page", .timeLimit(.minutes(1))) struct ChatPageTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    private func get(_ target: String, accept: String?) async throws -> Reply {
        var configuration = APIConfiguration()
        configuration.apiKeys = ["a-key"]
        let api = try TestAPI(answering: [], configuration: configuration)
        // From elsewhere and without a key: the page holds no secret.
        return try await api.send("GET", target, headers: accept.map { ["accept": $0] } ?? [:], isLoopback: false)
    }

    @Test("A browser gets one document that needs nothing else")
    func document() async throws {
        let page = try await get("/", accept: Self.browser)
        #expect(page.status == 200 && page.headers[first: "content-type"] == "text/html; charset=utf-8")
        #expect(page.body.hasPrefix("<!doctype html>") && page.body.contains("</html>"))
        #expect(!page.body.contains("{{"), "a place that was to be filled in is left")
        // Every file is in it.
        for part in [
            "--accent:", "const Markdown", "const Highlight", "class EventReader", "const Store", "class MessageView",
        ] {
            #expect(page.body.contains(part), "\(part)")
        }
        // Nothing is loaded from anywhere: no address but those of namespaces, none in an attribute or a style.
        for address in page.body.matches(of: /https?:\/\/[\w.]+/).map({ String($0.output) }) {
            #expect(address == "http://www.w3.org", "\(address)")
        }
        #expect(page.body.firstMatch(of: /url\(|@import|\ssrc=|\bimport\(/) == nil)
        let links = page.body.matches(of: /<link [^>]*href="([^"]*)"/).map { String($0.output.1) }
        #expect(links == ["favicon.ico"])
    }

    @Test("Only the page's own script runs, and a model's text never becomes markup")
    func policy() async throws {
        let pages = [try await get("/", accept: Self.browser), try await get("/", accept: "text/html")]
        var nonces: Set<String> = []
        for page in pages {
            let policy = try #require(page.headers[first: "content-security-policy"])
            let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9A-Za-z]{20,})'/)).output.1
            nonces.insert(String(nonce))
            for part in [
                "default-src 'none'", "style-src 'nonce-\(nonce)'", "connect-src 'self'", "base-uri 'none'",
                "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
            ] { #expect(policy.contains(part), "\(part)") }
            #expect(!policy.contains("unsafe"))
            let elements = page.body.matches(of: /<(script|style)\b[^>]*>/).map(\.output.0)
            #expect(elements.count >= 2 && elements.allSatisfy { $0.contains("nonce=\"\(nonce)\"") })
            #expect(page.headers[first: "x-content-type-options"] == "nosniff")
            #expect(page.headers[first: "referrer-policy"] == "no-referrer")
            #expect(page.headers[first: "x-frame-options"] == "DENY")
        }
        #expect(nonces.count == 2, "a nonce is used once")
        let body = pages[0].body
        #expect(body.firstMatch(of: /\son[a-z]+="/) == nil, "a handler in an attribute")
        #expect(
            body.firstMatch(of: /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/) == nil
        )
        #expect(body.firstMatch(of: /<[a-z][^>]*\sstyle="/) == nil, "a style in an attribute")
    }

    @Test("Whatever is no browser gets a few words", arguments: [nil, "*/*", "application/json", "text/plain"])
    func signpost(_ accept: String?) async throws {
        let reply = try await get("/", accept: accept)
        #expect(reply.status == 200 && reply.headers[first: "content-type"] == "text/plain; charset=utf-8")
        #expect(reply.body.contains("test/model") && reply.body.contains("POST /v1/messages"))
        #expect(reply.headers[first: "vary"] == "accept" && !reply.body.contains("<"))
    }

    @Test("The mark is there under the name that browsers ask for")
    func favicon() async throws {
        let mark = try await get("/favicon.ico", accept: "image/*")
        #expect(mark.status == 200 && mark.headers[first: "content-type"] == "image/svg+xml")
        #expect(mark.body.hasPrefix("<svg") && mark.headers[first: "x-content-type-options"] == "nosniff")
    }
}
