import Foundation
import Synchronization

/// Runs a load test from beginning to end. Its clients are threads, so that nothing but the server delays them.
package enum LoadTest {
    /// - Returns: the process's exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        do {
            guard let options = try LoadOptions.parse(arguments) else {
                Output.print(LoadOptions.help)
                return 0
            }
            let (results, exchanges) = measure(options)
            Output.print(Report.table(results, options))
            if let path = options.jsonPath { try Output.write(try Report.json(results), to: path) }
            if let path = options.htmlPath { try Output.write(HTMLReport.page(results, exchanges, options), to: path) }
            return results.isGood(options) ? 0 : 1
        } catch let error as UsageError {
            Output.error("pensieve-load: \(error)")
            return 2
        } catch {
            Output.error("pensieve-load: \(error)")
            return 1
        }
    }

    /// Loads the server, and with verification repeats a sample alone.
    package static func measure(_ options: LoadOptions) -> (Results, [Exchange]) {
        let run = Run(options)
        let exchanges = run.load()
        let seconds = (exchanges.map(\.end).max() ?? 0) - (exchanges.map(\.start).min() ?? 0)
        var results = Results(exchanges, seconds: seconds, options: options)
        if options.verify { results.verification = Results.Verification(exchanges, alone: run.alone(exchanges)) }
        return (results, exchanges)
    }
}

/// The state that the clients' threads share.
private final class Run: Sendable {
    private struct State {
        var next = 0
        var active = 0
        var exchanges: [Exchange] = []
    }

    private let options: LoadOptions
    private let prompts: Prompts
    private let client: Client
    private let state = Mutex(State())
    private let group = DispatchGroup()

    init(_ options: LoadOptions) {
        self.options = options
        prompts = Prompts(options: options)
        client = Client(options: options, epoch: .now)
    }

    func load() -> [Exchange] {
        let progress = Progress(total: options.seconds == nil ? options.requests : nil)
        progress.start { [self] in
            state.withLock { ($0.exchanges.count, $0.active, $0.exchanges.reduce(0) { $0 + $1.answer.outputTokens }) }
        }
        switch options.pace {
        case .concurrency(let clients):
            for _ in 0..<clients {
                inThread { [self] in
                    while let index = take() { work(index) }
                }
            }
        case .rate(let rate):
            var generator = SeededGenerator(seed: options.seed &+ 1)
            var due = ContinuousClock.now
            while let index = take() {
                inThread { [self] in work(index) }
                // Exponential gaps make the arrivals a Poisson process.
                due += .seconds(-log(Double.random(in: 1e-12..<1, using: &generator)) / rate)
                Thread.sleep(forTimeInterval: max(0, (due - .now) / .seconds(1)))
            }
        }
        group.wait()
        progress.stop()
        return state.withLock { $0.exchanges }
    }

    /// Asks some of the questions again, one after the other, with nobody else there.
    func alone(_ exchanges: [Exchange]) -> [Exchange] {
        var seen: Set<Prompts.Question> = []
        let distinct = exchanges.map(\.question).filter { seen.insert($0).inserted }
        return distinct.prefix(max(32, distinct.count / 4)).map { client.ask($0) }
    }

    private func take() -> Int? {
        let isOver = options.seconds.map { (ContinuousClock.now - client.epoch) / .seconds(1) >= $0 }
        return state.withLock { state in
            guard !(isOver ?? (state.next >= options.requests)) else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func work(_ index: Int) {
        state.withLock { $0.active += 1 }
        var generator = SeededGenerator(seed: options.seed &+ UInt64(index) &* 7919)
        let aborts = Double.random(in: 0..<1, using: &generator) < options.abortFraction
        let exchange = client.ask(
            prompts.question(index),
            abortAfterDeltas: aborts ? Int.random(in: 1...8, using: &generator) : nil
        )
        state.withLock {
            $0.active -= 1
            $0.exchanges.append(exchange)
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
}
