import Foundation
import HTTPFront
import Inference
import MessagesAPI

/// A setting: the single source of its flag, configuration key, environment variable, checks and help text.
struct Setting {
    enum Kind {
        /// An address or a name to listen on; an IPv6 address may be in brackets.
        case host(WritableKeyPath<Configuration, String>)
        /// The path of a file or folder; `~/` is the user's home folder.
        case path(WritableKeyPath<Configuration, String?>)
        case integer(WritableKeyPath<Configuration, Int>, ClosedRange<Int>)
        case optionalInteger(WritableKeyPath<Configuration, Int?>, ClosedRange<Int>)
        case bytes(WritableKeyPath<Configuration, Int>, ClosedRange<Int>)
        case optionalBytes(WritableKeyPath<Configuration, Int?>, ClosedRange<Int>)
        case number(WritableKeyPath<Configuration, Double>, ClosedRange<Double>)
        case optionalNumber(WritableKeyPath<Configuration, Double?>, ClosedRange<Double>)
        /// Off unless the flag is given.
        case toggle(WritableKeyPath<Configuration, Bool>)
        /// One of some names.
        case choice(WritableKeyPath<Configuration, String>, [String])
        case optionalChoice(WritableKeyPath<Configuration, String?>, [String])
        /// Origins of web pages; `*` means all.
        case origins(WritableKeyPath<Configuration, [String]>)
        /// `on` or `off`.
        case onOff(WritableKeyPath<Configuration, Bool>)
    }

    /// As in `--kv-memory`.
    let name: String
    /// The placeholder of the value in the help; empty for a toggle.
    let placeholder: String
    let kind: Kind
    let help: String

    /// As in a configuration file: `kv_memory`.
    var key: String { name.replacingOccurrences(of: "-", with: "_") }
    /// As in the environment: `PENSIEVE_KV_MEMORY`.
    var variable: String { "PENSIEVE_" + key.uppercased() }

    var isToggle: Bool {
        if case .toggle = kind { true } else { false }
    }

    /// Whether the flag may be repeated; the environment separates values by commas, a file has a list.
    var isList: Bool {
        if case .origins = kind { true } else { false }
    }

    static func named(_ name: String) -> Setting? { all.first { $0.name == name } }
}

extension Setting {
    /// All settings by groups, in the order of the help.
    static var groups: [(title: String, settings: [Setting])] {
        [
            ("Model", model), ("Answers", sampling), ("Server", serving), ("Limits on clients", limits),
            ("Development", development),
        ]
    }

    static var all: [Setting] { groups.flatMap(\.settings) }

    private static var model: [Setting] {
        [
            Setting(
                name: "model",
                placeholder: "MODEL",
                kind: .path(\.model),
                help: "folder of a model (config.json, tokenizer.json, *.safetensors), a .gguf file, or "
                    + "ORG/NAME[@revision][:QUANT] of a hub, fetched if it is not here (see pull); "
                    + "default: the built-in model"
            ),
            Setting(
                name: "context",
                placeholder: "TOKENS",
                kind: .optionalInteger(\.context, 16...(1 << 20)),
                help: "longest prompt and answer of a session; default: what the model allows"
            ),
            Setting(
                name: "kv-memory",
                placeholder: "SIZE",
                kind: .optionalBytes(\.kvMemoryBytes, (1 << 20)...(1 << 44)),
                help:
                    "memory for the KV cache, such as 512M or 4G, taken as it is used; default: room for 65,536 tokens "
                    + "or one full context, and at most a quarter (for one context half) of free memory. States of "
                    + "recurrent layers take up to half of it; by default, an eighth of free memory besides"
            ),
            Setting(
                name: "kv-type",
                placeholder: "TYPE",
                kind: .optionalChoice(\.kvType, KVType.allCases.map(\.rawValue)),
                help: "numbers of the KV cache: f32, f16, bf16 or int8 (with a scale for each head and token); "
                    + "default: int8, with --precise f32"
            ),
            Setting(
                name: "threads",
                placeholder: "N",
                kind: .optionalInteger(\.threads, 1...256),
                help: "compute threads; default: one for each core"
            ),
            Setting(
                name: "precise",
                placeholder: "",
                kind: .toggle(\.precise),
                help: "float32 throughout, through OpenBLAS: slower, the reference for the fast kernels"
            ),
            Setting(
                name: "activations",
                placeholder: "KIND",
                kind: .choice(\.activations, Activations.allCases.map(\.rawValue)),
                help: "inputs of products with quantised weights: mixed, 8 bits and 15 where they stand out (default), "
                    + "int8, fastest, or int15, nearly as exact as float32"
            ),
            Setting(
                name: "kernels",
                placeholder: "NAME",
                kind: .optionalChoice(\.kernels, EngineOptions.kernelNames),
                help: "instruction set of the kernels, to compare: "
                    + "\(EngineOptions.kernelNames.joined(separator: ", ")); default: the fastest that this CPU has"
            ),
            Setting(
                name: "cache-idle-minutes",
                placeholder: "M",
                kind: .number(\.cacheIdleMinutes, 0...1_000_000),
                help: "give the memory of cached prompts and answers back that nobody used for so long; "
                    + "0 keeps them until others need it"
            ),
            Setting(
                name: "prefix-cache-dir",
                placeholder: "FOLDER",
                kind: .path(\.prefixCacheFolder),
                help: "where the KV cache of prompts and answers is saved when the server ends, and found again "
                    + "when it is next asked for the same; default: nowhere"
            ),
            Setting(
                name: "prefix-cache-bytes",
                placeholder: "SIZE",
                kind: .bytes(\.prefixCacheBytes, (1 << 20)...(1 << 44)),
                help: "most bytes in that folder; what was not used for longest is removed"
            ),
        ]
    }

