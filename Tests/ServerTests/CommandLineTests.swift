import Foundation
import Support
import Testing

@testable import pensieve

/// Command line, configuration and key file, from a user's point of view.
@Suite struct CommandLineTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func file(_ name: String, _ text: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    private func removeFiles() { try? FileManager.default.removeItem(at: folder) }

    @Test(
        "A mistake on the command line is explained, with the nearest name",
        arguments: [
            (["start", "--prot", "1"], "'--port'"), (["strat"], "'start'"), (["help", "strat"], "'start'"),
            (["start", "-port", "1"], "'--port'"), (["start", "--port", "x"], "not a number"),
            (["start", "--port", "0x50"], "not a number"), (["start", "--port", "65536"], "outside 0 to 65535"),
            (["start", "--port"], "needs a value"), (["start", "--model", "--mock"], "--model needs a value"),
            (["start", "--kv-memory", "4Q"], "size such as"),
            (["start", "--kv-type", "int4"], "none of f32, f16, bf16, int8"),
            (["start", "--kv-memory", "1"], "outside 1 MiB to 16 TiB"),
            (["start", "--mock=maybe"], "neither true nor false"),
            (["start", "--host", "0.0.0.0"], "--api-key-file"), (["start", "--host", "[::]"], "--api-key-file"),
            (["start", "--config", "/no/such"], "no such file"), (["start", "--config", "/"], "a folder"),
            (["start", "--model", "/no/such"], "/no/such"), (["generate"], "prompt"),
            (["generate", " \n"], "the prompt is empty"),
            (["generate", "--max-tokens", "1.5", "x"], "whole number"), (["validate"], "which file?"),
            (["bench", "--decode", "1,,4"], "'' is no whole number"), (["bench", "--context", "16"], "do not fit"),
            (["bench", "--speculation", "off"], "unknown flag"),
            (["start", "a/b", "--model", "c/d"], "'a/b' or --model 'c/d'"), (["start", "a", "b"], "takes one"),
        ]
    )
    func mistakes(_ arguments: [String], _ expected: String) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status != 0)
        #expect(outcome.errors.hasPrefix("pensieve: ") && outcome.errors.contains(expected), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    @Test(
        "For flags of other programs ours are suggested, and every unknown name leads to a help page",
        arguments: [
            (["serve"], "'start'"), (["run"], "'chat' talks to one"), (["ls"], "'models'"), (["list"], "'models'"),
            (["ps"], "'status'"), (["rm"], "'remove'"), (["download"], "'pull'"), (["show"], "'inspect'"),
            (["help", "serve"], "'start'"), (["xyzzy-plugh"], "pensieve --help lists the commands"),
            (["org/name"], "pensieve start org/name"), (["--port", "1"], "a command comes before its flags"),
            (["start", "--api-key", "x"], "'--api-key-file FILE'"), (["start", "--ctx-size", "9"], "'--context'"),
            (["start", "-c", "9"], "'--context'"), (["start", "--ctx", "9"], "'--context'"),
            (["start", "--max-model-len=9"], "'--context'"), (["start", "-m", "x"], "'--model'"),
            (["start", "--stream"], "\"stream\": true"), (["start", "-ngl", "99"], "on the CPU"),
            (["start", "--n-gpu-layers", "99"], "on the CPU"), (["start", "-t", "2"], "'--threads'"),
            (["start", "-p", "80"], "'--port'"), (["generate", "-p", "Hi"], "the prompt stands alone"),
            (["generate", "-n", "9", "x"], "'--max-tokens'"), (["chat", "--base-url", "x"], "'--url'"),
            (["start", "--xyzzy"], "pensieve start --help lists the flags"),
            (["chat", "--xyzzy"], "pensieve chat --help lists the flags"),
            (["pull", "--xyzzy"], "pensieve pull --help lists the flags"),
            (["start", "-z"], "unknown flag '-z'; pensieve start --help"),
        ]
    )
    func otherNames(_ arguments: [String], _ expected: String) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        #expect(
            outcome.errors.hasPrefix("pensieve: unknown ") && outcome.errors.contains(expected),
            "\(outcome.errors)"
        )
        #expect(outcome.errors.contains("--help lists"), "\(outcome.errors)")
    }

    @Test("A positional argument of start is the model, and an unknown name is explained", .timeLimit(.minutes(2)))
    func bareModel() async throws {
        for arguments in [["start", "phi3"], ["start", "--model", "phi3"], ["generate", "--model", "phi3", "Hi"]] {
            let outcome = try await Program.run(arguments)
            #expect(outcome.status == 1, "\(outcome.errors)")
            for part in ["'phi3'", "ORG/NAME", "its folder", ".gguf"] {
                #expect(outcome.errors.contains(part), "\(part) in \(outcome.errors)")
            }
        }
        let missing = try await Program.run(["start", "./no-such.gguf"])
        #expect(missing.status == 1 && missing.errors.contains("there is no file or folder ./no-such.gguf"))
        // Like a flag, it overrides the environment.
        let folder = folder.path
        defer { removeFiles() }
        let chosen = try await Program.run(["start", folder], environment: ["PENSIEVE_MODEL": "/no/such"])
        #expect(chosen.status != 0 && chosen.errors.contains(folder) && !chosen.errors.contains("/no/such"))
    }

    @Test("Each command's help fits a terminal of 80 columns and has examples", arguments: Command.names)
    func help(_ command: String) async throws {
        let outcome = try await Program.run(command == "help" ? ["--help"] : [command, "--help"])
        #expect(outcome.status == 0 && outcome.output.contains("usage: pensieve"))
        let wide = outcome.output.split(separator: "\n").filter { $0.count > 80 }
        #expect(wide.isEmpty, "\(wide)")
        if command != "help" {
            #expect(outcome.output.contains("\nexamples:\n  pensieve \(command)"), "\(outcome.output)")
        } else {
            for name in Command.names { #expect(outcome.output.contains("\n  \(name) "), "\(name)") }
        }
    }

    // MARK: Configuration

    /// Each source of settings names a loopback address of its own: the banner shows which of them is used.
    @Test(
        "A flag overrides the environment, which overrides the file, which overrides the default",
        .timeLimit(.minutes(2))
    )
    func precedence() throws {
        defer { removeFiles() }
        let config = try file("a.json", #"{"host": "127.0.0.2", "mock": true}"#)
        let other = try file("b.json", #"{"host": "127.0.0.5", "mock": true}"#)
        func host(_ arguments: [String], _ environment: [String: String]) throws -> String {
            let address = try ServerProcess(arguments, environment: environment).address
            return String(address.dropFirst("http://".count).prefix { $0 != ":" })
        }
        let variable = ["PENSIEVE_HOST": "127.0.0.3"]
        #expect(try host(["--mock"], ["PENSIEVE_HOST": ""]) == "127.0.0.1")
        #expect(try host(["--config", config], [:]) == "127.0.0.2")
        #expect(try host(["--config", config], variable) == "127.0.0.3")
        #expect(try host(["--config", config, "--host", "127.0.0.4"], variable) == "127.0.0.4")
        #expect(try host([], ["PENSIEVE_CONFIG": config]) == "127.0.0.2")
        #expect(try host(["--config", other], ["PENSIEVE_CONFIG": config]) == "127.0.0.5")
    }

    @Test(
        "A mistake in a configuration file is explained, with its position",
        arguments: [
            (#"{"kv_memroy": "1G"}"#, "'kv_memory'"), (#"{"kv-memory": "1G"}"#, "'kv_memory'"),
            (#"{"port": "80"}"#, "port: must be a whole number"), (#"{"port": 1.5}"#, "port: must be a whole number"),
            (#"{"port": null}"#, "port: must be"), (#"{"mock": 1}"#, "mock: must be true or false"),
            (#"{"speculation": "maybe"}"#, "speculation: must be true or false"),
            ("[1]", "one JSON object"),
            ("{\n\"port\": 1,\n\"host\": x\n}", "line 3"), ("", "empty"), (#"{"host": "0.0.0.0"}"#, "--api-key-file"),
            (#"{"model": "/no/such"}"#, "/no/such: No such file"),
            ("{\n  // the port\n  \"port\": 1\n}", "line 2: JSON has no comments"),
            ("{\n  \"host\": \"http://x\",\n  \"port\": 1 # ours\n}", "line 3: JSON has no comments"),
            ("{\n  \"port\": 1\n}\n// ours", "line 4: JSON has no comments"),
            ("{\n  \"port\": 1,\n}", "line 3: a comma behind the last entry"),
            ("{\n  \"port\": 1,,\n  \"host\": \"x\"\n}", "line 2: two commas in a row"),
            ("{'port': 1}", "line 1: a text stands in double quotes"),
            (#"{"ctx_size": 9}"#, "'context'"), (#"{"api_key": "x"}"#, "'api_key_file'"),
            (#"{"xyzzy": 1}"#, "unknown key 'xyzzy'; pensieve start --help"),
            (#"{"api_key_file": "/no/such"}"#, "no such file"),
        ]
    )
    func configurationMistakes(_ text: String, _ expected: String) async throws {
        defer { removeFiles() }
        let outcome = try await Program.run(["validate", "--config", try file("c.json", text)])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    }

    @Test("A mistyped variable is a warning, a wrong value an error")
    func variables() async throws {
        let outcome = try await Program.run(
            ["start"],
            environment: ["PENSIEVE_PROT": "1", "PENSIEVE_PORT": "x", "PENSIEVE_CONFIG": ""]
        )
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains("warning")
                && outcome.errors.contains("'PENSIEVE_PROT'; did you mean 'PENSIEVE_PORT'?")
        )
        #expect(outcome.errors.contains("PENSIEVE_PORT: 'x' is not a number"))
    }

    @Test("The example configurations are valid", arguments: ["pensieve.json", "shared-machine.json"])
    func examples(_ name: String) async throws {
        defer { removeFiles() }
        // The key file that an example names does not exist on this machine.
        let keys = try file("keys", "a-key\n")
        let text = try String(contentsOfFile: "Configs/" + name, encoding: .utf8)
            .replacingOccurrences(of: "/etc/pensieve/keys", with: keys)
        let outcome = try await Program.run(["validate", "--config", try file(name, text)])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("is valid"))
    }

    // MARK: Keys

    @Test("The keys of a file pass and no others, and the file may have comments", .timeLimit(.minutes(2)))
    func keys() async throws {
        defer { removeFiles() }
        let path = try file("keys", "# ours\n\n  alpha-1   # a laptop\r\nbeta#2\n")
        let server = try ServerProcess(["--mock", "--api-key-file", path])
        #expect(server.said.contains("2 configured") && !server.said.contains("alpha-1"))
        func status(_ key: String) async throws -> String {
            let socket = try RawSocket(port: server.port)
            try socket.send(
                "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nx-api-key: \(key)\r\nConnection: close\r\n\r\n"
            )
            return String(try await socket.readToEnd().prefix(12).suffix(3))
        }
        #expect(try await status("alpha-1") == "200")
        #expect(try await status("beta#2") == "200")
        for key in ["beta", "alpha", "test-api-key-12345", "sk-ant-api-x", "#", "laptop"] {
            #expect(try await status(key) == "401", "\(key)")
        }
    }

    @Test(
        "An invalid key file is refused, and its contents never shown",
        arguments: [
            ("", "empty"), ("# only a comment\n", "no key"), ("secret key\n", "line 1: a key has no spaces"),
            ("x\nsecret-ü\n", "line 2"),
        ]
    )
    func keyMistakes(_ text: String, _ expected: String) async throws {
        defer { removeFiles() }
        let outcome = try await Program.run(["start", "--mock", "--api-key-file", try file("keys", text)])
        #expect(outcome.status == 2 && outcome.errors.contains(expected), "\(outcome.errors)")
        #expect(!outcome.errors.contains("secret"))
    }

    @Test("A key file that every user can read causes a warning")
    func keyPermissions() async throws {
        defer { removeFiles() }
        let config = try file("d.json", #"{"api_key_file": "\#(try file("keys", "a-key\n"))"}"#)
        for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true)] {
            let keys = folder.appendingPathComponent("keys").path
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keys)
            let outcome = try await Program.run(["validate", config])
            #expect(outcome.status == 0 && outcome.errors.contains("warning") == warns, "\(String(mode, radix: 8))")
        }
    }

    // MARK: Starting

    @Test("The banner says what is served, how, where, and how to try it", .timeLimit(.minutes(2)))
    func banner() throws {
        let server = try ServerProcess(["--threads", "1", "--kv-memory", "64M", "--host", "[::1]"])
        // The line with the address comes first; the rest follows in the same write.
        for part in [
            "ready at http://[::1]:\(server.port)\n", "Pensieve's built-in model", " M, MLX 8-bit",
            "tokens for each session",
            "KV memory   6", "1 thread, ", " kernels", "test-api-key-12345",
            "Open http://[::1]:\(server.port)/ in a browser", "pensieve chat --url 'http://[::1]:\(server.port)'",
            "curl 'http://[::1]:\(server.port)/v1/messages'", "-H \"authorization: Bearer test-api-key-12345\"",
        ] { #expect(server.said.contains(part), "\(part) in \(server.said)") }
    }

    @Test("A port in use is explained", .timeLimit(.minutes(2)))
    func portInUse() async throws {
        let server = try ServerProcess(["--mock"])
        let outcome = try await Program.run(["start", "--mock", "--port", "\(server.port)"])
        #expect(outcome.status == 1 && outcome.errors.contains("in use"), "\(outcome.errors)")
    }

    private static let script = "/usr/bin/script"

    @Test("Loading shows its progress on a terminal", .enabled(if: FileManager.default.fileExists(atPath: script)))
    func progress() async throws {
        let command = "'\(ServerProcess.executable.path)' generate Hello"
        let outcome = try await Program.run(
            ["-qec", command, "/dev/null"],
            environment: ["TERM": "xterm"],
            executable: URL(fileURLWithPath: Self.script)
        )
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output.contains("Loading the built-in model") && outcome.output.contains("100 %"))
    }

    // MARK: generate

    @Test("generate answers in the terminal, and prints its speed")
    func generates() async throws {
        let outcome = try await Program.run(["generate", "What is 23 + 45?"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("68"), "\(outcome.output)")
        #expect(outcome.errors.contains("tokens per second"), "\(outcome.errors)")
    }

    @Test("generate reads its prompt from standard input", arguments: ["", " -"])
    func pipe(_ argument: String) async throws {
        let command = "echo 'What is 23 + 45?' | '\(ServerProcess.executable.path)' generate\(argument)"
        let outcome = try await Program.run(["-c", command], executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(outcome.status == 0 && outcome.output.contains("68"), "\(outcome.output) \(outcome.errors)")
    }

    @Test("bench measures the requested rows, and names those that the KV memory is too small for")
    func bench() async throws {
        let outcome = try await Program.run([
            "bench", "--json", "--repeat", "2", "--prefill", "40,100000", "--decode", "1,4,64", "--context", "32",
            "--kv-memory", "1M",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try JSONDecoder().decode(BenchFigures.self, from: Data(outcome.output.utf8))
        #expect(report.prefill.map(\.context) == [40])
        #expect(report.decode.map(\.sessions) == [1, 4])
        for figure in report.prefill + report.decode {
            #expect(figure.runs.count == 2)
            #expect(figure.tokensPerSecond > 0)
            #expect(figure.shares.keys.contains("matmul") && figure.shares.keys.contains("attention"))
            #expect(abs(figure.shares.values.reduce(0, +) - 1) < 1e-6)
            #expect(figure.runs.min()! <= figure.tokensPerSecond && figure.tokensPerSecond <= figure.runs.max()!)
        }
        #expect(report.limits.readBytesPerSecond > 1e8 && report.limits.int8OperationsPerSecond > 1e8)
        #expect(report.skipped.map(\.sessions) == [1, 64])
        #expect(report.skipped.last?.reason.contains("--kv-memory") == true)
    }

    @Test("Ctrl-C ends an answer, and its statistics are still printed", .timeLimit(.minutes(2)))
    func interrupted() async throws {
        defer { removeFiles() }
        let output = try file("answer", "")
        let command = "exec '\(ServerProcess.executable.path)' generate one two three four five six seven > '\(output)'"
        let program = try Program(
            ["-c", command],
            environment: ["PENSIEVE_MOCK": "1", "PENSIEVE_MOCK_TOKENS_PER_SECOND": "2"],
            executable: URL(fileURLWithPath: "/bin/sh")
        )
        while program.isRunning, try String(contentsOfFile: output, encoding: .utf8).isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        program.signal(SIGINT)
        let outcome = try await program.outcome()
        #expect(outcome.status == 130 && outcome.errors.contains("interrupted"), "\(outcome.errors)")
    }
}

/// The parts of the JSON of `pensieve bench` that the test checks.
private struct BenchFigures: Decodable {
    struct Figure: Decodable {
        var sessions: Int
        var context: Int
        var tokensPerSecond: Double
        var runs: [Double]
        var shares: [String: Double]
    }
    struct Skipped: Decodable {
        var sessions: Int
        var reason: String
    }
    struct Limits: Decodable {
        var readBytesPerSecond: Double
        var int8OperationsPerSecond: Double
    }
    var limits: Limits
    var prefill: [Figure]
    var decode: [Figure]
    var skipped: [Skipped]
}
