import Chat
import Console
import EngineContract
import Foundation
import Inference
import ModelFiles
import ModelHub
import Tokenization

/// A description of a model and the memory it needs, from its files' headers only.
struct ModelReport: Encodable {
    /// The memory for a number of sessions of one length: weights and KV.
    struct Memory: Encodable {
        var tokensEach: Int
        var sessions: Int
        var bytes: Int
    }

    /// The heads of attention.
    struct Heads: Encodable {
        var heads: Int
        var kvHeads: Int
        var headSize: Int
    }

    var model: String
    var path: String?
    var architecture: String
    var parameters: Int
    var weightBytes: Int
    var layers: Int
    var hiddenSize: Int
    var heads: Int
    var kvHeads: Int
    var headSize: Int
    /// Of some layers, where they are others.
    var otherHeads: [Heads]?
    var vocabularySize: Int
    var contextLength: Int
    var slidingWindow: Int?
    /// Whether there is a head that drafts tokens (multi-token prediction).
    var draftHead: Bool
    /// Those of the language model, which alone are read.
    var tensors: [TensorGroup]
    /// The others, for people.
    var leftOut: String?
    var kvType: String
    var kvBytesPerToken: Int
    /// What recurrent layers keep of a session, whatever its length.
    var stateBytesPerSession: Int?
    var memory: [Memory]
    /// The most memory that a server takes with default settings on this machine, including its KV cache.
    var serverBytes: Int?
    var serverKVBytes: Int?
    var serverKVTokens: Int?
    /// The default sampling parameters.
    var sampling: String
    /// Sampling parameters in the model's files that cannot be used.
    var samplingWarnings: [String]
    /// A short conversation in the model's chat format, or why it cannot be rendered.
    var chatExample: String?
    var chatProblem: String?
    /// Remarks on tokenizer and chat format.
    var notes: [String] = []

    static let sessionCounts = [1, 8, 32]
    private static let shortSession = 2048

    init(name: String, path: String?, source: ModelSource, kvType: KVType) throws {
        var configuration = try ModelConfiguration(source: source)
        let directory = try configuration.tensors(of: source)
        configuration.addDraftHead(in: directory)
        let transformer = configuration.transformer
        let unread = LeftOutWeights(of: directory, transformer)
        tensors = TensorGroup.all(in: directory.removing(unread.names), configuration.quantization)
        leftOut = unread.text
        model = name
        self.path = path
        architecture = configuration.modelType
        parameters = tensors.reduce(0) { $0 + $1.parameters }
        weightBytes = tensors.reduce(0) { $0 + $1.bytes }
        layers = transformer.layers.count
        draftHead = transformer.draftHead != nil
        hiddenSize = transformer.hiddenSize
        heads = transformer.heads.count
        kvHeads = transformer.heads.kvCount
        headSize = transformer.heads.size
        let others = transformer.headKinds.dropFirst()
        otherHeads =
            others.isEmpty ? nil : others.map { Heads(heads: $0.count, kvHeads: $0.kvCount, headSize: $0.size) }
        vocabularySize = transformer.vocabularySize
        contextLength = transformer.contextLength
        slidingWindow = transformer.window
        self.kvType = kvType.rawValue
        kvBytesPerToken = transformer.kvBytesPerToken(kvType)
        stateBytesPerSession = transformer.stateBytesPerSession
        do {
            let text = try ModelText(source, configuration, LoadedModel.Vocabulary(source: source))
            notes = text.notes
            chatExample = try Self.example(text)
        } catch {
            chatProblem = "\(error)"
        }
        let defaults = Configuration()
        sampling = defaults.sampling(configuration.generation).text
        samplingWarnings = configuration.generation.warnings
        var options = EngineOptions()
        options.kvType = kvType
        if let plan = try? MemoryPlan(transformer, options: options) {
            (serverKVBytes, serverKVTokens) = (plan.kvBytes, plan.kvTokens)
            let working = plan.working.bytes(stepTokens: defaults.stepTokens, samples: defaults.maxSamples)
            serverBytes = weightBytes + plan.kvBytes + (plan.states?.byteCount ?? 0) + working
        }
        let lengths = Set([min(Self.shortSession, contextLength), contextLength]).sorted()
        memory = lengths.flatMap { [weightBytes, kvBytesPerToken, stateBytesPerSession] tokens in
            Self.sessionCounts.map { sessions in
                Memory(
                    tokensEach: tokens,
                    sessions: sessions,
                    bytes: Self.sum(weightBytes, tokens, sessions, kvBytesPerToken, stateBytesPerSession ?? 0)
                )
            }
        }
    }

