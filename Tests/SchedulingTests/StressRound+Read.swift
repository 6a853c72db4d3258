import EngineContract
import Scheduling
import Testing

/// The readers of a round, and what they may see.
extension StressRound {
    /// Reads, or does not, as the client is; checks what came.
    func read(_ generation: consuming Generation, of client: Client) async {
        switch client.reader {
        case .drops: return
        case .leaves, .leavesAtOnce:
            let generation = generation
            let task = Task {
                if client.reader == .leavesAtOnce { withUnsafeCurrentTask { $0?.cancel() } }
                return await events(generation, of: client)
            }
            check(await task.value, of: client, isWhole: false)
        case .lateAndCancels:
            generation.cancel()
            check(await events(generation, of: client), of: client, isWhole: true)
        case .quick, .slow, .late, .cancels, .stops:
            check(await events(generation, of: client), of: client, isWhole: true)
        }
    }

    private func events(_ generation: Generation, of client: Client) async -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for await event in generation {
            events.append(event)
            if client.reader == .slow { for _ in 0..<client.patience { await Task.yield() } }
            guard events.count == client.patience + 1 else { continue }
            if client.reader == .cancels { generation.cancel() }
            if client.reader == .stops { generation.stop() }
            if client.reader == .leaves { withUnsafeCurrentTask { $0?.cancel() } }
        }
        return events
    }

    /// - Parameter isWhole: whether the reader stayed to the end.
    private func check(_ events: [GenerationEvent], of client: Client, isWhole: Bool) {
        var tokens: [Token] = []
        var summaries: [GenerationSummary] = []
        for event in events {
            switch event {
            case .token(let token):
                tokens.append(token)
                #expect(summaries.isEmpty, "seed \(seed): a token after the end")
            case .finished(let summary): summaries.append(summary)
            }
        }
        let answer = script.answer(
            to: client.request.prompt,
            count: tokens.count + 1,
            constraint: client.request.constraint
        )
        #expect(tokens == Array(answer.prefix(tokens.count)), "seed \(seed): \(client)")
        #expect(isWhole ? summaries.count == 1 : summaries.count <= 1, "seed \(seed): \(client)")
        if let summary = summaries.first {
            var constraint = client.request.constraint
            for token in tokens { #expect(constraint?.accept(token) != false, "seed \(seed): \(client)") }
            check(summary, of: client, tokens: tokens.count, next: answer.dropFirst(tokens.count).first, constraint)
        }
    }

    /// - Parameters:
    ///   - next: the token that the script has after those delivered, if any may follow.
    ///   - constraint: what may follow them.
    private func check(
        _ summary: GenerationSummary,
        of client: Client,
        tokens: Int,
        next: Token?,
        _ constraint: (any TokenConstraint)?
    ) {
        let isFinished = constraint?.isFinished ?? false
        let request = client.request
        let context = min(description.contextLength, description.blockCount * description.blockSize)
        let room = context - request.prompt.count
        #expect(summary.promptTokens == request.prompt.count, "seed \(seed)")
        #expect(summary.cachedTokens < request.prompt.count, "seed \(seed): \(summary)")
        var generated = tokens
        switch summary.reason {
        case .stopToken(let token):
            // Where it could be foreseen, it counts only as far as it could have been sampled.
            if !isFinished || tokens < min(request.maxTokens, room) { generated += 1 }
            #expect(token == next && request.stopTokens.contains(token), "seed \(seed): \(client)")
        case .maxTokens: #expect(tokens == max(0, request.maxTokens) && tokens <= room, "seed \(seed): \(client)")
        case .contextFull: #expect(tokens == room && room < request.maxTokens, "seed \(seed): \(client)")
        case .cancelled:
            #expect([.cancels, .leaves, .leavesAtOnce, .lateAndCancels].contains(client.reader), "seed \(seed)")
        case .stopped: #expect(client.reader == .stops || isFinished && next == nil, "seed \(seed): \(client)")
        case .displaced:
            #expect(clients.count > configuration.maxWaitingSessions + configuration.maxRunningSessions, "seed \(seed)")
        case .shutdown: #expect(stop != nil, "seed \(seed)")
        case .failed(let reason):
            let isStalled = configuration.readerStallLimit < .seconds(1) && reason.contains("reader")
            let isDead = next == nil && (!isFinished || tokens == 0) && reason == EngineError.nothingAllowed.description
            #expect(isStalled || isDead || failures > 0 && reason.hasPrefix("hostile"), "seed \(seed): \(reason)")
        }
        #expect(summary.generatedTokens == generated, "seed \(seed): \(summary)")
    }
}
