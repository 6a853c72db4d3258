import Chat
import EngineContract
import Foundation
import ModelHub
import Scheduling
import Synchronization

/// A model in this process, with a server's scheduler: its prefix cache saves recomputing earlier turns.
final class LocalBackend: ChatBackend {
    private let loaded: Model
    private let scheduler: Scheduler
    private let configuration: Configuration
    private let options: ChatOptions
    private let running = Mutex(Running())

    private struct Running {
        var generation: Generation?
        /// May be set before there is a generation.
        var isInterrupted = false
    }

    init(_ configuration: Configuration, _ options: ChatOptions) async throws {
        loaded = try await Model.load(configuration)
        scheduler = Scheduler(
            engine: loaded.engine,
            configuration: Assembly.schedulerConfiguration(configuration)
        )
        self.configuration = configuration
        self.options = options
    }

    var model: String { loaded.engine.description.modelID }
    let location = "in this process"

    func interrupt() {
        running.withLock { running in
            running.isInterrupted = true
            running.generation?.cancel()
        }
    }

    func answer(
        _ question: String,
        in conversation: Conversation,
        _ emit: @escaping @Sendable (String) -> Void
    ) async throws -> ChatAnswer {
        let start = ContinuousClock.now
        running.withLock { $0 = Running() }
        defer { running.withLock { $0 = Running() } }
        let turns = conversation.chatTurns(asking: question)
        let prompt = try loaded.chatFormat.prompt(ChatConversation(turns: turns), with: loaded.tokenizer)
        let generation = try await generation(prompt.tokens)
        running.withLock { running in
            running.generation = generation
            if running.isInterrupted { generation.cancel() }
        }
        var first: ContinuousClock.Instant?
        var answer = LocalAnswer(loaded, to: prompt)
        var text = ""
        func append(_ piece: String) {
            text += piece
            if !piece.isEmpty { emit(piece) }
        }
        for await event in generation {
            switch event {
            case .token(let token):
                first = first ?? .now
                append(answer.push(token))
            case .finished(let summary):
                append(answer.finish())
                if case .failed(let reason) = summary.reason { throw ChatError(reason) }
                return ChatAnswer(text: text, statistics: AnswerStatistics(summary, start: start, first: first))
            }
        }
        throw ChatError("the answer was broken off")
    }

    private func generation(_ prompt: [Token]) async throws -> Generation {
        var sampling = configuration.sampling(loaded.generation)
        sampling.seed = options.seed.map { UInt64($0) } ?? .random(in: .min ... .max)
        let request = GenerationRequest(
            client: "terminal",
            prompt: prompt,
            maxTokens: options.maxTokens,
            stopTokens: loaded.chatFormat.stopTokens(in: loaded.tokenizer),
            sampling: sampling
        )
        do {
            return try await scheduler.submit(request)
        } catch AdmissionError.promptTooLong(let tokens, let maximum) {
            throw ChatError("the conversation is too long for the model: \(tokens) tokens > \(maximum) maximum")
        }
    }

    func models() throws -> [String] {
        [BuiltinFiles.modelID] + ModelLocation.models(in: HubCache(root: try HubModels.settings().cache))
    }

    func switched(to model: String) async throws -> any ChatBackend {
        var configuration = configuration
        configuration.model = model == BuiltinFiles.modelID ? nil : model
        return try await LocalBackend(configuration, options)
    }
}
