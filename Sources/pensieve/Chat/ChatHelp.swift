/// The pages of the commands that talk.
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