    private static var serving: [Setting] {
        [
            Setting(
                name: "host",
                placeholder: "ADDRESS",
                kind: .host(\.host),
                help: "address to listen on, or a name for all of its addresses: localhost is 127.0.0.1 and ::1; "
                    + "one that others can reach needs --api-key-file"
            ),
            Setting(
                name: "port",
                placeholder: "PORT",
                kind: .integer(\.port, 0...65535),
                help: "port to listen on; 0 picks a free one"
            ),
            Setting(
                name: "api-key-file",
                placeholder: "FILE",
                kind: .path(\.apiKeyFile),
                help: "accepted API keys, one on each line; '#' begins a comment"
            ),
            Setting(
                name: "allow-origin",
                placeholder: "ORIGIN",
                kind: .origins(\.allowOrigins),
                help:
                    "web pages of this origin, such as https://chat.example, may use the API; repeatable, or * for all; "
                    + "default: no pages but the server's own, without keys also those of this machine"
            ),
            Setting(
                name: "max-sessions",
                placeholder: "N",
                kind: .integer(\.maxSessions, 1...4096),
                help: "sessions computed at once"
            ),
            Setting(
                name: "max-waiting",
                placeholder: "N",
                kind: .integer(\.maxWaiting, 0...100_000),
                help: "requests that may wait; past that, the newest of the client with most gets 529"
            ),
            Setting(
                name: "step-tokens",
                placeholder: "N",
                kind: .integer(\.stepTokens, 1...65536),
                help: "most tokens computed in one step: smaller is smoother, larger prefills faster"
            ),
            Setting(
                name: "inter-token-goal-ms",
                placeholder: "MS",
                kind: .number(\.interTokenGoalMs, 0...60_000),
                help: "while answers run, compute prompts in pieces that keep a step this short; 0 is about twice "
                    + "a step without prompts, and at least 20"
            ),
            Setting(
                name: "speculation",
                placeholder: "on|off",
                kind: .onOff(\.speculation),
                help: "while few sessions run, guess tokens from a session's own text and recent ones that begin "
                    + "alike, and compute them along: the same answers, sooner where they repeat what was said"
            ),
            Setting(
                name: "draft-model",
                placeholder: "MODEL",
                kind: .path(\.draftModel),
                help: "guess with a smaller model of the same vocabulary (named as --model) in place of a draft head: "
                    + "the same answers, sooner where it is often right; it rests where it does not pay. Takes memory "
                    + "for its weights and its part of the KV cache, and a share of prompts' time"
            ),
            Setting(
                name: "draft-head",
                placeholder: "on|off",
                kind: .onOff(\.draftHead),
                help: "guess with the model's own head for several tokens (MTP), too, where its files have one and "
                    + "speculation is on: the same answers, sooner; takes the memory of about a layer"
            ),
            Setting(
                name: "keep-thinking",
                placeholder: "",
                kind: .toggle(\.keepThinking),
                help: "keep what a model thought before earlier answers in the prompt, also where its template drops "
                    + "that: the next turn is found in the cache as a whole, and the context fills up sooner"
            ),
            Setting(
                name: "shutdown-seconds",
                placeholder: "S",
                kind: .number(\.shutdownSeconds, 0...86400),
                help: "how long running answers may go on after SIGTERM"
            ),
            Setting(
                name: "drain-seconds",
                placeholder: "S",
                kind: .number(\.drainSeconds, 0...3600),
                help: "how long the server goes on taking requests after SIGTERM while /health answers 503, so that "
                    + "a load balancer notices first"
            ),
            Setting(
                name: "ping-seconds",
                placeholder: "S",
                kind: .number(\.pingSeconds, 0.01...3600),
                help: "a ping event after this much silence in a stream"
            ),
            Setting(
                name: "log-requests",
                placeholder: "",
                kind: .toggle(\.logRequests),
                help: "one line on standard error for each request, without its texts and keys"
            ),
            Setting(
                name: "log-format",
                placeholder: "FORMAT",
                kind: .choice(\.logFormat, ServerLog.Format.allCases.map(\.rawValue)),
                help: "lines of the log: text, or json (an object on each line)"
            ),
        ]
    }

