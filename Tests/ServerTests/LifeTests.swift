import Foundation
import Support
import Testing

/// How the program begins and ends, as a user of the command line sees it.
@Suite struct LifeTests {
    @Test("SIGTERM ends an idle server with status 0", .timeLimit(.minutes(1)))
    func endsInOrder() async throws {
        let server = try ServerProcess(["--mock"])
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(seconds: 10) == 0)
    }

    @Test("SIGTERM lets a running stream finish when there is time", .timeLimit(.minutes(1)))
    func streamFinishes() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "40"])
        let text = try await stream(from: server, endingAfter: 0.3)
        #expect(text.contains("event: message_stop"))
        #expect(try await server.waitForExit(seconds: 10) == 0)
    }

    @Test("SIGTERM ends a stream that takes too long with an error event", .timeLimit(.minutes(1)))
    func streamEnds() async throws {
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "2", "--shutdown-seconds", "0.2"])
        let text = try await stream(from: server, endingAfter: 0.6)
        #expect(text.contains("event: error"))
        #expect(text.contains("overloaded_error"))
        #expect(try await server.waitForExit(seconds: 10) == 0)
    }

    @Test("An idle server uses under one percent of a core", .timeLimit(.minutes(1)))
    func idles() async throws {
        let server = try ServerProcess()
        try await Task.sleep(for: .seconds(1))
        let before = server.cpuSeconds
        try await Task.sleep(for: .seconds(3))
        #expect(server.cpuSeconds - before <= 0.03)
    }

    @Test(
        "A mistake on the command line is explained, with the nearest name",
        arguments: [
            (["start", "--prot", "1"], "'--port'"), (["strat"], "'start'"), (["start", "--port", "x"], "not a number"),
            (["start", "--host", "0.0.0.0"], "--api-key-file"), (["start", "--config", "/no/such"], "cannot read"),
            (["start", "--model", "/no/such"], "/no/such"), (["generate"], "prompt"),
        ]
    )
    func mistakes(_ arguments: [String], _ expected: String) async throws {
        let (status, output) = try run(arguments)
        #expect(status != 0)
        #expect(output.contains(expected), "\(output)")
    }

    @Test("generate answers in the terminal")
    func generates() throws {
        let (status, output) = try run(["generate", "What is 23 + 45?"])
        #expect(status == 0)
        #expect(output.contains("68"), "\(output)")
    }

    @Test("The example configurations are valid", arguments: ["pensieve.json"])
    func examples(_ name: String) throws {
        let (status, output) = try run(["validate", "--config", "Configs/" + name])
        #expect(status == 0, "\(output)")
    }

    @Test("A flag wins over the environment, and that over the file")
    func precedence() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
        try Data(#"{"port": 1, "max_sessions": 9, "mock": true, "kv_memroy": "1G"}"#.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let (status, output) = try run(["validate", "--config", file.path])
        #expect(status == 2)
        #expect(output.contains("'kv_memory'"), "\(output)")
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = ServerProcess.executable
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// Streams a reply with curl's own reading of HTTP replaced by a plain socket, and ends the server meanwhile.
    private func stream(from server: ServerProcess, endingAfter seconds: Double) async throws -> String {
        let socket = try RawSocket(port: server.port)
        let body =
            #"{"model":"m","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"a b c d e f g"}]}"#
        try socket.send(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-api-key-12345\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        )
        try await Task.sleep(for: .seconds(seconds))
        server.signal(SIGTERM)
        return try await socket.readToEnd()
    }
}
