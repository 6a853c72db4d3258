import Foundation
import Support
import Synchronization

/// The hub of `Python/hub.py`, shared by all tests; each test has a cache of its own.
final class HubServer: Sendable {
    /// A request as the hub saw it.
    struct Request: Decodable {
        var method: String
        /// "hub", or "store", which has the large files.
        var server: String
        var path: String
        var range: String?
        var authorization: String?
    }

    let endpoint: String
    private let root: URL
    private let process: Mutex<Process>
    private let faults = Mutex<[String: [String: Fault]]>([:])

    enum Fault: Encodable {
        case number(Int)
        case numbers([Int])
        case texts([String])
        case on

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let value): try container.encode(value)
            case .numbers(let values): try container.encode(values)
            case .texts(let values): try container.encode(values)
            case .on: try container.encode(true)
            }
        }
    }

    static let shared = Result { try HubServer() }

    private init() throws {
        guard let interpreter = Python.interpreter else {
            throw SupportError("no Python environment; the README's test command makes one in .venv")
        }
        root = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-hub-\(UUID())")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = [Self.script("hub.py").path, root.path]
        // It ends when its standard input is closed, at the latest with this process.
        process.standardInput = Pipe()
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let words = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == "ready" else { throw SupportError("the hub did not start: \(words)") }
        endpoint = words[1].trimmingCharacters(in: .whitespacesAndNewlines)
        self.process = Mutex(process)
    }

    static func script(_ name: String) -> URL { Bundle.module.bundleURL.appendingPathComponent("Python/\(name)") }

    /// The files of the built-in model, which is a real one.
    static func tinyModel() throws -> [String: Data] {
        let folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath + "/Sources/BuiltinModel/model")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try names.reduce(into: [:]) { $0[$1] = try Data(contentsOf: folder.appendingPathComponent($1)) }
    }

    /// Creates a repository on the hub, or replaces its files; each test uses a name of its own.
    func publish(_ files: [String: Data], as repository: String, access: String? = nil) throws {
        let folder = root.appendingPathComponent(repository)
        for (name, data) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try data.write(to: file, options: .atomic)
        }
        try access.map { try Data($0.utf8).write(to: folder.appendingPathComponent(".access")) }
    }

    /// Injects faults into a file or a repository's listing from now on.
    func setFaults(_ fault: [String: Fault], of name: String) throws {
        try faults.withLock { faults in
            faults[name] = fault
            try JSONEncoder().encode(faults).write(to: root.appendingPathComponent("faults.json"), options: .atomic)
        }
    }

    /// The requests for a repository so far.
    func requests(_ repository: String) throws -> [Request] {
        let text = try String(contentsOf: root.appendingPathComponent("requests.log"), encoding: .utf8)
        return try text.split(separator: "\n")
            .map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
            .filter { $0.path.contains(repository) }
    }
}

/// A cache in a folder of its own, and programs that use it with the tests' hub.
final class HubClientSide: Sendable {
    let hub: HubServer
    let home: String
    let repository: String
    private let token: String?

    /// - Parameter repository: the name of the test's repository, which the test creates.
    init(repository: String, token: String? = nil) throws {
        hub = try HubServer.shared.get()
        home = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-cache-\(UUID())").path
        self.repository = repository
        self.token = token
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: home) }

    var environment: [String: String] {
        var variables = ["HF_HOME": home, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": token ?? "", "NO_PROXY": "*"]
        for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
            variables[name] = ""
        }
        return variables
    }

    func run(_ arguments: String..., offline: Bool = false) async throws -> Program.Outcome {
        try await Program.run(
            arguments,
            environment: environment.merging(offline ? ["HF_HUB_OFFLINE": "1"] : [:]) { $1 }
        )
    }

    func start(_ arguments: String...) throws -> Program { try Program(arguments, environment: environment) }

    /// Runs the official client.
    func official(_ arguments: String...) async throws -> Program.Outcome {
        guard let interpreter = Python.interpreter else { throw SupportError("no Python environment") }
        let variables = ["HF_HUB_CACHE": home + "/hub", "HF_HUB_DISABLE_UPDATE_CHECK": "1"]
        return try await Program.run(
            [HubServer.script("official.py").path] + arguments,
            environment: environment.merging(variables) { $1 },
            executable: URL(fileURLWithPath: interpreter)
        )
    }

    /// The result of `scan_cache_dir`.
    struct Scan: Decodable {
        struct Model: Decodable { var revisions: [String: Revision] }
        struct Revision: Decodable {
            var refs: [String]
            var files: [String: Int]
        }
        var models: [String: Model]
        var warnings: [String]
        var incomplete: Int
    }

    func scan() async throws -> Scan {
        let outcome = try await official("scan")
        guard outcome.status == 0 else { throw SupportError("the official client failed: \(outcome.errors)") }
        return try JSONDecoder().decode(Scan.self, from: Data(outcome.output.utf8))
    }

    var folder: String { "\(home)/hub/models--\(repository.replacing("/", with: "--"))" }

    /// The names and sizes of the blobs of the test's repository.
    var blobs: [String: Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/blobs")) ?? []
        return names.reduce(into: [:]) { blobs, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/blobs/\(name)")
            blobs[name] = (attributes?[.size] as? Int) ?? 0
        }
    }

    /// The commits that have a snapshot.
    var snapshots: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder + "/snapshots")) ?? [] }
}
