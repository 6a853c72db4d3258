import EngineContract
import Foundation
import Scheduling
import Support
import Synchronization
import Testing

/// Random loads on random Schedulers: tiny pools, windows, shared prefixes, slow readers and those that leave, engines that fail.
///
/// `STRESS_ROUNDS` sets the number of rounds, `STRESS_SEED` the first seed; a failure names its seed.
@Suite struct StressTests {
    @Test("Whatever happens, each token is right, each stream ends once and no block is lost", .timeLimit(.minutes(10)))
    func randomLoads() async {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["STRESS_ROUNDS"].flatMap { Int($0) } ?? 200
        let first = environment["STRESS_SEED"].flatMap { UInt64($0) } ?? 1
        for seed in first..<(first + UInt64(rounds)) {
            await StressRound(seed: seed).run()
            if Task.isCancelled { break }
        }
    }
}

/// Counts what the Scheduler tells of.
private final class Counter: SchedulerObserver {
    let finished = Mutex(0)

    func stepFinished(seconds: Double, tokens: Int, sessions: Int) {}
    func queued(seconds: Double) {}
    func firstToken(seconds: Double) {}
    func interToken(seconds: Double) {}
    func finished(_ summary: GenerationSummary) { finished.withLock { $0 += 1 } }
    func preempted() {}
}

/// One Scheduler and the clients of its life.
struct StressRound: Sendable {
    enum Reader: CaseIterable, Sendable {
        /// Reads at once, or dawdles over each token.
        case quick, slow
        /// Begins when all others are done.
        case late, lateAndCancels
        /// Asks for the end and reads on; is cancelled while it reads, or before; never reads at all.
        case cancels, stops, leaves, leavesAtOnce, drops
    }

    struct Client: Sendable {
        var request: GenerationRequest
        var reader: Reader
        /// Tokens to read before it acts.
        var patience: Int
        /// Turns to wait before it comes.
        var delay: Int
    }

    let seed: UInt64
    let script: Script
    let description: EngineDescription
    let configuration: SchedulerConfiguration
    let failures: Int
    let clients: [Client]
    /// Turns until the Scheduler is stopped, if it is.
    let stop: Int?
    /// Blocks of earlier processes, if they are stored.
    let store: MemoryStore?

    init(seed: UInt64) {
        self.seed = seed
        var numbers = SeededGenerator(seed: seed)
        func any(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }
        // With few tokens to look at, the script soon repeats itself.
        script = Script(vocabulary: 40, window: [nil, nil, any(1...60), any(1...2)][any(0...3)])
        var description = EngineDescription.make(
            blocks: any(1...5) * any(1...10),
            blockSize: [1, 2, 4, 16][any(0...3)],
            context: any(2...200),
            vocabulary: script.vocabulary,
            window: script.window,
            stateSlots: [nil, any(1...3), any(1...30)][any(0...2)]
        )
        description.drafter = [nil, .head, .model][any(0...2)]
        self.description = description
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = any(1...8) * any(1...8)
        configuration.maxRunningSessions = any(1...16)
        configuration.maxWaitingSessions = any(0...20)
        configuration.deliveryWindow = any(0...12)
        configuration.speculates = any(0...3) > 0
        configuration.ridesForcedTokens = any(0...3) > 0
        if any(0...9) == 0 { configuration.readerStallLimit = .milliseconds(any(0...2)) }
        // What is not used right now is given back, or after some steps.
        if any(0...1) == 0 { configuration.cacheIdleLimit = [.zero, .milliseconds(20), nil][any(0...2)] }
        if any(0...1) == 0 { configuration.memoryIdleLimit = .zero }
        self.configuration = configuration
        failures = any(0...3) == 0 ? any(1...10) : 0
        let prefixes = (0..<3).map { _ in (0..<any(1...90)).map { _ in Token(any(0...39)) } }
        let context = min(description.contextLength, description.blockCount * description.blockSize)
        clients = (0..<any(1...30)).map { _ in
            let own = (0..<any(0...30)).map { _ in Token(any(0...39)) }
            let prompt = Array((prefixes[any(0...2)].prefix(any(0...90)) + own).prefix(any(0...context)))
            var request = GenerationRequest(
                client: "c\(any(0...3))",
                prompt: prompt,
                maxTokens: any(-1...80),
                stopTokens: any(0...2) == 0 ? [Token(any(0...39))] : []
            )
            if any(0...1) == 0 {
                request.constraint = RandomConstraint(
                    seed: UInt64(any(0...1_000_000)),
                    vocabulary: 40,
                    stopTokens: request.stopTokens,
                    forced: [0, 40, 90][any(0...2)]
                )
            }
            let reader = any(0...1) == 0 ? .quick : Reader.allCases[any(0...(Reader.allCases.count - 1))]
            return Client(request: request, reader: reader, patience: any(0...20), delay: any(0...9) * any(0...3))
        }
        stop = any(0...7) == 0 ? any(0...150) : nil
        store = any(0...1) == 0 ? MemoryStore(failures: any(0...1) * any(0...20), seed: seed) : nil
        for client in clients where any(0...2) == 0 {
            let borders = (0..<any(0...3)).map { _ in any(1...20) }
            store?.add(client.request.prompt, blockSize: description.blockSize, statesAfter: Set(borders))
        }
    }

