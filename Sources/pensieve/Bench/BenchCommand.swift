import Chat
import Console
import Constraints
import EngineContract
import Foundation
import Inference
import JSON
import MessagesAPI
import ModelFiles

/// `pensieve bench MODEL`: measures how fast this machine computes a model, without a server.
enum BenchCommand {
    /// The settings that apply to an engine without a scheduler.
    static let settings = [
        "model", "context", "kv-memory", "kv-type", "threads", "precise", "activations", "kernels", "step-tokens",
        "draft-head",
    ]

    static func run(_ raw: [String]) async throws -> Int32 {
        let known = Setting.all.filter { settings.contains($0.name) }
        var arguments = try Arguments(
            raw,
            of: "bench",
            valued: ["config"] + BenchPlan.flags + known.filter { !$0.isToggle }.map(\.name),
            toggles: ["json", "profile", "constrained"] + known.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(Help.bench)
            return 0
        }
        let plan = try BenchPlan(&arguments)
        let asJSON = arguments.take("json") == "true"
        let showsProfile = arguments.take("profile") == "true"
        let isConstrained = arguments.take("constrained") == "true"
        guard !isConstrained || !asJSON else { throw ConfigurationError("--constrained gives no JSON") }
        var configuration = try Configuration.resolve(&arguments)
        configuration.mock = false
        guard arguments.positional.count <= 1 else { throw ConfigurationError("one model at a time, please") }
        if let name = arguments.positional.first { configuration.model = name }
        configuration.machineWarnings().forEach(Terminal.warning)
        try await chooseMemory(&configuration, for: plan)

        // Before the model is loaded, whose threads would compete.
        let limits = try await MachineLimits.measure(configuration.engineOptions)
        let start = ContinuousClock.now
        let model = try await Model.load(configuration)
        let loadSeconds = (ContinuousClock.now - start) / .seconds(1)
        guard let engine = model.engine as? any BlockTransfer else {
            throw ConfigurationError("the sessions of this engine cannot be copied")
        }
        var report = BenchReport(
            engine: engine.description,
            limits: limits,
            loadSeconds: loadSeconds,
            stepTokens: configuration.stepTokens
        )
        if !asJSON { Terminal.print(report.heading) }
        let bench = Bench(engine: engine, plan: plan, stepTokens: configuration.stepTokens)
        if isConstrained {
            try await compare(bench, model)
            return 0
        }
        try await bench.run { row in
            report.add(row)
            guard !asJSON else { return }
            Terminal.print(row.line)
            if showsProfile && row.skipped == nil { Terminal.print(row.profile) }
        }
        report.memory.residentAtEnd = ProcessMemory.residentBytes()
        Terminal.print(asJSON ? try prettyJSON(report) : report.closing)
        return 0
    }

    /// Measures what constraints cost.
    private static func compare(_ bench: Bench, _ model: Model) async throws {
        let stopTokens = model.chatFormat.stopTokens(in: model.tokenizer)
        let vocabulary = Vocabulary(
            model.tokenizer,
            rows: model.engine.description.vocabularySize,
            stopTokens: stopTokens
        )
        let schema = try JSONDocument(Array(ConstrainedRow.schema.utf8)).root
        let constraint = GrammarConstraint(try Grammar(schema: schema), vocabulary)
        try await bench.compare(constraint, stopTokens: stopTokens) { Terminal.print($0) }
    }

    /// By default the KV memory is what the planned rows need, at most half of the free memory; it is reserved, and
    /// only used by rows as needed.
    private static func chooseMemory(_ configuration: inout Configuration, for plan: BenchPlan) async throws {
        guard configuration.kvMemoryBytes == nil else { return }
        var source = ModelSource.memory(BuiltinFiles.all)
        if let name = configuration.model {
            let location = try await ModelLocation.find(name)
            try Model.check(location.path)
            source = try location.source
        }
        let type = configuration.engineOptions.chosenKVType
        var files = try ModelConfiguration(source: source)
        if configuration.usesDraftHead { files.addDraftHead(in: try files.tensors(of: source)) }
        let model = files.transformer
        var (needed, overflow) = plan.kvTokens.multipliedReportingOverflow(by: model.kvBytesPerToken(type))
        if let stateBytes = model.stateBytesPerSession, !overflow {
            // States take half of it at most.
            let states = (plan.sessions.max() ?? 1) * stateBytes
            (needed, overflow) = max(needed, states).multipliedReportingOverflow(by: 2)
        }
        configuration.kvMemoryBytes = max(1 << 20, min(overflow ? .max : needed, SystemMemory.freeBytes() / 2))
    }
}

/// The memory of this process.
enum ProcessMemory {
    /// Resident bytes; 0 if unknown.
    static func residentBytes() -> Int { bytes("VmRSS") }

    private static func bytes(_ name: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.count >= 2, let kibibytes = Int(fields[1]) { return kibibytes * 1024 }
        }
        return 0
    }
}
