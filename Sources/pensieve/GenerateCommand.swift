import EngineContract
import Foundation
import Scheduling
import Tokenization

/// `pensieve generate "prompt"`: one answer, streaming, through the same scheduler and engine as a server's.
enum GenerateCommand {
    /// The settings that matter without a server.
    static let settings = ["model", "context", "kv-memory", "threads", "precise", "step-tokens"]
    private static let own = ["config", "system", "max-tokens", "temperature", "seed"]

    static func run(_ raw: [String]) async throws -> Int32 {
        let known = Setting.all.filter { settings.contains($0.name) }
        var arguments = try Arguments(
            raw,
            valued: own + known.filter { !$0.isToggle }.map(\.name),
            toggles: known.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(Help.generate)
            return 0
        }
        let prompt = arguments.positional.joined(separator: " ")
        guard !prompt.isEmpty else { throw ConfigurationError("which prompt? pensieve generate \"What is 23 + 45?\"") }
        let system = arguments.take("system")
        let maxTokens = try number(&arguments, "max-tokens", 1...Double(1 << 20)) ?? 256
        var sampling = SamplingParameters()
        sampling.temperature = Float(try number(&arguments, "temperature", 0...2) ?? 0)
        sampling.seed = try number(&arguments, "seed", 0...9e15).map { UInt64($0) } ?? .random(in: .min ... .max)
        let configuration = try Configuration.resolve(
            file: arguments.take("config"),
            flags: arguments.flags,
            environment: ProcessInfo.processInfo.environment
        )

        let model = try await Model.load(configuration)
        let turns = [system.map { ChatTurn(role: .system, text: $0) }, ChatTurn(role: .user, text: prompt)]
        let request = GenerationRequest(
            client: "terminal",
            prompt: model.chatFormat.encode(turns.compactMap { $0 }, with: model.tokenizer),
            maxTokens: Int(maxTokens),
            stopTokens: model.chatFormat.stopTokens(in: model.tokenizer),
            sampling: sampling
        )
        let scheduler = Scheduler(
            engine: model.engine,
            configuration: Assembly.schedulerConfiguration(configuration)
        )
        return try await stream(request, model: model, scheduler: scheduler)
    }

    private static func stream(
        _ request: GenerationRequest,
        model: Model,
        scheduler: Scheduler
    ) async throws -> Int32 {
        let start = ContinuousClock.now
        var first: ContinuousClock.Instant?
        var decoder = StreamDecoder(tokenizer: model.tokenizer)
        for await event in try await scheduler.submit(request) {
            switch event {
            case .token(let token):
                first = first ?? .now
                Terminal.stream(decoder.push(token))
            case .finished(let summary):
                Terminal.print(decoder.finish())
                if case .failed(let reason) = summary.reason { throw EngineError(reason) }
                report(summary, start: start, first: first ?? .now)
            }
        }
        return 0
    }

    private static func report(
        _ summary: GenerationSummary,
        start: ContinuousClock.Instant,
        first: ContinuousClock.Instant
    ) {
        let prefill = (first - start) / .seconds(1)
        let decode = (ContinuousClock.now - first) / .seconds(1)
        let rate = decode > 0 ? Double(max(0, summary.generatedTokens - 1)) / decode : 0
        Terminal.error(
            String(
                format: "[%d prompt tokens, first token after %.0f ms; %d tokens, %.0f tokens per second]",
                summary.promptTokens,
                prefill * 1000,
                summary.generatedTokens,
                rate
            )
        )
    }

    private static func number(
        _ arguments: inout Arguments,
        _ name: String,
        _ range: ClosedRange<Double>
    ) throws(ConfigurationError) -> Double? {
        guard let text = arguments.take(name) else { return nil }
        guard let value = Double(text), range.contains(value) else {
            throw ConfigurationError("--\(name): must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
