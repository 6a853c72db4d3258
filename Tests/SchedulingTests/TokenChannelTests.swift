import EngineContract
import Synchronization
import Testing

@testable import Scheduling

@Suite(.timeLimit(.minutes(1))) struct TokenChannelTests {
    /// What a channel told the Scheduler.
    private final class Calls: Sendable {
        let resumes = Atomic(0)
        let ends = Mutex<[FinishReason]>([])

        var resumeCount: Int { resumes.load(ordering: .sequentiallyConsistent) }
        var reasons: [FinishReason] { ends.withLock { $0 } }

        func channel(window: Int) -> TokenChannel {
            TokenChannel(
                window: window,
                resumeScheduling: { self.resumes.add(1, ordering: .sequentiallyConsistent) },
                endSession: { reason in self.ends.withLock { $0.append(reason) } }
            )
        }
    }

    private let calls = Calls()
    private let summary = GenerationSummary(reason: .maxTokens, promptTokens: 1, cachedTokens: 0, generatedTokens: 2)

    @Test("Events are read in their order, then the channel has ended")
    func order() async {
        let channel = calls.channel(window: 8)
        channel.send(5)
        channel.send(6)
        channel.finish(summary)
        #expect(channel.unreadCount == 3 && channel.finishReason == .maxTokens)
        var readings: [Generation.Reading] = []
        for _ in 0..<4 { readings.append(await channel.read()) }
        #expect(readings == [.event(.token(5)), .event(.token(6)), .event(.finished(summary)), .ended])
        #expect(calls.reasons == [])
    }

    @Test("A reader that waits is woken by a token")
    func waiting() async {
        let channel = calls.channel(window: 8)
        async let reading = channel.read()
        for _ in 0..<20 { await Task.yield() }
        channel.send(5)
        #expect(await reading == .event(.token(5)))
    }

    @Test(
        "A full window stays closed until half of it is read, and the Scheduler is told once",
        arguments: [1, 2, 5, 8]
    )
    func window(size: Int) async {
        let channel = calls.channel(window: size)
        for count in 0..<size {
            #expect(channel.hasRoomToContinue() && channel.room == size - count)
            channel.send(Token(count))
        }
        #expect(!channel.hasRoomToContinue() && channel.room == 0)
        for count in 1...size {
            _ = await channel.read()
            let isOpen = size - count <= size / 2
            #expect(channel.hasRoomToContinue() == isOpen && calls.resumeCount == (isOpen ? 1 : 0), "\(count) read")
        }
    }

    @Test("A reader that lags without filling the window is never told anything")
    func noResume() async {
        let channel = calls.channel(window: 4)
        for token in 0..<3 as Range<Token> { channel.send(token) }
        #expect(channel.hasRoomToContinue())
        for _ in 0..<3 { _ = await channel.read() }
        #expect(calls.resumeCount == 0)
    }

    @Test("A wait ends at its deadline and not before, however many tokens came since the timer was set")
    func deadlines() async {
        let channel = calls.channel(window: 1000)
        let begin = ContinuousClock.now
        #expect(await channel.read(until: begin + .milliseconds(20)) == .timedOut)
        #expect(.now - begin >= .milliseconds(20))
        // A deadline that is over takes what is there.
        channel.send(1)
        #expect(await channel.read(until: begin) == .event(.token(1)))
        #expect(await channel.read(until: begin) == .timedOut)
        var deadline = ContinuousClock.now
        for token in 0..<20 as Range<Token> {
            deadline = .now + .milliseconds(30)
            async let reading = channel.read(until: deadline)
            try? await Task.sleep(for: .milliseconds(1))
            channel.send(token)
            #expect(await reading == .event(.token(token)))
        }
        deadline += .milliseconds(30)
        #expect(await channel.read(until: deadline) == .timedOut)
        #expect(ContinuousClock.now >= deadline)
        channel.send(7)
        #expect(await channel.read() == .event(.token(7)))
    }

    @Test("A reader whose task is cancelled ends the session at once, and only once")
    func cancellation() async {
        for isWaiting in [false, true] {
            let calls = Calls()
            let channel = calls.channel(window: 8)
            let reader = Task {
                if !isWaiting { withUnsafeCurrentTask { $0?.cancel() } }
                return await channel.read()
            }
            for _ in 0..<20 where isWaiting { await Task.yield() }
            reader.cancel()
            #expect(await reader.value == .ended && calls.reasons == [.cancelled])
            channel.send(1)
            channel.finish(summary)
            #expect(await channel.read() == .ended)
            channel.abandon()
            #expect(calls.reasons == [.cancelled])
        }
    }

    @Test("A deadline that is earlier than the one before counts")
    func earlierDeadline() async {
        let channel = calls.channel(window: 8)
        async let reading = channel.read(until: .now + .seconds(600))
        for _ in 0..<20 { await Task.yield() }
        channel.send(1)
        #expect(await reading == .event(.token(1)))
        #expect(await channel.read(until: .now + .milliseconds(20)) == .timedOut)
    }

    @Test("What a session that has ended left is read to its end, also by a task that is cancelled")
    func cancelledAfterTheEnd() async {
        let channel = calls.channel(window: 8)
        channel.send(5)
        channel.finish(summary)
        let reader = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return [await channel.read(), await channel.read(), await channel.read()]
        }
        #expect(await reader.value == [.event(.token(5)), .event(.finished(summary)), .ended])
        #expect(calls.reasons == [])
    }

    @Test("Whoever waits for the start is told when it comes, when it never will, and at the deadline")
    func start() async {
        let far = ContinuousClock.now + .seconds(3600)
        let (started, finished) = (calls.channel(window: 8), calls.channel(window: 8))
        async let first: Void = started.waitForStart(until: far)
        async let second: Void = finished.waitForStart(until: far)
        for _ in 0..<20 { await Task.yield() }
        started.start()
        finished.finish(summary)
        _ = await (first, second)
        await started.waitForStart(until: far)
        let begin = ContinuousClock.now
        await calls.channel(window: 8).waitForStart(until: begin + .milliseconds(10))
        #expect(.now - begin >= .milliseconds(10))
        #expect(calls.reasons == [])
    }

    @Test("A generation that is dropped ends its session, unless that has ended")
    func dropping() {
        let (open, done) = (calls.channel(window: 8), calls.channel(window: 8))
        done.finish(summary)
        for channel in [done, open] {
            let generation = Generation(id: SessionID(1), cachedTokens: 0, reader: Generation.Reader(channel))
            let iterator = generation.makeAsyncIterator()
            #expect(calls.reasons == [])
            withExtendedLifetime(iterator) {}
        }
        #expect(calls.reasons == [.cancelled])
    }

    @Test("Nothing is lost between a sender and a reader of another thread", arguments: [1, 3, 64])
    func threads(window: Int) async {
        let channel = calls.channel(window: window)
        let count: Token = 20_000
        async let sent: Void = { @concurrent () async in
            for token in 0..<count {
                while !channel.hasRoomToContinue() { await Task.yield() }
                channel.send(token)
            }
            channel.finish(summary)
        }()
        var expected: Token = 0
        while case .event(let event) = await channel.read(until: .now + .seconds(30)) {
            guard case .token(let token) = event else { continue }
            #expect(token == expected)
            expected += 1
        }
        await sent
        #expect(expected == count && channel.unreadCount == 0)
    }
}
