import EngineContract
import Foundation
import Inference
import ModelFiles

/// Feeds sequences to an engine, each alone, and writes what it makes of them.
struct Probe {
    private let options: ProbeOptions
    private let engine: Engine

    init(_ options: ProbeOptions) throws(ModelError) {
        var settings = options.engine
        let loaded = try loadModel(from: .at(options.model), packing: !settings.precise, draftHead: false)
        let blocks = (options.context + settings.blockSize - 1) / settings.blockSize
        settings.contextLimit = options.context
        settings.kvMemoryBytes =
            blocks * settings.blockSize * loaded.configuration.transformer.kvBytesPerToken(settings.chosenKVType)
            + (loaded.configuration.transformer.stateBytesPerSession ?? 0)
        settings.stateSlots = 1
        self.options = options
        engine = try Engine(model: loaded, options: settings)
    }

    /// Writes the logits after each token of the sequence from `options.first` on and after each token of its
    /// continuation but the last, then the continuation.
    func run(_ sequence: [Token]) async throws {
        var rows = try await engine.logits(of: sequence, from: options.first)
        var continuation: [Token] = []
        while continuation.count < options.continued, let row = rows.last {
            continuation.append(Self.largest(row))
            guard continuation.count < options.continued else { break }
            rows.append(try await logits(after: continuation, sequence: sequence))
        }
        let size = engine.description.vocabularySize
        try Self.write([Int32(rows.count), Int32(size)])
        for row in rows { try Self.write(row) }
        try Self.write([Int32(continuation.count)] + continuation)
    }

    /// The logits after the last token of a continuation, of which all tokens before are computed.
    private func logits(after continuation: [Token], sequence: [Token]) async throws -> [Float] {
        let size = engine.description.blockSize
        let position = sequence.count + continuation.count - 1
        let entry = StepEntry(
            session: SessionID(0),
            tokens: continuation.suffix(1),
            startPosition: position,
            blocks: (0...Int32(position / size)).map { BlockIndex($0) },
            samples: true,
            sampling: .greedy,
            sampleIndex: continuation.count,
            state: engine.description.stateMemory.map { _ in StateUse(slot: 0, source: 0) }
        )
        let rows = try await engine.logits(of: Step(entries: [entry]))
        guard let row = rows.first ?? nil else { throw EngineError("a step without logits") }
        return row
    }

    /// The first of the largest logits.
    private static func largest(_ logits: [Float]) -> Token {
        var best = 0
        for index in logits.indices where logits[index] > logits[best] { best = index }
        return Token(best)
    }

    /// Resident memory now and at its largest, in bytes.
    func writeMemory() throws {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let values = ["VmRSS:", "VmHWM:"].map { name in
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) } ?? 0
        }
        try Self.write(values.map { $0 * 1024 })
    }

    private static func write<Number>(_ numbers: [Number]) throws {
        try numbers.withUnsafeBytes { try FileHandle.standardOutput.write(contentsOf: Data($0)) }
    }
}
