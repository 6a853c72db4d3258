import Console
import Foundation
import ModelHub

/// Errors about unknown names, with the most likely intended one and where to find the list.
extension ConfigurationError {
    static func unknownFlag(_ flag: String, of command: String, among known: [String]) -> ConfigurationError {
        let what = "unknown flag '\(flag)'"
        let page = "pensieve \(command) --help lists the flags"
        if let advice = ForeignNames.advice(on: flag, among: known) {
            return ConfigurationError("\(what): \(advice); \(page)")
        }
        // One letter is not enough for a guess.
        guard flag.count > 2, let nearest = nearestName(to: flag, among: known.map { "--" + $0 }) else {
            return ConfigurationError("\(what); \(page)")
        }
        return ConfigurationError("\(what); did you mean '\(nearest)'? \(page)")
    }

    /// - Parameter path: the configuration file that has the key.
    static func unknownKey(_ key: String, in path: String) -> ConfigurationError {
        let what = "\(path): unknown key '\(key)'"
        let known = Setting.all.map(\.name)
        if let name = ForeignNames.name(for: key, among: known) ?? nearestName(to: key, among: known) {
            return ConfigurationError("\(what); did you mean '\(name.replacing("-", with: "_"))'?")
        }
        return ConfigurationError("\(what); pensieve start --help lists the settings; a key is a flag's name with '_'")
    }

    static func unknownVariable(_ name: String, among known: [String]) -> ConfigurationError {
        let advice = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
        return ConfigurationError(
            "unknown environment variable '\(name)'; " + (advice ?? "pensieve start --help lists the settings")
        )
    }

    static func unknownCommand(_ name: String) -> ConfigurationError {
        ConfigurationError("unknown command '\(name)'" + ForeignNames.advice(onCommand: name))
    }
}

/// Names of flags and commands in other programs (llama.cpp, vLLM, Ollama), for suggestions of ours.
enum ForeignNames {
    private struct Flag {
        /// Names in other programs, without dashes.
        let names: [String]
        /// Our flags, of which the first that a command has is suggested; empty if there is no such setting.
        var ours: [String] = []
        /// A message in place of the usual suggestion.
        var hint: String?
    }

    private static let flags: [Flag] = [
        Flag(
            names: ["api-key", "api-keys", "key", "token"],
            ours: ["api-key-file"],
            hint: "a key is read from a file, as every user of the machine sees command lines: '--api-key-file FILE'"
        ),
        Flag(
            names: ["ctx-size", "c", "ctx", "max-model-len", "context-length", "context-size", "num-ctx", "n-ctx"],
            ours: ["context"]
        ),
        Flag(
            names: ["m", "model-path", "model-id", "hf", "hfr", "hf-repo", "hf-model", "gguf", "repo"],
            ours: ["model"]
        ),
        Flag(names: ["stream"], hint: "each request asks for its stream itself, with \"stream\": true"),
        Flag(
            names: [
                "n-gpu-layers", "ngl", "gpu-layers", "gpu", "gpus", "device", "main-gpu", "tensor-split",
                "gpu-memory-utilization", "tensor-parallel-size", "tp",
            ],
            hint: "there is no GPU to set: Pensieve computes on the CPU"
        ),
        Flag(names: ["t", "threads-batch", "tb", "num-threads", "n-threads", "cpu-threads"], ours: ["threads"]),
        Flag(names: ["p"], ours: ["port"]),
        Flag(names: ["p", "prompt"], hint: "the prompt stands alone: pensieve generate \"What is 23 + 45?\""),
        Flag(names: ["bind", "listen", "address", "addr", "ip"], ours: ["host"]),
        Flag(names: ["np", "parallel", "max-num-seqs", "max-concurrent-requests"], ours: ["max-sessions"]),
        Flag(names: ["b", "batch-size", "ub", "ubatch-size", "max-num-batched-tokens"], ours: ["step-tokens"]),
        Flag(names: ["ctk", "ctv", "cache-type-k", "cache-type-v", "kv-cache-dtype"], ours: ["kv-type"]),
        Flag(names: ["cache-ram", "kv-cache-memory", "kv-cache-size"], ours: ["kv-memory"]),
        Flag(names: ["n", "n-predict", "num-predict", "max-new-tokens", "predict"], ours: ["max-tokens"]),
        Flag(names: ["temp"], ours: ["temperature"]),
        Flag(names: ["s"], ours: ["seed"]),
        Flag(names: ["sys", "system-prompt", "system-message"], ours: ["system"]),
        Flag(names: ["v", "verbose", "log", "access-log", "log-level"], ours: ["log-requests"]),
        Flag(names: ["base-url", "server", "endpoint", "u"], ours: ["url"]),
        Flag(names: ["y", "force", "f"], ours: ["yes"]),
        Flag(
            names: ["q", "quant", "quantization"],
            hint: "a quantisation is part of a model's name: ORG/NAME:QUANT, such as :Q4_K_M"
        ),
        Flag(names: ["workers", "reload"], hint: "one process serves all clients at once"),
        Flag(names: ["metrics"], hint: "/metrics is always there"),
        Flag(
            names: ["md", "model-draft", "spec-draft-model", "speculative-model", "assistant-model"],
            ours: ["draft-model"]
        ),
        Flag(names: ["mtp", "multi-token-prediction", "enable-mtp", "num-nextn"], ours: ["draft-head"]),
        Flag(names: ["spec", "speculative", "prompt-lookup", "lookup-decoding"], ours: ["speculation"]),
        Flag(names: ["fa", "flash-attn"], hint: "attention has one way, the fast one"),
    ]

