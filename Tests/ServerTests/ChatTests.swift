import Foundation
import Support
import Testing

/// `pensieve chat` and `pensieve status`, as users and scripts use them.
@Suite struct ChatTests {
    private static let script = Bundle.module.bundleURL.appendingPathComponent("Python/chat.py")

    /// Pipes lines into the program.
    private func chat(
        _ lines: [String],
        _ arguments: String = "",
        environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        let text = lines.map { $0 + "\n" }.joined()
        let command = "printf '%s' \"$TURNS\" | '\(ServerProcess.executable.path)' chat \(arguments)"
        return try await Program.run(
            ["-c", command],
            environment: environment.merging(["TURNS": text]) { $1 },
            executable: URL(fileURLWithPath: "/bin/sh")
        )
    }

    // MARK: Pipes

    @Test("Lines from a pipe are the turns of a conversation, and only answers are printed", .timeLimit(.minutes(2)))
    func pipe() async throws {
        let outcome = try await chat(["What is 23 + 45?", "", "My name is Ada.", "What is my name?"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        try #require(lines.count == 3, "\(outcome.output)")
        #expect(lines[0].contains("68") && lines[2].contains("Ada"), "\(lines)")
    }

    @Test("A server gets the whole conversation, and /reset forgets it", .timeLimit(.minutes(2)))
    func server() async throws {
        let server = try ServerProcess()
        let outcome = try await chat(
            ["My name is Ada.", "What is my name?", "/reset", "What is my name?"],
            "--url \(server.address) --max-tokens 40 --temperature 0"
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        try #require(lines.count == 3, "\(outcome.output)")
        #expect(lines[1].contains("Ada") && !lines[2].contains("Ada"), "\(lines)")
        #expect(outcome.errors.contains("begins anew"))
    }

    @Test("Several lines make one turn with a backslash or between fences", .timeLimit(.minutes(2)))
    func severalLines() async throws {
        let mock = ["PENSIEVE_MOCK": "1", "PENSIEVE_MOCK_TOKENS_PER_SECOND": "1000"]
        let outcome = try await chat(["one\\", "two", "\"\"\"", "three", "four\"\"\""], environment: mock)
        #expect(
            outcome.output == "Mock response to: one\ntwo\nMock response to: three\nfour\n",
            "\(outcome.output) \(outcome.errors)"
        )
    }

    @Test("A key is sent to a server that requires one, and a wrong one is explained", .timeLimit(.minutes(2)))
    func keys() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("keys").path
        try Data("alpha-1\n".utf8).write(to: URL(fileURLWithPath: path))
        let server = try ServerProcess(["--mock", "--mock-tokens-per-second", "1000", "--api-key-file", path])
        let url = "--url \(server.address)"
        for (arguments, environment, passes) in [
            ("\(url) --api-key-file '\(path)'", [:], true), (url, ["PENSIEVE_API_KEY": "alpha-1"], true),
            (url, ["PENSIEVE_API_KEY": "beta"], false), (url, [:], false),
        ] {
            let outcome = try await chat(["Hello"], arguments, environment: environment)
            #expect((outcome.status == 0) == passes, "\(outcome.errors)")
            #expect(outcome.output == (passes ? "Mock response to: Hello\n" : ""))
            #expect(passes || outcome.errors.contains("--api-key-file FILE, or PENSIEVE_API_KEY"), "\(outcome.errors)")
        }
        // A server does not read the variable, and warns if it is set.
        let start = try await Program.run(
            ["start", "--mock", "--port", "\(server.port)"],
            environment: ["PENSIEVE_API_KEY": "alpha-1"]
        )
        #expect(start.errors.contains("PENSIEVE_API_KEY is what chat and status show"), "\(start.errors)")
    }

    @Test(
        "Contradictory arguments are explained",
        arguments: [
            ("--url https://127.0.0.1", "https is not supported"),
            ("--url http://127.0.0.1:1", "is the server running?"),
            ("--url http://no-such-host.invalid", "cannot resolve no-such-host.invalid"),
            ("--url http://127.0.0.1:7777 --threads 2", "--threads and --url exclude each other"),
            ("--api-key-file x", "name it with --url"), ("--max-tokens 0", "whole number from 1"),
            ("a/b --model c/d", "Leave one of them out"), ("phi3", "ORG/NAME"),
        ]
    )
    func mistakes(_ arguments: String, _ expected: String) async throws {
        let outcome = try await chat(["Hello"], arguments)
        #expect(outcome.status != 0 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("pensieve: ") && outcome.errors.contains(expected), "\(outcome.errors)")
    }

    // MARK: Terminals

    @Test(
        "In a terminal: keys, several lines, the cache, and Ctrl-C, which interrupts an answer but not the program",
        .timeLimit(.minutes(3)),
        arguments: [
            "editing", "history", "paste", "commands", "cache", "interrupt", "interrupt_server", "prompt",
            "typed_ahead",
            "dumb", "terminated", "hostile",
        ]
    )
    func terminal(_ name: String) async throws {
        let (status, output) = try await Python.run(Self.script, [name, ServerProcess.executable.path])
        #expect(status == 0, "\(output)")
    }

    // MARK: status

    @Test("status shows a running server, as text and as JSON", .timeLimit(.minutes(2)))
    func status() async throws {
        let server = try ServerProcess(["--kv-memory", "64M"])
        #expect(try await chat(["What is 23 + 45?"], "--url \(server.address)").status == 0)
        let shown = try await Program.run(["status", "--url", server.address])
        #expect(shown.status == 0, "\(shown.errors)")
        for part in [
            "at \(server.address) runs", "pensieve-builtin", "0 running, 0 waiting", "tokens per second", "blocks",
            "of the machine's", "so far      1 answer, ",
        ] { #expect(shown.output.contains(part), "\(part) in \(shown.output)") }
        let json = try await Program.run(["status", "--json", "--url", server.address])
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["model"] as? String == "pensieve-builtin")
        let totals = try #require(object?["totals"] as? [String: Int])
        #expect(totals["prompt_tokens"] ?? 0 > 5 && totals["generated_tokens"] ?? 0 > 1)
    }

    @Test("Without a server, or with another program's, status says so and fails", .timeLimit(.minutes(2)))
    func noServer() async throws {
        let nobody = try await Program.run(["status", "--url", "http://127.0.0.1:1"])
        #expect(nobody.status == 1 && nobody.errors.contains("there is no server at http://127.0.0.1:1"))
        #expect(nobody.errors.contains("pensieve start"))
        let other = try await Program.run(["status", "--url", HubServer.shared.get().endpoint])
        #expect(other.status == 1 && other.errors.contains("is no Pensieve server"), "\(other.errors)")
    }
}
