import Foundation
import Hashing
import Support
import Testing

@testable import ModelHub
@testable import pensieve

/// `pensieve pull` and related commands with a hub that has the real API; the official client verifies the results.
@Suite struct HubTests {
    private static let weights = "model.safetensors"

    /// The weights of the built-in model, and their name in a cache.
    private func weights() throws -> (data: Data, hash: String) {
        let data = try #require(try HubServer.tinyModel()[Self.weights])
        var hash = SHA256()
        data.withUnsafeBytes { hash.update($0) }
        return (data, hash.finish())
    }

    private func tiny(_ repository: String, token: String? = nil, access: String? = nil) throws -> HubClientSide {
        let side = try HubClientSide(repository: repository, token: token)
        try side.hub.publish(HubServer.tinyModel(), as: repository, access: access)
        return side
    }

    @Test("A pulled model is served, and complete for the official client", .timeLimit(.minutes(2)))
    func endToEnd() async throws {
        let side = try tiny("test/tiny")
        let server = try ServerProcess(["--model", "test/tiny"], environment: side.environment)
        let socket = try RawSocket(port: server.port)
        let body = #"{"model":"test/tiny","max_tokens":32,"messages":[{"role":"user","content":"What is 23 + 45?"}]}"#
        try socket.send(
            "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer test-api-key-12345\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        )
        let answer = try await socket.readToEnd()
        #expect(answer.contains("68"), "\(answer)")
        #expect(server.said.contains("test/tiny"), "\(server.said)")

        let scan = try await side.scan()
        #expect(scan.warnings.isEmpty && scan.incomplete == 0)
        let revisions = try #require(scan.models["test/tiny"]?.revisions)
        let (commit, revision) = try #require(revisions.first)
        #expect(revisions.count == 1 && revision.refs == ["main"])
        #expect(revision.files == (try HubServer.tinyModel()).mapValues(\.count))

        let pulled = try await side.run("pull", "test/tiny")
        #expect(pulled.status == 0 && pulled.errors.contains("up to date"), "\(pulled.errors)")
        #expect(pulled.output == "\(side.folder)/snapshots/\(commit)\n")
        let local = try await side.official("local", "test/tiny")
        #expect(local.output == pulled.output, "\(local.errors)")
    }

    @Test("A model that the official client has downloaded is found without network", .timeLimit(.minutes(2)))
    func officialCache() async throws {
        let side = try tiny("test/theirs")
        let download = try await side.official("download", "test/theirs")
        #expect(download.status == 0, "\(download.errors)")
        let answer = try await side.run("generate", "--model", "test/theirs", "What is 23 + 45?", offline: true)
        #expect(answer.status == 0 && answer.output.contains("68"), "\(answer.errors)")
        let list = try await side.run("models")
        #expect(list.output.contains(/test\/theirs +\d\.\d MiB +MLX 8-bit, group 64 +phi3/), "\(list.output)")
        let pull = try await side.run("pull", "test/theirs")
        #expect(pull.status == 0 && pull.errors.contains("up to date"), "\(pull.errors)")
    }

    @Test("A pull that is killed twice is resumed", .timeLimit(.minutes(2)))
    func killed() async throws {
        let side = try tiny("test/killed")
        let file = "test/killed/\(Self.weights)"
        try side.hub.setFaults(["stall": .numbers([400_000, 700_000])], of: file)
        let partial = try weights().hash + ".incomplete"
        for count in [400_000, 1_100_000] {
            let pull = try side.start("pull", "test/killed")
            while side.blobs[partial] != count {
                try #require(pull.isRunning, "it ended before it had \(count) bytes")
                try await Task.sleep(for: .milliseconds(10))
            }
            pull.signal(SIGKILL)
            _ = try await pull.outcome()
        }
        let before = 1_100_000
        let scan = try await side.scan()
        #expect(
            scan.warnings.isEmpty && scan.incomplete == before && scan.models["test/killed"]?.revisions.isEmpty == true
        )
        #expect(try await side.run("models").output.contains("unfinished"))

        let pull = try await side.run("pull", "test/killed")
        #expect(pull.status == 0, "\(pull.errors)")
        let last = try #require(try side.hub.requests("test/killed").last { $0.server == "store" })
        #expect(last.range?.hasPrefix("bytes=\(before)-") == true)
        #expect(side.blobs[try weights().hash] == (try weights().data.count) && side.snapshots.count == 1)
    }

