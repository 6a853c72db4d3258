import Console
import Foundation
import ModelHub

/// What other programs call the same things, so that a hand used to them is led to the right name.
enum OtherPrograms {
    private struct Names {
        /// As others write them, without dashes.
        let theirs: [String]
        /// Flags of this program, the first that a command has counts; empty where there is nothing to set.
        var ours: [String] = []
        /// What else is to be said.
        var remark: String?
    }

    private static let flags: [Names] = [
        Names(
            theirs: ["api-key", "api-keys", "key", "token"],
            ours: ["api-key-file"],
            remark: "a key is read from a file, as every user of the machine sees command lines: '--api-key-file FILE'"
        ),
        Names(
            theirs: ["ctx-size", "c", "ctx", "max-model-len", "context-length", "context-size", "num-ctx", "n-ctx"],
            ours: ["context"]
        ),
        Names(
            theirs: ["m", "model-path", "model-id", "hf", "hfr", "hf-repo", "hf-model", "gguf", "repo"],
            ours: ["model"]
        ),
        Names(theirs: ["stream"], remark: "each request asks for its stream itself, with \"stream\": true"),
        Names(
            theirs: [
                "n-gpu-layers", "ngl", "gpu-layers", "gpu", "gpus", "device", "main-gpu", "tensor-split",
                "gpu-memory-utilization", "tensor-parallel-size", "tp",
            ],
            remark: "there is no GPU to set: Pensieve computes on the CPU"
        ),
        Names(theirs: ["t", "threads-batch", "tb", "num-threads", "n-threads", "cpu-threads"], ours: ["threads"]),
        Names(theirs: ["p"], ours: ["port"]),
        Names(theirs: ["p", "prompt"], remark: "the prompt stands alone: pensieve generate \"What is 23 + 45?\""),
        Names(theirs: ["bind", "listen", "address", "addr", "ip"], ours: ["host"]),
        Names(theirs: ["np", "parallel", "max-num-seqs", "max-concurrent-requests"], ours: ["max-sessions"]),
        Names(theirs: ["b", "batch-size", "ub", "ubatch-size", "max-num-batched-tokens"], ours: ["step-tokens"]),
        Names(theirs: ["ctk", "ctv", "cache-type-k", "cache-type-v", "kv-cache-dtype"], ours: ["kv-type"]),
        Names(theirs: ["cache-ram", "kv-cache-memory", "kv-cache-size"], ours: ["kv-memory"]),
        Names(theirs: ["n", "n-predict", "num-predict", "max-new-tokens", "predict"], ours: ["max-tokens"]),
        Names(theirs: ["temp"], ours: ["temperature"]),
        Names(theirs: ["s"], ours: ["seed"]),
        Names(theirs: ["sys", "system-prompt", "system-message"], ours: ["system"]),
        Names(theirs: ["v", "verbose", "log", "access-log", "log-level"], ours: ["log-requests"]),
        Names(theirs: ["base-url", "server", "endpoint", "u"], ours: ["url"]),
        Names(theirs: ["y", "force", "f"], ours: ["yes"]),
        Names(
            theirs: ["q", "quant", "quantization"],
            remark: "a quantisation is part of a model's name: ORG/NAME:QUANT, such as :Q4_K_M"
        ),
        Names(theirs: ["workers", "reload"], remark: "one process serves all clients at once"),
        Names(theirs: ["metrics"], remark: "/metrics is always there"),
        Names(theirs: ["fa", "flash-attn"], remark: "attention has one way, the fast one"),
    ]

    /// What a flag of another program is here; nil if nobody has it.
    /// - Parameter known: the flags of the command, without dashes.
    static func advice(on flag: String, among known: [String]) -> String? {
        for names in entries(flag) {
            if let ours = names.ours.first(where: known.contains) { return names.remark ?? "here it is '--\(ours)'" }
            if names.ours.isEmpty { return names.remark }
        }
        return nil
    }

    /// The name in `known` for what another program calls so.
    static func name(for theirs: String, among known: [String]) -> String? {
        entries(theirs).lazy.compactMap { $0.ours.first(where: known.contains) }.first
    }

    private static func entries(_ name: String) -> [Names] {
        let bare = name.drop { $0 == "-" }.lowercased().replacing("_", with: "-")
        return flags.filter { $0.theirs.contains(bare) }
    }

    // MARK: Commands

    private static let commands: [(theirs: [String], ours: String)] = [
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

    /// What is to be said behind "unknown command 'NAME'".
    static func advice(onCommand name: String) -> String {
        let page = "pensieve --help lists the commands"
        let bare = name.lowercased()
        if bare == "run" {
            return ": 'start' serves a model, 'chat' talks to one, 'generate' gives one answer; \(page)"
        }
        if ["stop", "kill", "quit", "shutdown", "down"].contains(bare) {
            return ": Ctrl-C in its terminal ends a server, or SIGTERM; \(page)"
        }
        if let ours = commands.first(where: { $0.theirs.contains(bare) })?.ours {
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
