import Chat
import EngineContract
import Scheduling

extension MessagesAPI {
    /// Asks the scheduler for an answer.
    /// - Throws: `APIError` if the scheduler does not admit the request.
    func submit(_ prepared: PreparedRequest, of request: RoutedRequest) async throws(APIError) -> AnswerReader {
        let message = prepared.message
        let generationRequest = GenerationRequest(
            client: request.clientName,
            prompt: prepared.prompt,
            // Clients ask for more than any context holds; that much is never reached.
            maxTokens: min(message.maxTokens ?? 0, contextLength),
            stopTokens: model.chatFormat.stopTokens(in: model.tokenizer),
            sampling: sampling(message)
        )
        do {
            return AnswerReader(
                try await scheduler.submit(generationRequest),
                promptTokens: prepared.prompt.count,
                text: AnswerText(
                    tokenizer: model.tokenizer,
                    stopSequences: prepared.stopSequences,
                    startsText: !prepared.continuesAssistantText
                ),
                record: request.record
            )
        } catch {
            throw APIError(error)
        }
    }

    private func sampling(_ message: MessagesRequest) -> SamplingParameters {
        var sampling = configuration.defaultSampling
        if let temperature = message.temperature { sampling.temperature = Float(temperature) }
        // 0 keeps the most probable token alone; so does the smallest number that engines take for a share.
        if let topP = message.topP { sampling.topP = max(Float(topP), .leastNormalMagnitude) }
        if let topK = message.topK { sampling.topK = topK }
        sampling.seed = configuration.fixedSeed ?? .random(in: .min ... .max)
        return sampling
    }
}