    @Test("Ctrl-C in a pull says that it will be resumed", .timeLimit(.minutes(1)), arguments: ["pull", "start"])
    func interrupted(_ command: String) async throws {
        let name = "test/interrupted-\(command)"
        let side = try tiny(name)
        try side.hub.setFaults(["stall": .numbers([400_000])], of: "\(name)/\(Self.weights)")
        let partial = try weights().hash + ".incomplete"
        let pull = try side.start(command, name)
        while side.blobs[partial] != 400_000 {
            try #require(pull.isRunning, "it ended before it had anything")
            try await Task.sleep(for: .milliseconds(10))
        }
        pull.signal(SIGINT)
        let outcome = try await pull.outcome()
        #expect(outcome.status == 130 && outcome.errors.contains("the same command goes on"), "\(outcome.errors)")
        let again = try await side.run("pull", name)
        #expect(again.status == 0 && side.blobs[partial] == nil, "\(again.errors)")
    }

    @Test("An unreliable network and expiring URLs only cost time", .timeLimit(.minutes(1)))
    func broken() async throws {
        let side = try tiny("test/broken", token: "hf_good")
        let file = "test/broken/\(Self.weights)"
        try side.hub.setFaults(["cut": .numbers([100_000, 50_000]), "status": .numbers([500, 429])], of: file)
        var options = PullOptions()
        options.rangeBytes = 300_000
        options.firstPauseSeconds = 0.01
        let settings = try HubSettings(environment: side.environment, home: side.home)
        let progress = PullProgress()
        let model = try await ModelPull(ModelReference("test/broken"), settings: settings, options: options)
            .run(progress: progress)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(model.folder)/\(Self.weights)")) == weights().data)
        let size = try weights().data.count
        #expect(progress.files.contains { $0.size == size })
        #expect(progress.files.allSatisfy { $0.phase == .finished && $0.received == $0.size })
        let ranges = try side.hub.requests("test/broken").filter { $0.server == "store" }.compactMap(\.range)
        #expect(ranges.count > 13 && ranges.contains("bytes=100000-399999") && ranges.contains("bytes=150000-449999"))
    }

    @Test("A server without range support works, and one that sends nothing is given up", .timeLimit(.minutes(1)))
    func stubborn() async throws {
        let side = try tiny("test/stubborn")
        let file = "test/stubborn/\(Self.weights)"
        var options = PullOptions()
        options.rangeBytes = 300_000
        options.firstPauseSeconds = 0.001
        let settings = try HubSettings(environment: side.environment, home: side.home)
        let pull = ModelPull(try ModelReference("test/stubborn"), settings: settings, options: options)
        try side.hub.setFaults(["cut": .numbers(Array(repeating: 0, count: 6))], of: file)
        let error = try await #require(throws: HubError.self) { try await pull.run(progress: PullProgress()) }
        #expect(error.description.contains("connection broke"), "\(error)")
        try side.hub.setFaults(["no_ranges": .on, "cut": .numbers(Array(repeating: 0, count: 6) + [70_000])], of: file)
        let model = try await pull.run(progress: PullProgress())
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(model.folder)/\(Self.weights)")) == weights().data)
    }