    /// The suggestion for a flag of another program; nil if it is not one.
    /// - Parameter known: the flags of the command, without dashes.
    static func advice(on flag: String, among known: [String]) -> String? {
        for entry in entries(flag) {
            if let ours = entry.ours.first(where: known.contains) { return entry.hint ?? "here it is '--\(ours)'" }
            if entry.ours.isEmpty { return entry.hint }
        }
        return nil
    }

    /// The name in `known` that corresponds to a name of another program.
    static func name(for foreign: String, among known: [String]) -> String? {
        entries(foreign).lazy.compactMap { $0.ours.first(where: known.contains) }.first
    }

    private static func entries(_ name: String) -> [Flag] {
        let bare = name.drop { $0 == "-" }.lowercased().replacing("_", with: "-")
        return flags.filter { $0.names.contains(bare) }
    }

    // MARK: Commands

    private static let commands: [(names: [String], ours: String)] = [
        (["serve", "server", "up", "launch", "daemon", "listen"], "start"),
        (["ls", "list", "tags", "cache"], "models"),
        (["ps", "stat", "stats", "health", "top", "info"], "status"),
        (["rm", "delete", "del", "uninstall", "prune"], "remove"),
        (["download", "get", "fetch", "install", "add"], "pull"),
        (["show", "describe", "details"], "inspect"),
        (["ask", "complete", "completion", "prompt", "infer", "predict"], "generate"),
        (["repl", "talk", "cli", "interactive"], "chat"),
        (["benchmark", "perf", "speed"], "bench"),
        (["check", "config", "verify"], "validate"),
    ]

    /// The advice after "unknown command 'NAME'".
    static func advice(onCommand name: String) -> String {
        let page = "pensieve --help lists the commands"
        let bare = name.lowercased()
        if bare == "run" {
            return ": 'start' serves a model, 'chat' talks to one, 'generate' gives one answer; \(page)"
        }
        if ["stop", "kill", "quit", "shutdown", "down"].contains(bare) {
            return ": Ctrl-C in its terminal ends a server, or SIGTERM; \(page)"
        }
        if let ours = commands.first(where: { $0.names.contains(bare) })?.ours {
            return "; did you mean '\(ours)'? \(page)"
        }
        if name.hasPrefix("-"), nearestName(to: name, among: ["--help", "--version"]) == nil {
            return ": a command comes before its flags, such as pensieve start --port 7777; \(page)"
        }
        if let nearest = nearestName(to: name, among: Command.names + ["--help", "--version"]) {
            return "; did you mean '\(nearest)'? \(page)"
        }
        if FileManager.default.fileExists(atPath: name) || ModelReference.isPlausible(name) {
            return ": to serve a model, pensieve start \(name); \(page)"
        }
        return "; \(page)"
    }
}
