import Support
import Testing

@testable import HTTPFront

/// The events of an input that arrives in pieces.
private func events(_ pieces: some Sequence<some Collection<UInt8>>, limits: Limits = Limits())
    -> [RequestParser.Event]
{
    var parser = RequestParser(limits: limits)
    var events: [RequestParser.Event] = []
    for piece in pieces {
        parser.append(piece)
        loop: while true {
            let event = parser.next()
            switch event {
            case .needsMore: break loop
            case .fault:
                events.append(event)
                return events
            case .head, .body: events.append(event)
            }
        }
    }
    return events
}

private func fault(_ text: String, limits: Limits = Limits()) -> HTTPFault? {
    guard case .fault(let fault) = events([Array(text.utf8)], limits: limits).last else { return nil }
    return fault
}

private func status(_ text: String, limits: Limits = Limits()) -> Int? { fault(text, limits: limits)?.status }

private let host = "Host: localhost\r\n"

/// Three requests in a row: with a length, chunked with extensions and trailers, and without a body.
private let conversation = """
    POST /v1/messages?beta=true HTTP/1.1\r
    Host: localhost:7777\r
    X-Repeated: one\r
    x-repeated:\ttwo \t\r
    Content-Length: 11\r
    \r
    hello world\r
    POST http://localhost/a/b?c HTTP/1.1\r
    host:[::1]:80\r
    Transfer-Encoding: Chunked\r
    Expect: 100-continue\r
    \r
    5;name="va;lue"\r
    he\r
    o\r
    00A \t;x\r
    0123456789\r
    0\r
    Trailer: dropped\r
    \r
    OPTIONS * HTTP/1.0\r
    Connection: foo, Keep-Alive\r
    \r

    """.replacingLineFeeds

extension String {
    /// Multi-line literals contain bare line feeds, which requests must not.
    fileprivate var replacingLineFeeds: String {
        var text = ""
        var last: Unicode.Scalar = "\n"
        for scalar in unicodeScalars {
            if scalar == "\n", last != "\r" { continue }
            text.unicodeScalars.append(scalar)
            last = scalar
        }
        return text
    }
}

@Suite("The request parser") struct RequestParserTests {
    @Test("reads lengths, chunks, targets and fields")
    func readsConversation() throws {
        let all = events([Array(conversation.utf8)])
        guard all.count == 6, case .head(let first) = all[0], case .body(let firstBody) = all[1],
            case .head(let second) = all[2], case .body(let secondBody) = all[3],
            case .head(let third) = all[4], case .body(let thirdBody) = all[5]
        else {
            Issue.record("unexpected events \(all)")
            return
        }
        #expect(first.line.method == "POST" && first.line.target == "/v1/messages?beta=true")
        #expect(first.headers.values("X-REPEATED") == ["one", "two"])
        #expect(first.framing == .length(11) && first.keepsAlive && !first.expectsContinue)
        #expect(firstBody == Array("hello world".utf8))
        #expect(second.framing == .chunked && second.expectsContinue)
        #expect(secondBody == Array("he\r\no0123456789".utf8))
        #expect(third.line.target == "*" && third.line.minorVersion == 0 && third.keepsAlive)
        #expect(thirdBody.isEmpty)
    }

    @Test("gives the same events for input cut in two anywhere, and byte by byte")
    func splits() {
        let bytes = Array(conversation.utf8)
        let whole = events([bytes])
        #expect(whole.count == 6)
        for cut in 0...bytes.count {
            #expect(events([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
        }
        #expect(events(bytes.map { [$0] }) == whole)
    }

