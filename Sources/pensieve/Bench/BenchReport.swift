import EngineContract
import Foundation
import Inference

/// The results of a benchmark, and their presentation.
struct BenchReport: Encodable {
    struct Engine: Encodable {
        var model: String
        var architecture: String
        var parameters: Int
        var quantization: String
        var threads: Int
        var kernels: String
        var stepTokens: Int
    }

    struct Memory: Encodable {
        var weightBytes: Int
        var kvBytesPerToken: Int
        var kvTokens: Int
        var residentAfterLoad: Int
        var residentAtEnd = 0
    }

    struct Measurement: Encodable {
        var sessions: Int
        /// Prefill: the prompt's length; decode: the length of each session at the end of a run.
        var context: Int
        var tokensPerSecond: Double
        var millisecondsPerStep: Double?
        /// Tokens per second of each run.
        var runs: [Double]
        /// The shares of the kinds of work in the engine's time, which add up to 1.
        var shares: [String: Double]
    }

    struct Skipped: Encodable {
        var row: String
        var sessions: Int
        var context: Int
        var reason: String
    }

    /// The machine's limits, independent of the model.
    struct Limits: Encodable {
        var readBytesPerSecond: Double
        var int8OperationsPerSecond: Double
    }

    let version = Command.version
    let engine: Engine
    let limits: Limits
    let loadSeconds: Double
    private(set) var prefill: [Measurement] = []
    private(set) var decode: [Measurement] = []
    private(set) var skipped: [Skipped] = []
    var memory: Memory

    init(engine description: EngineDescription, limits: MachineLimits, loadSeconds: Double, stepTokens: Int) {
        self.limits = Limits(
            readBytesPerSecond: limits.readBytesPerSecond,
            int8OperationsPerSecond: limits.int8OperationsPerSecond
        )
        engine = Engine(
            model: description.displayName,
            architecture: description.architecture,
            parameters: description.parameterCount,
            quantization: description.quantization,
            threads: description.threads,
            kernels: description.kernelVariant,
            stepTokens: stepTokens
        )
        memory = Memory(
            weightBytes: description.weightBytes,
            kvBytesPerToken: description.kvBytesPerToken,
            kvTokens: description.blockCount * description.blockSize,
            residentAfterLoad: ProcessMemory.residentBytes()
        )
        self.loadSeconds = loadSeconds
    }

    mutating func add(_ row: BenchRow) {
        let (name, sessions, context) =
            switch row.kind {
            case .prefill(let tokens): ("prefill", 1, tokens)
            case .decode(let sessions, let context): ("decode", sessions, context)
            }
        if let reason = row.skipped {
            skipped.append(Skipped(row: name, sessions: sessions, context: context, reason: reason))
            return
        }
        let measurement = Measurement(
            sessions: sessions,
            context: context,
            tokensPerSecond: row.tokensPerSecond,
            millisecondsPerStep: row.millisecondsPerStep,
            runs: row.runs.map(\.tokensPerSecond),
            shares: row.shares
        )
        if name == "prefill" { prefill.append(measurement) } else { decode.append(measurement) }
    }
}

extension BenchReport {
    /// The part of the report that is known once the model is loaded.
    var heading: String {
        [
            engine.model,
            "  weights     \(Format.parameters(engine.parameters)), \(engine.quantization), "
                + Format.bytes(memory.weightBytes),
            "  compute     \(engine.threads) \(engine.threads == 1 ? "thread" : "threads"), \(engine.kernels) kernels, "
                + "steps of up to \(Format.count(engine.stepTokens)) tokens",
            String(
                format: "  limits      %.1f GB/s of memory read, %.2f Top/s in 8 bits",
                limits.readBytesPerSecond / 1e9,
                limits.int8OperationsPerSecond / 1e12
            ),
            "  KV memory   \(Format.bytes(memory.kvBytesPerToken)) for each token, room for "
                + "\(Format.count(memory.kvTokens)) tokens",
            String(format: "  loaded in   %.2f s", loadSeconds),
            "",
            BenchRow.heading,
        ].joined(separator: "\n")
    }

    var closing: String {
        "\n  resident    \(Format.bytes(memory.residentAfterLoad)) after loading, "
            + "\(Format.bytes(memory.residentAtEnd)) at the end"
    }
}
