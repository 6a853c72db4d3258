import Foundation

/// The texts behind `--help`, made from the settings themselves.
enum Help {
    static let overview = """
        Pensieve serves a language model on this machine over the Anthropic Messages API.

        usage: pensieve COMMAND [flags]

          start      load a model and serve it (default: the built-in model on 127.0.0.1:7777)
          generate   one answer in the terminal, without a server
          pull       fetch a model from a hub
          models     list the models that are here
          inspect    what a model is and what memory it needs
          remove     remove a model
          validate   check a configuration file
          help       this page, or that of a command: pensieve help start
          --version  the version

        A first minute:
          pensieve start
          curl http://127.0.0.1:7777/v1/messages -H 'authorization: Bearer test-api-key-12345' \\
            -d '{"model":"claude-local","max_tokens":64,"messages":[{"role":"user","content":"What is 23 + 45?"}]}'
        """

    static func page(for command: String?) -> String {
        switch command {
        case "start": start
        case "generate": generate
        case "validate": validate
        case "pull": HubHelp.pull
        case "models": HubHelp.models
        case "inspect": HubHelp.inspect
        case "remove": HubHelp.remove
        default: overview
        }
    }

    static var start: String {
        """
        Loads a model and serves it over the Anthropic Messages API until SIGINT or SIGTERM.

        usage: pensieve start [flags]

          --config FILE                 JSON file with any of the settings below; see Configs/
        \(table(Setting.all))

        Each setting is also a key of the configuration file (kv_memory) and an environment variable
        (PENSIEVE_KV_MEMORY). A flag wins over the environment, the environment over the file.

        examples:
          pensieve start
          pensieve start --model ~/models/Phi-3-mini-4k-instruct-4bit --kv-memory 4G
          pensieve start --model mlx-community/Phi-3-mini-4k-instruct-4bit
          pensieve start --host 0.0.0.0 --api-key-file keys.txt
          pensieve start --mock --mock-tokens-per-second 20
        """
    }

    static var generate: String {
        """
        Prints one answer, streaming, and then the speed on standard error.

        usage: pensieve generate [flags] "prompt"

          --system TEXT                 system prompt
          --max-tokens N                longest answer (default 256)
          --temperature T               0 is greedy, the default
          --seed N                      for a temperature above 0
          --config FILE                 JSON file with settings
        \(table(Setting.all.filter { GenerateCommand.settings.contains($0.name) }))

        example:
          pensieve generate "What is 23 + 45?"
        """
    }

    static let validate = """
        Checks a configuration file and prints the settings that result, without starting anything.

        usage: pensieve validate --config FILE

        Exit status 0 if the file is good, 2 if not.
        """

    private static func table(_ settings: [Setting]) -> String {
        let defaults = Configuration()
        return settings.map { setting in
            let flag = "--\(setting.name) \(setting.placeholder)"
            let padded = flag.padding(toLength: max(29, flag.count + 1), withPad: " ", startingAt: 0)
            return "  \(padded) \(setting.help)\(setting.defaultText(in: defaults))"
        }.joined(separator: "\n")
    }
}

extension Setting {
    /// " (default 7777)", or nothing where the help itself says it.
    fileprivate func defaultText(in defaults: Configuration) -> String {
        currentText(in: defaults).map { " (default \($0))" } ?? ""
    }

    /// The setting's value for people, nil if it is off or left to the program.
    func currentText(in configuration: Configuration) -> String? {
        switch kind {
        case .text(let path): configuration[keyPath: path]
        case .optionalText(let path): configuration[keyPath: path]
        case .integer(let path, _): "\(configuration[keyPath: path])"
        case .optionalInteger(let path, _): configuration[keyPath: path].map { "\($0)" }
        case .bytes(let path, _): Format.bytes(configuration[keyPath: path])
        case .optionalBytes(let path, _): configuration[keyPath: path].map(Format.bytes)
        case .number(let path, _): Format.number(configuration[keyPath: path])
        case .toggle(let path): configuration[keyPath: path] ? "on" : nil
        }
    }
}
