import APIClient
import Foundation
import Synchronization

/// One load test on its way. Its clients are threads, so that nothing but the server delays them.
final class Run: Sendable {
    private struct State {
        var next = 0
        var failed = 0
        var tokens = 0
        var exchanges: [Exchange] = []
        var isEnded = false

        /// Requests begun and not yet ended.
        var active: Int { next - exchanges.count }
    }

    /// Requests in flight at once with `--rate`, where a server that is too slow would gather any number.
    private static let maxInFlight = 4096

    private let options: LoadOptions
    private let prompts: Prompts
    private let filler: Prompts.Filler
    private let client: Client
    private let state = Mutex(State())
    private let group = DispatchGroup()

    init(_ options: LoadOptions, client: Client, prompts: Prompts, filler: Prompts.Filler) {
        self.options = options
        self.client = client
        self.prompts = prompts
        self.filler = filler
    }

    /// Starts no more requests and ends those that run.
    func end() {
        state.withLock { $0.isEnded = true }
        client.transport.connections.endAll()
    }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Runs all requests; returns when the last has ended.
    func load() -> [Exchange] {
        let progress = Progress(total: options.seconds == nil ? options.requests : nil, seconds: options.seconds)
        progress.start { [self] in
            state.withLock {
                Progress.Look(done: $0.exchanges.count, active: $0.active, failed: $0.failed, tokens: $0.tokens)
            }
        }
        let begin = client.now
        switch options.pace {
        case .concurrency(let clients):
            for _ in 0..<min(clients, options.requests) {
                inThread { [self] in
                    while let index = take(since: begin) { work(index) }
                }
            }
        case .rate(let rate): arrive(PoissonSchedule(rate: rate, seed: options.seed), since: begin)
        }
        group.wait()
        progress.stop()
        return state.withLock { $0.exchanges }
    }

    /// Starts each request at its moment, however many still run.
    private func arrive(_ schedule: PoissonSchedule, since begin: Double) {
        for moment in schedule {
            while !isEnded, client.now < begin + moment {
                Thread.sleep(forTimeInterval: min(0.1, max(0, begin + moment - client.now)))
            }
            guard let index = take(since: begin) else { return }
            guard state.withLock({ $0.active }) <= Self.maxInFlight else {
                let outcome = Outcome.failed("not sent: \(Self.maxInFlight) requests were in flight")
                let question = prompts.question(index, filler)
                note(Exchange(question: question, start: client.now, end: client.now, outcome: outcome))
                continue
            }
            inThread { [self] in work(index) }
        }
    }

    /// The index of the next request, or nil if there is none.
    private func take(since begin: Double) -> Int? {
        let isOver = options.seconds.map { client.now - begin >= $0 } ?? false
        return state.withLock { state in
            guard !isOver, !state.isEnded, state.next < options.requests else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func work(_ index: Int) {
        var generator = SeededGenerator(seed: options.seed &+ UInt64(index) &* 104_729)
        let aborts = Double.random(in: 0..<1, using: &generator) < options.abortFraction
        let pieces = Int.random(in: 1...8, using: &generator)
        note(client.ask(prompts.question(index, filler), abortAfterDeltas: aborts ? pieces : nil))
    }

    private func note(_ exchange: Exchange) {
        state.withLock { state in
            state.exchanges.append(exchange)
            state.tokens += exchange.answer.outputTokens
            if case .failed = exchange.outcome { state.failed += 1 }
        }
    }

    private func inThread(_ body: @escaping @Sendable () -> Void) {
        group.enter()
        let thread = Thread { [group] in
            body()
            group.leave()
        }
        thread.stackSize = 512 << 10
        thread.start()
    }

    /// Asks some of the questions again, one after the other, with nobody else there.
    func alone(_ exchanges: [Exchange]) -> [Exchange] {
        var seen: Set<Question> = []
        let distinct = exchanges.filter { $0.outcome == .answered && seen.insert($0.question).inserted }.map(\.question)
        let sample = distinct.prefix(max(32, distinct.count / 4))
        let progress = Progress(total: sample.count, seconds: nil)
        let done = Mutex(0)
        progress.start { Progress.Look(done: done.withLock { $0 }, active: 1, failed: 0, tokens: 0) }
        defer { progress.stop() }
        return sample.prefix { _ in !isEnded }.map { question in
            defer { done.withLock { $0 += 1 } }
            return client.ask(question)
        }
    }
}
