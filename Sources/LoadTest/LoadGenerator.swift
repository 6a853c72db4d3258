import APIClient
import Foundation
import Synchronization

/// Generates the load. Clients are threads, so that nothing but the server delays them.
final class LoadGenerator: Sendable {
    private struct State {
        var next = 0
        var failed = 0
        var tokens = 0
        var samples: [RequestSample] = []
        var isStopped = false

        /// Requests in flight.
        var active: Int { next - samples.count }
    }

    /// The most requests in flight with `--rate`, where they would accumulate without bound if the server is too slow.
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

    /// Starts no more requests and aborts those in flight.
    func stop() {
        state.withLock { $0.isStopped = true }
        client.transport.connections.closeAll()
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Sends all requests; returns when the last one has ended.
    func run() -> [RequestSample] {
        let progress = Progress(total: options.seconds == nil ? options.requests : nil, seconds: options.seconds)
        progress.start { [self] in
            state.withLock {
                Progress.Snapshot(done: $0.samples.count, active: $0.active, failed: $0.failed, tokens: $0.tokens)
            }
        }
        let begin = client.now
        switch options.pace {
        case .concurrency(let clients):
            for _ in 0..<min(clients, options.requests) {
                inThread { [self] in
                    while let index = nextIndex(since: begin) { send(index) }
                }
            }
        case .rate(let rate): sendAtArrivals(PoissonSchedule(rate: rate, seed: options.seed), since: begin)
        }
        group.wait()
        progress.stop()
        return state.withLock { $0.samples }
    }

    /// Open loop: starts each request at its arrival time, however many are in flight.
    private func sendAtArrivals(_ schedule: PoissonSchedule, since begin: Double) {
        for moment in schedule {
            while !isStopped, client.now < begin + moment {
                Thread.sleep(forTimeInterval: min(0.1, max(0, begin + moment - client.now)))
            }
            guard let index = nextIndex(since: begin) else { return }
            guard state.withLock({ $0.active }) <= Self.maxInFlight else {
                let outcome = Outcome.failed("not sent: \(Self.maxInFlight) requests were in flight")
                let question = prompts.question(index, filler)
                record(RequestSample(question: question, start: client.now, end: client.now, outcome: outcome))
                continue
            }
            inThread { [self] in send(index) }
        }
    }

    /// The index of the next request, or nil if there is none.
    private func nextIndex(since begin: Double) -> Int? {
        let isOver = options.seconds.map { client.now - begin >= $0 } ?? false
        return state.withLock { state in
            guard !isOver, !state.isStopped, state.next < options.requests else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func send(_ index: Int) {
        var generator = SeededGenerator(seed: options.seed &+ UInt64(index) &* 104_729)
        let aborts = Double.random(in: 0..<1, using: &generator) < options.abortFraction
        let pieces = Int.random(in: 1...8, using: &generator)
        record(client.ask(prompts.question(index, filler), abortAfterDeltas: aborts ? pieces : nil))
    }

    private func record(_ sample: RequestSample) {
        state.withLock { state in
            state.samples.append(sample)
            state.tokens += sample.answer.outputTokens
            if case .failed = sample.outcome { state.failed += 1 }
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

    /// Asks some of the questions again, one after the other, without other load.
    func repeatAlone(_ samples: [RequestSample]) -> [RequestSample] {
        var seen: Set<Question> = []
        let distinct = samples.filter { $0.outcome == .answered && seen.insert($0.question).inserted }.map(\.question)
        let questions = distinct.prefix(max(32, distinct.count / 4))
        let progress = Progress(total: questions.count, seconds: nil)
        let done = Mutex(0)
        progress.start { Progress.Snapshot(done: done.withLock { $0 }, active: 1, failed: 0, tokens: 0) }
        defer { progress.stop() }
        return questions.prefix { _ in !isStopped }.map { question in
            defer { done.withLock { $0 += 1 } }
            return client.ask(question)
        }
    }
}

/// Arrival times of a Poisson process, as of many independent clients.
package struct PoissonSchedule: Sequence, IteratorProtocol, Sendable {
    private let rate: Double
    private var generator: SeededGenerator
    private var moment = 0.0

    /// - Parameter rate: mean arrivals per second.
    package init(rate: Double, seed: UInt64) {
        self.rate = rate
        generator = SeededGenerator(seed: seed)
    }

    /// Seconds from the start to the next arrival; the gaps between arrivals are exponentially distributed.
    package mutating func next() -> Double? {
        moment -= log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator)) / rate
        return moment
    }
}