    @Test("The rest of an earlier pull is verified, and downloaded again if it is corrupt", .timeLimit(.minutes(1)))
    func brokenRemains() async throws {
        let side = try tiny("test/remains")
        try FileManager.default.createDirectory(atPath: side.folder + "/blobs", withIntermediateDirectories: true)
        let incomplete = "\(side.folder)/blobs/\(try weights().hash).incomplete"
        try Data(repeating: 7, count: 1_000_000).write(to: URL(fileURLWithPath: incomplete))
        let pull = try await side.run("pull", "test/remains")
        #expect(pull.status == 0, "\(pull.errors)")
        let file = "\(pull.output.dropLast())/\(Self.weights)"
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == weights().data)
    }

    @Test("Progress names rate and time left")
    func progressLines() throws {
        var lines = PullProgressLines()
        var file = PullProgress.File(path: try RepositoryPath("model.safetensors"), size: 100 << 20)
        file.phase = .receiving
        for second in 0...4 {
            file.received = second * 2 << 20
            lines.update([file], at: Double(second))
        }
        let line = try #require(lines.running([file]).first)
        #expect(line.contains("  8 %  8 MiB of 100 MiB  2 MiB/s  0:46 left"), "\(line)")
        file.phase = .finished
        #expect(lines.running([file]).isEmpty)
        #expect(PullProgressLines.duration(3723) == "1:02:03" && PullProgressLines.duration(.infinity) == "100:00:00")
    }

    @Test("Two pulls at once fetch everything once", .timeLimit(.minutes(2)))
    func twoAtOnce() async throws {
        let side = try tiny("test/twice")
        try side.hub.setFaults(["rate": .number(5_000_000)], of: "test/twice/\(Self.weights)")
        let pulls = try (0..<2).map { _ in try side.start("pull", "test/twice") }
        for pull in pulls {
            let outcome = try await pull.outcome()
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try side.hub.requests("test/twice").count { $0.server == "store" } == 1)
    }

    @Test(
        "A file whose hash is wrong never becomes a blob",
        .timeLimit(.minutes(2)),
        arguments: [
            ("flip", HubServer.Fault.on, "hashes to"), ("truncate", .number(1_000_000), "1000000 bytes where"),
            ("size", .number(1_234_567), "bytes where the hub promised 1234567"),
        ]
    )
    func wrongContent(_ kind: String, _ fault: HubServer.Fault, _ expected: String) async throws {
        let side = try tiny("test/\(kind)")
        try side.hub.setFaults([kind: fault], of: "test/\(kind)/\(Self.weights)")
        let pull = try await side.run("pull", "test/\(kind)")
        #expect(pull.status == 1 && pull.errors.contains(expected), "\(pull.errors)")
        let hash = try weights().hash
        #expect(side.blobs[hash] == nil && side.blobs[hash + ".incomplete"] == nil)
        #expect(side.snapshots.isEmpty)
        #expect(try await side.run("pull", "test/\(kind)", offline: true).status == 1)
    }

    @Test(
        "An error response is explained",
        .timeLimit(.minutes(2)),
        arguments: [
            ("test/nobody", nil, nil, "check the spelling"),
            ("test/nobody", "hf_other", nil, "there is no test/nobody"),
            ("test/private", nil, "private", "set HF_TOKEN"),
            ("test/private2", "wrong", "private", "does not accept the token"),
            ("test/gated", nil, "gated", "is gated: ask for access"),
            ("test/gated2", "hf_other", "gated", "has no access"),
            ("test/tagless@v7", nil, nil, "no revision 'v7'"), ("not a name", nil, nil, "ORG/NAME"),
        ]
    )
    func refusals(_ name: String, _ token: String?, _ access: String?, _ expected: String) async throws {
        let side = try HubClientSide(repository: name, token: token)
        if access != nil || name.contains("@") {
            try side.hub.publish(HubServer.tinyModel(), as: String(name.split(separator: "@")[0]), access: access)
        }
        let pull = try await side.run("pull", name)
        #expect(pull.status != 0 && pull.errors.contains(expected), "\(pull.errors)")
        #expect(pull.output.isEmpty)
    }

    @Test("A token gives access to a gated model, and is sent to no server but the hub", .timeLimit(.minutes(2)))
    func token() async throws {
        let side = try tiny("test/open", token: "hf_good", access: "gated")
        try side.hub.setFaults(["status": .numbers([503])], of: "test/open")
        let pull = try await side.run("pull", "test/open@v1")
        #expect(pull.status == 0, "\(pull.errors)")
        let requests = try side.hub.requests("test/open")
        #expect(requests.contains { $0.server == "store" && $0.authorization == nil })
        #expect(requests.allSatisfy { ($0.authorization == "Bearer hf_good") == ($0.server == "hub") })
        #expect(try String(contentsOfFile: side.folder + "/refs/v1", encoding: .utf8) == side.snapshots.first)
    }

    @Test("A model that cannot be loaded is refused before its weights are fetched", .timeLimit(.minutes(2)))
    func unsupported() async throws {
        let side = try tiny("test/awq")
        let tiny = try #require(try HubServer.tinyModel()["config.json"])
        var config = try #require(try JSONSerialization.jsonObject(with: tiny) as? [String: Any])
        config["quantization"] = nil
        config["quantization_config"] = ["quant_method": "awq", "bits": 4]
        try side.hub.publish(["config.json": JSONSerialization.data(withJSONObject: config)], as: "test/awq")
        for command in [["pull"], ["start", "--port", "0"]] {
            let arguments = [command[0], "test/awq"] + command.dropFirst()
            let outcome = try await Program.run(arguments, environment: side.environment)
            #expect(outcome.status == 1 && outcome.errors.contains("awq"), "\(outcome.errors)")
            #expect(outcome.errors.contains("not fetched"), "\(outcome.errors)")
        }
        let hash = try weights().hash
        #expect(!side.blobs.isEmpty && !side.blobs.keys.contains { $0.hasPrefix(hash) })
    }

    @Test("A model that does not fit on the disk is refused before the download", .timeLimit(.minutes(2)))
    func noRoom() async throws {
        let side = try tiny("test/huge")
        try side.hub.setFaults(["size": .number(1 << 60)], of: "test/huge/\(Self.weights)")
        let pull = try await side.run("pull", "test/huge")
        #expect(pull.status == 1 && pull.errors.contains("set HF_HOME to a folder on a larger disk"), "\(pull.errors)")
        let requests = try side.hub.requests("test/huge")
        #expect(!requests.isEmpty && requests.allSatisfy { $0.range == nil })
    }

    @Test(
        "A full disk ends a pull with an explanation, and the next one resumes",
        .timeLimit(.minutes(2)),
        .enabled(if: hasFullDevice)
    )
    func fullDisk() async throws {
        let side = try tiny("test/full")
        let hash = try weights().hash
        let incomplete = "\(side.folder)/blobs/\(hash).incomplete"
        try FileManager.default.createDirectory(atPath: side.folder + "/blobs", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: incomplete, withDestinationPath: "/dev/full")
        let pull = try await side.run("pull", "test/full")
        #expect(pull.status == 1 && pull.errors.contains("the disk is full"), "\(pull.errors)")
        #expect(side.blobs[hash] == nil)
        #expect(try await side.run("pull", "test/full").status == 0)
        #expect(side.blobs[hash] == (try weights().data.count))
    }

    private static let hasFullDevice = FileManager.default.fileExists(atPath: "/dev/full")

    @Test("Offline, no request is made, and a missing model is reported", .timeLimit(.minutes(1)))
    func offline() async throws {
        let side = try tiny("test/offline")
        for arguments in [["pull", "test/offline"], ["generate", "--model", "test/offline", "Hello"]] {
            let environment = side.environment.merging(["HF_HUB_OFFLINE": "1"]) { $1 }
            let outcome = try await Program.run(arguments, environment: environment)
            #expect(outcome.status == 1 && outcome.errors.contains("HF_HUB_OFFLINE"), "\(outcome.errors)")
        }
        #expect(try side.hub.requests("test/offline").isEmpty)
    }

    @Test(
        "A listing with an unsafe file name is refused",
        .timeLimit(.minutes(1)),
        arguments: ["../../x", "/tmp/x", "a\u{1b}]x"]
    )
    func hostile(_ name: String) async throws {
        let side = try tiny("test/hostile\(name.utf8.count)")
        try side.hub.setFaults(["also_lists": .texts([name])], of: side.repository)
        let pull = try await side.run("pull", side.repository)
        #expect(pull.status == 1 && pull.errors.contains("such a name is refused"), "\(pull.errors)")
        #expect(!pull.errors.contains("\u{1b}") && !FileManager.default.fileExists(atPath: side.home + "/hub"))
    }

    @Test("Of GGUF files one quantisation is chosen, by default or by name", .timeLimit(.minutes(1)))
    func gguf() async throws {
        let side = try HubClientSide(repository: "test/gguf")
        let folder = FileManager.default.currentDirectoryPath + "/Tests/InferenceTests/Fixtures/phi3-gguf/"
        var files = ["m-Q4_K_M.gguf": Data("no model".utf8), "README.md": Data()]
        for part in 1...3 {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)q4_0-0000\(part)-of-00003.gguf"))
            files["m-Q4_0-0000\(part)-of-00003.gguf"] = data
        }
        try side.hub.publish(files, as: "test/gguf")
        let usual = try await side.run("pull", "test/gguf")
        #expect(usual.errors.contains("chosen: Q4_K_M; there are also Q4_0"), "\(usual.errors)")
        #expect(usual.output.hasSuffix("/m-Q4_K_M.gguf\n"))
        let named = try await side.run("pull", "test/gguf:q4_0")
        #expect(named.status == 0 && named.output.hasSuffix("/m-Q4_0-00001-of-00003.gguf\n"), "\(named.errors)")
        let list = try await side.run("models")
        #expect(list.output.contains(/test\/gguf:Q4_K_M +8 bytes +Q4_K_M +-/), "\(list.output)")
        #expect(list.output.contains(/test\/gguf:Q4_0 +73.6 KiB +Q4_0 +phi3/), "\(list.output)")
        let report = try await side.run("inspect", "test/gguf:Q4_0")
        #expect(report.output.contains("phi3, 2 layers of 64"), "\(report.errors)")
        let removed = try await side.run("remove", "test/gguf:q4_0", "--yes")
        #expect(removed.output.contains("73.6 KiB"), "\(removed.errors)")
        #expect(try await side.scan().models["test/gguf"]?.revisions.first?.value.files == ["m-Q4_K_M.gguf": 8])
    }

    @Test("Removing a revision leaves what another one needs", .timeLimit(.minutes(2)))
    func removal() async throws {
        let side = try tiny("test/moving")
        let first = try await side.run("pull", "test/moving").output
        try side.hub.publish(["generation_config.json": Data(#"{"eos_token_id": 1}"#.utf8)], as: "test/moving")
        let second = try await side.run("pull", "test/moving").output
        #expect(first != second)
        let old = try #require(first.split(separator: "/").last?.dropLast())

        let unasked = try await side.run("remove", "test/moving@\(old)")
        #expect(unasked.status == 2 && unasked.errors.contains("--yes"), "\(unasked.errors)")
        let removed = try await side.run("remove", "test/moving@\(old)", "--yes")
        let freed = try #require(try HubServer.tinyModel()["generation_config.json"]).count
        #expect(removed.output.contains("\(freed) bytes are free"), "\(removed.output)\(removed.errors)")
        let scan = try await side.scan()
        #expect(scan.warnings.isEmpty && scan.models["test/moving"]?.revisions.count == 1)
        let answer = try await side.run("generate", "--model", "test/moving", "What is 23 + 45?", offline: true)
        #expect(answer.output.contains("68"), "\(answer.errors)")

        let all = try await side.run("remove", "test/moving", "--yes")
        #expect(all.output.contains("MiB are free"), "\(all.output)\(all.errors)")
        #expect(!FileManager.default.fileExists(atPath: side.folder))
        #expect(try await side.run("remove", "test/moving", "--yes").errors.contains("not in"))
    }
}
