import Foundation
import MessagesAPI

/// The help pages, generated from the settings.
enum Help {
    static let overview = """
        Pensieve serves a language model of this machine over the Anthropic Messages
        API.

        usage: pensieve COMMAND [flags]

          start      load a model and serve it (by default the built-in one, on
                     127.0.0.1:7777)
          chat       a conversation in the terminal, with a model or a server
          status     how a running server is
          generate   one answer in the terminal, without a server
          bench      how fast this machine computes a model
          pull       fetch a model from a hub
          models     list the models that are here
          inspect    what a model is and what memory it needs
          remove     remove a model
          validate   check a configuration file
          help       this page, or that of a command: pensieve help start
          --version  the version

        A first minute:
          pensieve start
        then open http://127.0.0.1:7777/ in a browser, or in another terminal:
          pensieve chat --url http://127.0.0.1:7777
          curl http://127.0.0.1:7777/v1/messages \\
            -H 'authorization: Bearer \(APIConfiguration.developmentKey)' \\
            -d '{"model": "claude-local", "max_tokens": 64, "messages": [
              {"role": "user", "content": "What is 23 + 45?"}]}'
        """

    static func page(for command: String?) throws(ConfigurationError) -> String {
        switch command {
        case "start": start
        case "chat": ChatHelp.chat
        case "status": ChatHelp.status
        case "generate": generate
        case "bench": bench
        case "validate": validate
        case "pull": HubHelp.pull
        case "models": HubHelp.models
        case "inspect": HubHelp.inspect
        case "remove": HubHelp.remove
        case nil, "help": overview
        case let other?: throw .unknownCommand(other)
        }
    }

    static var start: String {
        """
        Loads a model and serves it over the Anthropic Messages API.

        usage: pensieve start [MODEL] [flags]

        MODEL is what --model takes.

        \(row("--config FILE", "JSON file with any of the settings below; see Configs/"))

        \(Setting.groups.map { $0.title + "\n" + table($0.settings) }.joined(separator: "\n\n"))

        Each setting is also a key of the configuration file (kv_memory) and an
        environment variable (PENSIEVE_KV_MEMORY; PENSIEVE_CONFIG names the file).
        A flag wins over the environment, the environment over the file, and the file
        over the default.

        A request's temperature, top_p and top_k win over --temperature and the like,
        these over the model's generation_config.json (of a GGUF file: its metadata
        general.sampling.*), and that over the API's temperature of 1. A model that says
        "do_sample": false is greedy unless a temperature is asked for; the built-in
        model is one.

        SIGINT (Ctrl-C), SIGTERM and SIGHUP end the server in order: running answers may
        finish first. A second signal ends them at once.

        examples:
          pensieve start
          pensieve start ~/models/Phi-3-mini-4k-instruct-4bit --kv-memory 4G
          pensieve start mlx-community/Phi-3-mini-4k-instruct-4bit
          pensieve start --host 0.0.0.0 --api-key-file keys.txt
          pensieve start --mock --mock-tokens-per-second 20
        """
    }

    static var generate: String {
        """
        Prints one answer as it is made, and then the speed on standard error.

        usage: pensieve generate [flags] "prompt"
               pensieve generate [flags] -     reads standard input; '-' may be left
                                               out where something is piped in

        \(row("--system TEXT", "system prompt"))
        \(row("--max-tokens N", "longest answer (default 256)"))
        \(row("--seed N", "makes answers with a temperature above 0 repeatable"))
        \(row("--config FILE", "JSON file with settings"))
        \(table(Setting.all.filter { GenerateCommand.settings.contains($0.name) }))

        Ctrl-C ends the answer (exit status 130).

        examples:
          pensieve generate "What is 23 + 45?"
          pensieve generate --system "Be brief." - < question.txt
        """
    }

    static var bench: String {
        let plan = BenchPlan()
        let taken = BenchPlan.flags + ["model"]
        return """
            Measures how fast this machine computes a model, without a server around it:
            the prefill of prompts, and the decode of several sessions at once.

            usage: pensieve bench [MODEL] [flags]

            MODEL is what --model takes; without it, the built-in model.

            \(row("--prefill LIST", "lengths of prompts (default \(list(plan.prefill))), or none"))
            \(row("--decode LIST", "how many sessions decode at once (default \(list(plan.sessions))), or none"))
            \(row("--context LIST", "tokens of a decoding session at the end of a run (default \(list(plan.contexts)))"))
            \(row("--tokens N", "tokens that each session decodes in one run (default \(plan.tokens))"))
            \(row("--repeat N", "runs of each row (default \(plan.runs))"))
            \(row("--profile", "also what each row's time went into"))
            \(row("--constrained", "instead, what it costs to hold answers to a form"))
            \(row("--json", "the figures as JSON, at the end"))
            \(row("--config FILE", "JSON file with settings"))
            \(table(Setting.all.filter { BenchCommand.settings.contains($0.name) && !taken.contains($0.name) }))

            The limits are what loops reach that only read memory or only multiply: a step
            reads each weight once, and multiplies it once for each token.

            Tokens are random. Speeds are of all sessions together: the median of the runs,
            the slowest and the fastest. Each decoding session has KV memory of its own,
            filled before with the same text's; rows for which --kv-memory is too little are
            left out. Without that flag it is what the rows need, and at most half of the
            free memory.

            examples:
              pensieve bench
              pensieve bench ~/models/Phi-3-mini-4k-instruct-4bit
              pensieve bench model.gguf --prefill 512 --decode 1,4,16 --context 128
            """
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }

