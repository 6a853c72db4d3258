import APIClient
import Foundation

/// `pensieve chat`: a conversation with a model in this process, or with a server.
enum ChatCommand {
    private static let own = ["config", "url", "api-key-file", "system", "max-tokens", "seed"]

    static func run(_ raw: [String]) async throws -> Int32 {
        let known = Setting.all.filter { GenerateCommand.settings.contains($0.name) }
        var arguments = try Arguments(
            raw,
            of: "chat",
            valued: own + known.filter { !$0.isToggle }.map(\.name),
            toggles: known.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(ChatHelp.chat)
            return 0
        }
        let system = arguments.take("system").flatMap { $0.isEmpty ? nil : $0 }
        var options = ChatOptions()
        options.maxTokens = try arguments.takeInteger("max-tokens", 1...(1 << 20)) ?? options.maxTokens
        options.seed = try arguments.takeInteger("seed", 0...Int.max)
        try arguments.takeModel(of: "chat")
        var session = ChatSession(backend: try await backend(&arguments, options), system: system)
        return try await session.run()
    }

    private static func backend(_ arguments: inout Arguments, _ options: ChatOptions) async throws -> any ChatBackend {
        let keyFile = arguments.take("api-key-file")
        guard let address = arguments.take("url") else {
            if keyFile != nil { throw ConfigurationError("--api-key-file is for a server's key: name it with --url") }
            return try await LocalBackend(Configuration.resolve(&arguments), options)
        }
        let target = try ServerConnection.target(address)
        let key = try ClientKey.find(file: keyFile, target: target)
        let model = arguments.take("model")
        var options = options
        options.temperature = try temperature(&arguments)
        if let other = arguments.flags.first?.name {
            throw ConfigurationError("--\(other) and --url exclude each other: the server at \(address) has its own")
        }
        if options.seed != nil { throw ConfigurationError("--seed and --url exclude each other: the API has no seed") }
        // A server that closes a connection must not end the program.
        signal(SIGPIPE, SIG_IGN)
        let server = ServerConnection(target, key: key, silenceSeconds: 300)
        return try await RemoteBackend.connect(server, model: model, options)
    }

    private static func temperature(_ arguments: inout Arguments) throws(ConfigurationError) -> Double? {
        guard let text = arguments.take("temperature") else { return nil }
        guard let value = Setting.decimal(text), (0...1).contains(value) else {
            throw ConfigurationError("--temperature: with --url it must be a number from 0 to 1, as the API has it")
        }
        return value
    }
}
