import Foundation
import Support
import Testing

/// `--allow-origin` from the command line to the bytes on the wire.
@Suite struct CrossOriginTests {
    private static let page = "https://page.example"

    /// The head of the response to a request from a page, in lower case.
    private func head(
        _ server: ServerProcess,
        from origin: String,
        _ line: String = "POST /v1/messages",
        fields: String = "",
        body: String = ""
    ) async throws -> String {
        let socket = try RawSocket(port: server.port)
        try socket.send(
            "\(line) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nOrigin: \(origin)\r\n"
                + "Authorization: Bearer test-api-key-12345\r\n\(fields)Connection: close\r\n\r\n" + body
        )
        return await socket.read(until: "\r\n\r\n").lowercased()
    }

    @Test(
        "An allowed page can read errors of the HTTP server itself, once the head is known",
        .timeLimit(.minutes(2))
    )
    func faults() async throws {
        let server = try ServerProcess(["--mock", "--max-body", "1K", "--allow-origin", Self.page])
        let large = try await head(server, from: Self.page, fields: "Content-Length: 9999\r\n")
        #expect(large.hasPrefix("http/1.1 413") && large.contains("access-control-allow-origin: \(Self.page)\r\n"))
        #expect(large.contains("\r\nrequest-id: req_"))
        let foreign = try await head(server, from: "https://other.example", fields: "Content-Length: 9999\r\n")
        #expect(foreign.hasPrefix("http/1.1 403") && !foreign.contains("access-control"))
    }

    @Test("A stream to an allowed page carries the permission in its head", .timeLimit(.minutes(2)))
    func stream() async throws {
        let server = try ServerProcess(["--mock", "--allow-origin", Self.page])
        let body = #"{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"a"}]}"#
        for (origin, passes) in [(Self.page, true), ("http://localhost:3000", true), ("https://other.example", false)] {
            let head = try await head(
                server,
                from: origin,
                fields: "Content-Length: \(body.utf8.count)\r\n",
                body: body
            )
            #expect(head.contains("text/event-stream") == passes, "\(origin)")
            #expect(head.contains("access-control-allow-origin: \(origin)\r\n") == passes, "\(origin)")
        }
    }

    @Test("Origins come from repeated flags, commas and lists, and a mistake is explained", .timeLimit(.minutes(2)))
    func settings() async throws {
        let file = NSTemporaryDirectory() + "origins-\(UUID()).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try #"{"mock": true, "allow_origin": ["https://file.example", "https://two.example:8443"]}"#
            .write(toFile: file, atomically: true, encoding: .utf8)
        let origins = ["https://a.example", "https://b.example", "https://file.example", "https://two.example:8443"]
        func allowed(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> [String] {
            let server = try ServerProcess(arguments, environment: environment)
            var result: [String] = []
            for origin in origins {
                let ask = "Access-Control-Request-Method: POST\r\n"
                let head = try await head(server, from: origin, "OPTIONS /v1/messages", fields: ask)
                #expect(head.hasPrefix("http/1.1 204"))
                if head.contains("access-control-allow-origin: \(origin)\r\n") { result.append(origin) }
            }
            return result
        }
        let (a, b) = (origins[0], origins[1])
        #expect(try await allowed(["--mock", "--allow-origin", a, "--allow-origin=\(b)"]) == [a, b])
        #expect(try await allowed(["--mock"], ["PENSIEVE_ALLOW_ORIGIN": "\(a), \(b)"]) == [a, b])
        #expect(try await allowed(["--config", file]) == Array(origins[2...]))
        #expect(try await allowed(["--config", file, "--allow-origin", b], ["PENSIEVE_ALLOW_ORIGIN": a]) == [b])
        let open = try ServerProcess(["--mock", "--allow-origin", "*"])
        #expect(open.said.contains("every web page"), "all pages without keys are worth a warning")
        let anyone = try await head(open, from: "null", "GET /v1/models")
        #expect(anyone.hasPrefix("http/1.1 200") && anyone.contains("access-control-allow-origin: *\r\n"))
        for wrong in ["page.example", "https://page.example/", "https://*.example", "null", ","] {
            let outcome = try await Program.run(["start", "--mock", "--allow-origin", wrong])
            #expect(outcome.status == 2 && outcome.errors.contains("--allow-origin: "), "\(wrong): \(outcome.errors)")
        }
    }
}