    @Test(
        "refuses what is malformed",
        arguments: [
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\(host)\(host)\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: user@host\r\n\r\n",
            "GET /\r\n\(host)\r\n", "GET  / HTTP/1.1\r\n\(host)\r\n", " GET / HTTP/1.1\r\n\(host)\r\n",
            "GET / HTTP/1.1 \r\n\(host)\r\n", "GET / http/1.1\r\n\(host)\r\n", "GET / HTTP/1.\r\n\(host)\r\n",
            "GET / HTTP/1.10\r\n\(host)\r\n", "GET\t/ HTTP/1.1\r\n\(host)\r\n", "G(T / HTTP/1.1\r\n\(host)\r\n",
            "GET x HTTP/1.1\r\n\(host)\r\n", "GET * HTTP/1.1\r\n\(host)\r\n", "GET /a#b HTTP/1.1\r\n\(host)\r\n",
            "GET /\u{7F} HTTP/1.1\r\n\(host)\r\n", "GET /é HTTP/1.1\r\n\(host)\r\n",
            "GET http:///x HTTP/1.1\r\n\(host)\r\n", "CONNECT localhost:80 HTTP/1.1\r\n\(host)\r\n",
            "GET / HTTP/1.1\n\(host)\r\n", "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
            "GET / HTTP/1.1\r\(host)\r\n", "GET / HTTP/1.1\rHost", "\r\n\r\n\r\n\r\n\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)a: b\rc\r\n\r\n", "GET / HTTP/1.1\r\n\(host)a: \u{0}\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)a: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\n a: b\r\n\(host)\r\n",
            "GET / HTTP/1.1\r\n\(host)a : b\r\n\r\n", "GET / HTTP/1.1\r\n\(host)a b: c\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host): b\r\n\r\n", "GET / HTTP/1.1\r\n\(host)nocolon\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1, 1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length:\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 0x1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1 2\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: identity\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
    )
    func refusesMalformedHeads(_ text: String) {
        #expect(status(text) == 400)
    }

    @Test(
        "refuses malformed chunks",
        arguments: [
            "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r", "1;\u{1}\r\n", ";a\r\n",
            "1\r\nab\r\n", "1\r\na\n", "1\r\n\r\n\r\n", "1111111111111111\r\n", "0\r\nbad trailer\r\n",
            "0\r\n folded: x\r\n", "0\r\nA: b\n", "1;\(String(repeating: "x", count: 1100))",
        ]
    )
    func refusesMalformedChunks(_ chunks: String) {
        let head = "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n"
        #expect(status(head + chunks + (chunks == "1\r" ? "x\n" : "")) == 400)
    }

    @Test("reports what is too large or not supported")
    func limits() {
        var small = Limits()
        (small.maxRequestLineBytes, small.maxHeaderBytes, small.maxHeaderFields, small.maxBodyBytes) = (40, 60, 3, 9)
        func head(_ fields: String) -> String { "POST / HTTP/1.1\r\n" + fields + "\r\n" }
        #expect(fault("GET /" + String(repeating: "a", count: 26) + " HTTP/1.1\r\n", limits: small) == nil)
        #expect(status("GET /" + String(repeating: "a", count: 27) + " HTTP/1.1\r\n", limits: small) == 414)
        #expect(status(String(repeating: "a", count: 50), limits: small) == 414)
        #expect(status(head(host + "a: " + String(repeating: "b", count: 38) + "\r\n"), limits: small) == nil)
        #expect(status(head(host + "a: " + String(repeating: "b", count: 39) + "\r\n"), limits: small) == 431)
        #expect(status("GET / HTTP/1.1\r\n" + String(repeating: "a", count: 70), limits: small) == 431)
        #expect(status(head("a:\r\na:\r\na:\r\na:\r\n"), limits: small) == 431)
        #expect(status(head(host + "Content-Length: 9\r\n"), limits: small) == nil)
        #expect(fault(head(host + "Content-Length: 10\r\n"), limits: small) == .bodyTooLarge(limit: 9))
        #expect(status(head(host + "Content-Length: 99999999999999999999\r\n"), limits: small) == 413)
        let chunked = head(host + "Transfer-Encoding: chunked\r\n")
        #expect(status(chunked + "5\r\nhello\r\n4\r\n1234\r\n0\r\n\r\n", limits: small) == nil)
        #expect(status(chunked + "5\r\nhello\r\n5\r\n", limits: small) == 413)
        #expect(status(chunked + "0\r\nTrailer: too long\r\n", limits: small) == 431)
        #expect(fault("GET / HTTP/2.0\r\n") == .versionNotSupported)
        #expect(status("GET / HTTP/1.2\r\n\(host)\r\n") == nil)
        #expect(fault(head(host + "Transfer-Encoding: gzip\r\n")) == .unsupportedTransferCoding("gzip"))
    }

    @Test("reports the head before it refuses the announced body")
    func headPrecedesBodyFault() {
        let all = events([Array("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999\r\n\r\n".utf8)])
        #expect(all.count == 2)
        guard case .head = all.first else {
            Issue.record("no head: \(all)")
            return
        }
    }

    @Test("survives thousands of mutated inputs within its bounds")
    func mutations() {
        var random = SeededGenerator(seed: 42)
        var limits = Limits()
        limits.maxBodyBytes = 64
        let original = Array(conversation.utf8)
        let replacements = Array("\r\n :;,0fF9\t\u{0}\u{7F}HTTP/1.Content-Length: 5\r\n".utf8) + [0xFF, 0x80]
        for _ in 0..<4000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let byte = replacements[Int.random(in: 0..<replacements.count, using: &random)]
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2: bytes.remove(at: place)
                default:
                    let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
                    bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            let whole = events([bytes], limits: limits)
            for case .body(let body) in whole { #expect(body.count <= limits.maxBodyBytes) }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            // With input that is cut a fault may be reported earlier, but never a different one.
            #expect(events([bytes[..<cut], bytes[cut...]], limits: limits) == whole)
        }
    }

    @Test("splits targets into path and query")
    func targets() {
        let cases: [(String, String, String?)] = [
            ("/", "/", nil), ("/a%20b?x=1?y", "/a%20b", "x=1?y"), ("*", "*", nil), ("http://h:1", "/", nil),
            ("HTTPS://h/p/q?", "/p/q", ""), ("http://h?q", "/", "q"), ("//double", "//double", nil),
        ]
        for (target, path, query) in cases {
            let head = RequestHead(method: "GET", target: target)
            #expect(head.path == path && head.query == query, "\(target)")
        }
    }
}
