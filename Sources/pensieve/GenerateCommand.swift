import Chat
import EngineContract
import Foundation
import Platform
import Scheduling

/// `pensieve generate "prompt"`: one answer, streaming, through the same scheduler and engine as a server's.
enum GenerateCommand {
    /// The settings that apply without a server.
    static let settings = [
        "model", "context", "kv-memory", "kv-type", "threads", "precise", "activations", "kernels", "step-tokens",
        "speculation",
        "draft-head", "draft-model", "temperature", "top-p", "top-k", "min-p", "repetition-penalty",
    ]
    private static let own = ["config", "system", "max-tokens", "seed"]

    static func run(_ raw: [String]) async throws -> Int32 {
        let known = Setting.all.filter { settings.contains($0.name) }
        var arguments = try Arguments(
            raw,
            of: "generate",
            valued: own + known.filter { !$0.isToggle }.map(\.name),
            toggles: known.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(Help.generate)
            return 0
        }
        let system = arguments.take("system")
        let maxTokens = try arguments.takeInteger("max-tokens", 1...(1 << 20)) ?? 256
        let seed = try arguments.takeInteger("seed", 0...Int.max).map { UInt64($0) }
        let configuration = try Configuration.resolve(&arguments)
        let prompt = try await PromptText.find(arguments.positional)

        configuration.machineWarnings().forEach(Terminal.warning)
        let model = try await Model.load(configuration)
        var sampling = configuration.sampling(model.generation)
        sampling.seed = seed ?? .random(in: .min ... .max)
        let turns = [system.map { ChatTurn(role: .system, text: $0) }, ChatTurn(role: .user, text: prompt)]
        let conversation = ChatConversation(turns: turns.compactMap { $0 })
        let chatPrompt = try model.chatFormat.prompt(conversation, with: model.tokenizer)
        let request = GenerationRequest(
            client: "terminal",
            prompt: chatPrompt.tokens,
            maxTokens: maxTokens,
            stopTokens: model.chatFormat.stopTokens(in: model.tokenizer),
            sampling: sampling
        )
        let scheduler = Scheduler(
            engine: model.engine,
            configuration: Assembly.schedulerConfiguration(configuration)
        )
        return try await stream(request, LocalAnswer(model, to: chatPrompt), scheduler: scheduler)
    }

    /// Streams the answer. The first Ctrl-C ends it and prints the statistics, the second ends the program.
    private static func stream(
        _ request: GenerationRequest,
        _ answer: LocalAnswer,
        scheduler: Scheduler
    ) async throws -> Int32 {
        let generation: Generation
        do {
            generation = try await scheduler.submit(request)
        } catch AdmissionError.promptTooLong(let tokens, let maximum) {
            throw ConfigurationError("the prompt is too long: \(tokens) tokens > \(maximum) maximum")
        }
        let interruption = Task {
            var signals = Signals().received.makeAsyncIterator()
            guard await signals.next() != nil else { return }
            generation.cancel()
            if let number = await signals.next() { exit(128 + number) }
        }
        defer { interruption.cancel() }

        let start = ContinuousClock.now
        var first: ContinuousClock.Instant?
        var answer = answer
        var status: Int32 = 0
        for await event in generation {
            switch event {
            case .token(let token):
                first = first ?? .now
                Terminal.stream(answer.push(token))
            case .finished(let summary):
                Terminal.stream(answer.finish() + "\n")
                if case .failed(let reason) = summary.reason { throw EngineError(reason) }
                Terminal.error(AnswerStatistics(summary, start: start, first: first).line)
                if summary.reason == .cancelled { status = 128 + SIGINT }
            }
        }
        return status
    }
}

/// Reads the prompt of `generate` from the arguments or standard input.
private enum PromptText {
    private static let maxBytes = 16 << 20

    /// - Parameter words: the positional arguments; `-`, or none if standard input is not a terminal, means standard
    ///   input.
    /// - Throws: `ConfigurationError` if there is no valid prompt.
    static func find(_ words: [String]) async throws(ConfigurationError) -> String {
        let fromInput = words == ["-"] || (words.isEmpty && !Terminal.inputIsKeyboard)
        guard !words.isEmpty || fromInput else {
            throw ConfigurationError(
                "which prompt? pensieve generate \"What is 23 + 45?\", or - to read standard input"
            )
        }
        let text = fromInput ? try await readInput() : words.joined(separator: " ")
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ConfigurationError("the prompt is empty; pensieve generate \"What is 23 + 45?\"")
        }
        return text
    }

    /// All of standard input, without the line break at its end.
    private static func readInput() async throws(ConfigurationError) -> String {
        // Reading may block for long, so it gets a thread of its own.
        let bytes = try? await onThread(named: "input") { try FileHandle.standardInput.read(upToCount: maxBytes + 1) }
        guard let bytes else { return "" }
        guard bytes.count <= maxBytes else { throw ConfigurationError("standard input: a prompt has at most 16 MiB") }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw ConfigurationError("standard input: not UTF-8 text")
        }
        return text.last?.isNewline == true ? String(text.dropLast()) : text
    }
}