    private static var limits: [Setting] {
        [
            Setting(
                name: "max-connections",
                placeholder: "N",
                kind: .integer(\.limits.maxConnections, 1...1_000_000),
                help: "open connections; past that, idle ones give way to new ones, and if there are none, 503"
            ),
            Setting(
                name: "max-body",
                placeholder: "SIZE",
                kind: .bytes(\.limits.maxBodyBytes, 1024...(1 << 31)),
                help: "longest request body; past that, 413"
            ),
            Setting(
                name: "max-body-memory",
                placeholder: "SIZE",
                kind: .bytes(\.limits.maxBodyMemoryBytes, 1024...(1 << 44)),
                help: "memory for the bodies of all requests together, of which a client gets no more than it leaves "
                    + "to others; past that, 503"
            ),
            Setting(
                name: "max-headers",
                placeholder: "SIZE",
                kind: .bytes(\.limits.maxHeaderBytes, 1024...(1 << 20)),
                help: "longest header section; past that, 431"
            ),
            Setting(
                name: "max-header-fields",
                placeholder: "N",
                kind: .integer(\.limits.maxHeaderFields, 8...10_000),
                help: "most header fields; past that, 431"
            ),
            Setting(
                name: "max-request-line",
                placeholder: "SIZE",
                kind: .bytes(\.limits.maxRequestLineBytes, 256...(1 << 20)),
                help: "longest request line"
            ),
            Setting(
                name: "header-seconds",
                placeholder: "S",
                kind: .number(\.limits.headerTimeout.inSeconds, 0.05...3600),
                help: "time for a request's head to arrive"
            ),
            Setting(
                name: "body-seconds",
                placeholder: "S",
                kind: .number(\.limits.bodyStallTimeout.inSeconds, 0.05...3600),
                help: "longest pause in a request's body"
            ),
            Setting(
                name: "idle-seconds",
                placeholder: "S",
                kind: .number(\.limits.idleTimeout.inSeconds, 0.05...86400),
                help: "how long an idle connection is kept"
            ),
            Setting(
                name: "write-seconds",
                placeholder: "S",
                kind: .number(\.limits.writeStallTimeout.inSeconds, 0.05...3600),
                help: "how long a write may be stuck before the client counts as gone"
            ),
            Setting(
                name: "reader-stall-seconds",
                placeholder: "S",
                kind: .number(\.readerStallSeconds, 0.05...3600),
                help: "how long a paused session may hold its KV blocks for a slow reader"
            ),
        ]
    }

    private static var development: [Setting] {
        [
            Setting(
                name: "mock",
                placeholder: "",
                kind: .toggle(\.mock),
                help: "no model: answer 'Mock response to: <last user text>' (for people who develop clients)"
            ),
            Setting(
                name: "mock-tokens-per-second",
                placeholder: "N",
                kind: .number(\.mockTokensPerSecond, 0.1...100_000),
                help: "how fast the mock answers, for each session"
            ),
        ]
    }
}