    static let validate = """
        Checks a configuration file and the key file and model that it names, and prints
        the settings that result, without starting anything.

        usage: pensieve validate --config FILE

        Exit status 0 if all is good, 2 if not.

        examples:
          pensieve validate --config Configs/pensieve.json
        """

    static func table(_ settings: [Setting]) -> String {
        let defaults = Configuration()
        return settings.map { setting in
            row("--\(setting.name) \(setting.placeholder)", setting.help + setting.defaultText(in: defaults))
        }.joined(separator: "\n")
    }

    /// A flag and its description in two columns, 80 columns wide.
    static func row(_ flag: String, _ help: String) -> String {
        let indent = 30
        var lines = [flag.padding(toLength: max(indent - 2, flag.count + 1), withPad: " ", startingAt: 0)]
        var width = 2 + lines[0].count
        for word in help.split(separator: " ") {
            if width + word.count > 80 {
                lines.append(String(repeating: " ", count: indent - 2))
                width = indent
            }
            lines[lines.count - 1] += word + " "
            width += word.count + 1
        }
        return lines.map { "  " + $0.trimmingTrailingSpaces }.joined(separator: "\n")
            .replacingOccurrences(of: noBreakSpace, with: " ")
    }
}

/// Keeps two words on the same line.
private let noBreakSpace = "\u{A0}"

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        String(prefix(count - reversed().prefix { $0 == " " }.count))
    }
}

extension Setting {
    /// " (default 7777)" without line breaks; empty if the help text has the default.
    fileprivate func defaultText(in defaults: Configuration) -> String {
        currentText(in: defaults).map { " " + "(default \($0))".replacingOccurrences(of: " ", with: noBreakSpace) }
            ?? ""
    }

    /// The setting's value for display; nil if it is off or unset.
    func currentText(in configuration: Configuration) -> String? {
        switch kind {
        case .host(let path): configuration[keyPath: path]
        case .path(let path): configuration[keyPath: path]
        case .integer(let path, _): "\(configuration[keyPath: path])"
        case .optionalInteger(let path, _): configuration[keyPath: path].map { "\($0)" }
        case .bytes(let path, _): Format.bytes(configuration[keyPath: path])
        case .optionalBytes(let path, _): configuration[keyPath: path].map(Format.bytes)
        case .number(let path, _): Format.number(configuration[keyPath: path])
        case .optionalNumber(let path, _): configuration[keyPath: path].map(Format.number)
        case .choice(let path, _): configuration[keyPath: path]
        case .optionalChoice(let path, _): configuration[keyPath: path]
        case .origins(let path):
            configuration[keyPath: path].isEmpty ? nil : configuration[keyPath: path].joined(separator: ", ")
        case .toggle(let path): configuration[keyPath: path] ? "on" : nil
        case .onOff(let path): configuration[keyPath: path] ? "on" : "off"
        }
    }
}

/// The help pages of `chat` and `status`.
enum ChatHelp {
    static var chat: String {
        """
        A conversation in the terminal, with a model in this process or with a server.

        usage: pensieve chat [MODEL] [flags]
               pensieve chat --url http://HOST:PORT [flags]

        MODEL is what --model takes; without it, the built-in model. With --url a
        running server answers, this program's or another of this API.

        \(Help.row("--url ADDRESS", "talk to this server (plain http) instead of loading a model"))
        \(Help.row("--api-key-file FILE", "the server's key, the first in the file; else the variable "
            + "PENSIEVE_API_KEY; else, on this machine, the development key"))
        \(Help.row("--system TEXT", "system prompt"))
        \(Help.row("--max-tokens N", "longest answer (default \(ChatOptions().maxTokens))"))
        \(Help.row("--temperature T", "0 is greedy; default: what the model recommends, else 1; with --url what the server has"))
        \(Help.row("--seed N", "makes answers with a temperature above 0 repeatable"))
        \(Help.row("--config FILE", "JSON file with settings"))
        \(Help.table(Setting.all.filter { GenerateCommand.settings.contains($0.name) && $0.name != "temperature" }))

        In the conversation:
        \(SlashCommand.list.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))

        Keys: arrows move and bring back earlier lines, Ctrl-A and Ctrl-E go to the
        ends, Ctrl-W, Ctrl-U and Ctrl-K cut, Ctrl-Y pastes, Alt-Enter begins a new line.

        Where something is piped in, each line is a turn, and only the answers are
        printed.

        examples:
          pensieve chat
          pensieve chat mlx-community/Phi-3-mini-4k-instruct-4bit --system "Be brief."
          pensieve chat --url http://127.0.0.1:7777
          printf 'My name is Ada.\\nWhat is my name?\\n' | pensieve chat
        """
    }

    static var status: String {
        """
        Shows a running server: its model, sessions, speed and memory, from /health and
        /metrics, which need no key.

        usage: pensieve status [flags]

        \(Help.row("--url ADDRESS", "the server (default \(StatusCommand.standardAddress))"))
        \(Help.row("--json", "the same as JSON"))

        Exit status 0 if a server answers, 1 if not.

        examples:
          pensieve status
          pensieve status --url http://127.0.0.1:8080 --json
        """
    }
}
