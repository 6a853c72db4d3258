import Chat
import EngineContract
import Scheduling
import Tokenization

extension MessagesAPI {
    /// Asks the scheduler for an answer.
    /// - Throws: `APIError` if the scheduler does not admit the request.
    func submit(_ prepared: PreparedRequest, of request: RoutedRequest) async throws(APIError) -> AnswerReader {
        let message = prepared.message
        var generationRequest = GenerationRequest(
            client: request.clientName,
            prompt: prepared.prompt.tokens,
            // Clients ask for more than any context holds; that much is never reached.
            maxTokens: min(message.maxTokens ?? 0, contextLength),
            stopTokens: model.grammars.stopTokens,
            sampling: sampling(message)
        )
        generationRequest.constraint = prepared.constraint
        let decoder = AnswerDecoder(
            parser: AnswerTokenParser(
                model.chatFormat.syntax,
                tokenizer: model.tokenizer,
                markerTexts: model.grammars.markerTexts,
                tools: prepared.tools,
                isInsideThinking: prepared.prompt.isInsideThinking,
                callsComeFirst: prepared.hasFormat,
                startsText: !prepared.continuesAssistantText
            ),
            hasTools: !prepared.tools.isEmpty,
            stopSequences: prepared.stopSequences
        )
        do {
            return AnswerReader(
                try await scheduler.submit(generationRequest),
                prompt: prepared.prompt,
                decoder: decoder,
                display: prepared.display,
                memory: answers,
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