    /// Saturates, as sizes come from files.
    private static func sum(
        _ weights: Int,
        _ tokens: Int,
        _ sessions: Int,
        _ bytesPerToken: Int,
        _ bytesPerSession: Int
    ) -> Int {
        let each = Double(tokens) * Double(bytesPerToken) + Double(bytesPerSession)
        return Int(exactly: (Double(weights) + Double(sessions) * each).rounded()) ?? Int.max
    }

    private static func example(_ text: ModelText) throws -> String {
        let turns = [
            ChatTurn(role: .system, text: "You are a helpful assistant."), ChatTurn(role: .user, text: "Hello!"),
            ChatTurn(role: .assistant, text: "Hello! How can I help?"), ChatTurn(role: .user, text: "What is 23 + 45?"),
        ]
        // With the same chat format as a server of this model.
        let tokens = try text.chatFormat.prompt(ChatConversation(turns: turns), with: text.tokenizer).tokens
        return String(decoding: tokens.flatMap(text.tokenizer.bytes(of:)), as: UTF8.self)
    }
}

extension ModelReport {
    /// The report as text.
    var text: String {
        var lines = [model] + (path.map { [field("path", $0)] } ?? [])
        lines += [
            field("architecture", "\(architecture.printable), \(layers) layers of \(hiddenSize)"),
            field(
                "attention",
                ([Heads(heads: heads, kvHeads: kvHeads, headSize: headSize)] + (otherHeads ?? []))
                    .map { "\($0.heads) heads of \($0.headSize), \($0.kvHeads) for keys and values" }
                    .joined(separator: "; ")
            ),
            field("vocabulary", "\(Format.count(vocabularySize)) tokens"),
            field(
                "context",
                "\(Format.count(contextLength)) tokens"
                    + (slidingWindow.map { "; layers with a window see the last \(Format.count($0))" } ?? "")
            ),
            field("parameters", "\(Format.parameters(parameters)) in \(Format.bytes(weightBytes))"),
        ]
        if draftHead { lines.append(field("draft head", "one layer more, which guesses tokens (MTP)")) }
        lines.append("")
        lines += Self.table(
            ["tensors", "form", "parameters", "size"],
            tensors.map { [$0.kind.rawValue, $0.form, Format.parameters($0.parameters), Format.bytes($0.bytes)] }
        )
        if let leftOut { lines += ["", field("left out", leftOut)] }
        lines += ["", field("KV memory", "\(Format.bytes(kvBytesPerToken)) for each token, as \(kvType)")]
        if let stateBytesPerSession {
            lines.append(
                field("state memory", "\(Format.bytes(stateBytesPerSession)) for each session and each snapshot")
            )
        }
        lines.append("")
        // Blocks outside every layer's window are freed; only the loaded model knows when.
        let heading = slidingWindow == nil ? "memory for" : "memory for at most"
        lines += Self.table([heading] + Self.sessionCounts.map { $0 == 1 ? "1 session" : "\($0) sessions" }, needs)
        if let serverBytes, let serverKVBytes, let serverKVTokens {
            lines += [
                "",
                field("a server", "takes at most \(Format.bytes(serverBytes)) on this machine by default,"),
                field("", "\(Format.bytes(serverKVBytes)) of it KV memory for \(Format.count(serverKVTokens)) tokens"),
            ]
        }
        lines += ["", field("sampling", "\(sampling), where a request does not say")]
        lines += samplingWarnings.map { field("", "ignored: " + $0.printable(upTo: 2000)) }
        lines += [""] + notes.map { field("note", $0.printable(upTo: 2000)) } + conversation
        return lines.joined(separator: "\n")
    }

    private var conversation: [String] {
        guard let chatExample else {
            return [field("chat", "cannot be shown: \((chatProblem ?? "no template").printable(upTo: 2000))")]
        }
        let lines = chatExample.split(separator: "\n", omittingEmptySubsequences: false)
        return ["  a short conversation as the model reads it:", ""]
            + lines.map { "    " + String($0).printable(upTo: 2000) }
    }

    private var needs: [[String]] {
        Set(memory.map(\.tokensEach)).sorted().map { tokens in
            ["\(Format.count(tokens)) tokens each"]
                + memory.filter { $0.tokensEach == tokens }.map { Format.bytes($0.bytes) }
        }
    }

    private func field(_ name: String, _ value: String) -> String {
        "  \(name.padding(toLength: 14, withPad: " ", startingAt: 0))\(value)"
    }

    private static func table(_ heading: [String], _ rows: [[String]]) -> [String] {
        TextTable.lines([heading] + rows).map { "  " + $0 }
    }
}