    func run() async {
        let engine = HostileEngine(
            description,
            script: script,
            budget: configuration.stepTokenBudget,
            seats: configuration.maxRunningSessions,
            failures: failures,
            seed: seed
        )
        let counter = Counter()
        let stored = store.map { StoredBlocks(engine: engine, store: $0) }
        let scheduler = Scheduler(engine: engine, configuration: configuration, observer: counter, stored: stored)
        let watchdog = Task {
            try await Task.sleep(for: .seconds(60))
            Issue.record("seed \(seed): stuck: \(await scheduler.statistics())")
            await scheduler.stop(within: .zero)
        }
        let prober = Task {
            while !Task.isCancelled {
                #expect(await scheduler.checkIntegrity() == nil, "seed \(seed)")
                for _ in 0..<20 { await Task.yield() }
            }
        }
        let admitted = await serve(scheduler)
        await scheduler.untilEmpty()
        watchdog.cancel()
        prober.cancel()
        #expect(counter.finished.withLock { $0 } == admitted, "seed \(seed): sessions that ended")
        #expect(await scheduler.checkIntegrity() == nil, "seed \(seed)")
        #expect(await scheduler.statistics().blocksInUse == 0, "seed \(seed)")
        #expect(await scheduler.statistics().stateSlotsInUse == 0, "seed \(seed)")
        #expect(await engine.complaints == [], "seed \(seed)")
        await save(scheduler, of: engine)
    }

    /// Saves what is cached, each block with the contents that its name asks for.
    private func save(_ scheduler: Scheduler, of engine: HostileEngine) async {
        guard let store else { return }
        let (before, statesBefore) = (store.names, store.stateNames)
        await scheduler.stop(within: .zero)
        let saved = await scheduler.saveBlocks()
        #expect(saved <= description.blockCount, "seed \(seed)")
        for name in store.names.subtracting(before) {
            let tokens = name.split(separator: "|").map { $0.split(separator: ",").compactMap { Token($0) } }
            guard let last = tokens.last else { continue }
            let block = StoredBlock(name: name, parent: nil, tokens: last)
            #expect(store.contents(of: block) == last.withUnsafeBytes(Array.init), "seed \(seed): \(name)")
        }
        for name in store.stateNames.subtracting(statesBefore) {
            let text = name.split { "|,".contains($0) }.compactMap { Token($0) }
            let state = StoredBlock(name: name, parent: nil, tokens: [], part: .state)
            #expect(store.contents(of: state) == text.withUnsafeBytes(Array.init), "seed \(seed): \(name)")
            #expect(store.contains(.block, of: name), "seed \(seed): \(name)")
        }
    }

    /// Sends all clients.
    /// - Returns: how many were admitted.
    private func serve(_ scheduler: Scheduler) async -> Int {
        await withTaskGroup(of: Void.self) { group in
            if let stop {
                group.addTask {
                    for _ in 0..<stop { await Task.yield() }
                    await scheduler.stop(within: seed % 2 == 0 ? .zero : .milliseconds(1))
                }
            }
            var admitted = 0
            var late: [(Client, Generation)] = []
            await withTaskGroup(of: Void.self) { group in
                for client in clients {
                    for _ in 0..<client.delay { await Task.yield() }
                    guard let generation = await submit(client, to: scheduler) else { continue }
                    admitted += 1
                    if [.late, .lateAndCancels].contains(client.reader) {
                        late.append((client, generation))
                    } else {
                        group.addTask { await read(generation, of: client) }
                    }
                }
            }
            for (client, generation) in late { await read(generation, of: client) }
            return admitted
        }
    }

    private func submit(_ client: Client, to scheduler: Scheduler) async -> Generation? {
        do {
            return try await scheduler.submit(client.request)
        } catch .emptyPrompt {
            #expect(client.request.prompt.isEmpty)
        } catch .promptTooLong(let tokens, let maximum) {
            #expect(tokens == client.request.prompt.count && tokens > maximum)
        } catch .shuttingDown {
            #expect(stop != nil)
        } catch .queueFull {
            // As many as the round has seats and places, at least, must have been taken.
            #expect(clients.count > configuration.maxWaitingSessions + configuration.maxRunningSessions)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        return nil
    }
}
