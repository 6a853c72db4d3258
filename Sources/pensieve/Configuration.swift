import Foundation
import HTTPFront
import Inference
import JSON
import MessagesAPI

/// The values of all settings, with defaults. `Setting.all` gives each its flag, key, variable and help.
struct Configuration: Sendable, Equatable {
    var model: String?
    var host = "localhost"
    var port = 7777
    var apiKeyFile: String?
    /// Origins of web pages, or `*`.
    var allowOrigins: [String] = []
    var kvMemoryBytes: Int?
    /// One of `KVType`.
    var kvType: String?
    var threads: Int?
    var context: Int?
    var precise = false
    /// One of `Activations`.
    var activations = Activations.standard.rawValue
    /// One of `EngineOptions.kernelNames`.
    var kernels: String?
    /// Sampling parameters; nil: as the model's files recommend.
    var temperature: Double?
    var topP: Double?
    var topK: Int?
    var minP: Double?
    var repetitionPenalty: Double?
    var cacheIdleMinutes = 15.0
    var prefixCacheFolder: String?
    var prefixCacheBytes = 4 << 30

    var maxSessions = 64
    var maxWaiting = 256
    var stepTokens = 256
    var interTokenGoalMs = 0.0
    var speculation = true
    var draftHead = true
    var draftModel: String?
    var keepThinking = false

    var pingSeconds = 5.0
    var shutdownSeconds = 30.0
    var drainSeconds = 0.0
    var readerStallSeconds = 60.0

    var limits = Limits()

    var logRequests = false
    /// One of `ServerLog.Format`.
    var logFormat = ServerLog.Format.text.rawValue
    var mock = false
    var mockTokensPerSecond = 50.0
}

extension Duration {
    /// As settings have it.
    var inSeconds: Double {
        get { self / .seconds(1) }
        set { self = .seconds(newValue) }
    }
}

/// A mistake in a flag, an environment variable or a configuration file; the description says what to do.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension Configuration {
    var serverLogFormat: ServerLog.Format { ServerLog.Format(rawValue: logFormat) ?? .text }

    /// Whether a model's draft head is read.
    var usesDraftHead: Bool { speculation && draftHead && draftModel == nil }

    /// The engine's options.
    var engineOptions: EngineOptions {
        var options = EngineOptions()
        options.threads = threads
        options.kvMemoryBytes = kvMemoryBytes
        options.kvType = kvType.flatMap(KVType.init)
        options.precise = precise
        options.activations = Activations(rawValue: activations) ?? .standard
        options.kernels = kernels
        options.contextLimit = context
        return options
    }

    /// The most tokens that are sampled in a step: one for each session, or several drafts of few sessions.
    var maxSamples: Int { min(stepTokens, max(maxSessions, 8)) }

    /// Resolves the configuration of a command from its arguments and the environment; prints warnings about the
    /// latter.
    /// - Throws: `ConfigurationError` as the next function.
    static func resolve(_ arguments: inout Arguments) throws(ConfigurationError) -> Configuration {
        let environment = ProcessInfo.processInfo.environment
        let warnings = warnings(environment)
        do throws(ConfigurationError) {
            let file = arguments.take("config")
            let configuration = try resolve(file: file, flags: arguments.flags, environment: environment)
            let log = ServerLog(configuration.serverLogFormat) { Terminal.error($0) }
            warnings.forEach { log.say($0, .warning) }
            return configuration
        } catch {
            warnings.forEach(Terminal.warning)
            throw error
        }
    }

    /// Resolves a configuration: flags override the environment, which overrides the file, which overrides defaults.
    /// - Parameters:
    ///   - file: the value of `--config`; if nil, `PENSIEVE_CONFIG` is used.
    ///   - flags: names of settings (as in `--name`) and their values.
    /// - Throws: `ConfigurationError` for an unreadable file, an unknown key or a value out of range.
    static func resolve(
        file: String?,
        flags: [(name: String, text: String)],
        environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        if let path = file ?? environment["PENSIEVE_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            try configuration.apply(file: path)
        }
        for setting in Setting.all {
            // As in most programs, an empty variable counts as unset.
            guard let text = environment[setting.variable], !text.isEmpty else { continue }
            try setting.apply(text, to: &configuration, origin: setting.variable)
        }
        for flag in flags {
            guard let setting = Setting.named(flag.name) else {
                throw ConfigurationError.unknownFlag("--" + flag.name, of: "start", among: Setting.all.map(\.name))
            }
            // A repeated flag of a list: all values together.
            let texts = setting.isList ? flags.filter { $0.name == flag.name }.map(\.text) : [flag.text]
            try setting.apply(texts.joined(separator: ","), to: &configuration, origin: "--" + flag.name)
        }
        return configuration
    }

    /// Applies a JSON file: one object whose keys are names of settings with underscores.
    /// - Throws: `ConfigurationError` for an unreadable file, invalid JSON, an unknown key or an invalid value.
    mutating func apply(file path: String) throws(ConfigurationError) {
        let text = Array(try SmallFile.read(path, what: "configuration file"))
        let members: JSONMembers
        do throws(JSONError) {
            members = try JSONDocument(text).root.members()
        } catch {
            throw ConfigurationError("\(path): \(error.explained(in: text))")
        }
        for member in members {
            guard let setting = Setting.all.first(where: { $0.key == member.name }) else {
                throw ConfigurationError.unknownKey(member.name, in: path)
            }
            let origin = "\(path): \(member.name)"
            guard let value = Scalar(member.value) else {
                throw ConfigurationError("\(origin): must be a string, a number, a boolean or a list of strings")
            }
            try setting.apply(value, to: &self, origin: origin)
        }
    }

    /// Warnings about unknown variables with our prefix. Such a variable is most likely a typing error, but may belong
    /// to another program: hence a warning, not an error.
    static func warnings(_ environment: [String: String]) -> [String] {
        let known = Setting.all.map(\.variable) + ["PENSIEVE_CONFIG", ClientKey.variable]
        return environment.keys.sorted().filter { $0.hasPrefix("PENSIEVE_") && !known.contains($0) }.map {
            ConfigurationError.unknownVariable($0, among: known).description
        }
    }
}

extension Configuration {
    /// Warnings about settings that exceed what this machine has.
    func machineWarnings(
        cores: Int = SystemCores.count,
        memoryBytes: Int = SystemMemory.totalBytes()
    ) -> [String] {
        var warnings: [String] = []
        if let threads, threads > cores {
            warnings.append(
                "--threads \(threads): this program may use \(cores) \(cores == 1 ? "core" : "cores"); more threads than "
                    + "that wait for each other and are slower"
            )
        }
        if let kvMemoryBytes, kvMemoryBytes > memoryBytes {
            warnings.append(
                "--kv-memory \(Format.bytes(kvMemoryBytes)): there are \(Format.bytes(memoryBytes)) of memory; "
                    + "a server that uses more ends or makes the machine swap"
            )
        }
        return warnings
    }
}

/// A value of a configuration file.
enum Scalar: Equatable {
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([String])

    init?(_ node: JSONNode) {
        if let value = try? node.bool() {
            self = .boolean(value)
        } else if let value = try? node.double() {
            self = .number(value)
        } else if let value = try? node.string() {
            self = .text(value)
        } else if let values = try? node.strings() {
            self = .list(values)
        } else {
            return nil
        }
    }
}
