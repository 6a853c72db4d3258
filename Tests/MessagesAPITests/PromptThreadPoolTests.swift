import Foundation
import Synchronization
import Testing

@testable import MessagesAPI

@Suite("Threads for prompts", .timeLimit(.minutes(1))) struct PromptThreadPoolTests {
    private static let sizes = [100, 100_000, 2 << 20]

    @Test("No work runs on the threads that serve sockets, however small its body", arguments: sizes)
    func threads(bytes: Int) async throws {
        let pool = PromptThreadPool()
        let name = try await pool.run(client: "a", bytes: bytes) { () throws(APIError) in
            try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        }
        #expect(try #require(name)?.contains("prompts") == true)
    }

    @Test("What work throws comes back, and a later thread does what comes after a pause")
    func errors() async throws {
        let pool = PromptThreadPool()
        await #expect(throws: APIError.shuttingDown) {
            try await pool.run(client: "a", bytes: 1) { () throws(APIError) -> Int in throw .shuttingDown }
        }
        for value in 0..<100 {
            #expect(try await pool.run(client: "a", bytes: 1) { () throws(APIError) in value } == value)
            if value % 10 == 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// A pool of which one thread is busy until `open`.
    private final class Gate: Sendable {
        let pool = PromptThreadPool()
        private let semaphore = DispatchSemaphore(value: 0)
        private let isBusy = Mutex(false)

        func open() { semaphore.signal() }

        func block(bytes: Int) async throws {
            try await pool.run(client: "blocker", bytes: bytes) { [self] () throws(APIError) in
                isBusy.withLock { $0 = true }
                semaphore.wait()
            }
        }

        func untilBusy() async -> Bool { await eventually { self.isBusy.withLock { $0 } } }
    }

    @Test("A client with many large bodies lets another's go before all but one of them", arguments: sizes)
    func turns(bytes: Int) async throws {
        let gate = Gate()
        let order = Shared<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.block(bytes: bytes) }
            #expect(await gate.untilBusy())
            for client in Array(repeating: "many", count: 64) + ["one"] {
                group.addTask {
                    _ = try await gate.pool.run(client: client, bytes: bytes) { () throws(APIError) in
                        order.change { $0.append(client) }
                    }
                }
                // In the queue before the next one comes.
                for _ in 0..<20 { await Task.yield() }
            }
            try await Task.sleep(for: .milliseconds(50))
            gate.open()
            try await group.waitForAll()
        }
        let place = try #require(order.current.firstIndex(of: "one"))
        #expect(place <= 1)
    }

    @Test("Too many of one client are refused, and those of another are taken all the same")
    func overload() async throws {
        let gate = Gate()
        let counts = Shared((done: 0, refused: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.block(bytes: 100) }
            #expect(await gate.untilBusy())
            for _ in 0..<(WorkerThread.maxWaiting + 50) {
                group.addTask {
                    do {
                        _ = try await gate.pool.run(client: "many", bytes: 100) { () throws(APIError) in }
                        counts.change { $0.done += 1 }
                    } catch let error as APIError {
                        #expect(error.status == 529 && error.retryAfterSeconds != nil)
                        counts.change { $0.refused += 1 }
                    }
                }
            }
            #expect(await eventually { counts.current.refused == 50 })
            async let other: Int? = gate.pool.run(client: "one", bytes: 100) { () throws(APIError) in 5 }
            #expect(await eventually { counts.current.refused == 51 })
            gate.open()
            #expect(try await other == 5)
            try await group.waitForAll()
        }
        #expect(counts.current.done == WorkerThread.maxWaiting - 1)
    }

    @Test("Nothing is done for a client that has left before its work is queued")
    func cancelledBefore() async throws {
        let ran = Shared(false)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await PromptThreadPool().run(client: "a", bytes: 100) { () throws(APIError) in
                ran.change { $0 = true }
            }
        }
        #expect(try await task.value == nil)
        #expect(!ran.current)
    }

    @Test("A client that leaves while it waits gives up its place at once")
    func cancellation() async throws {
        let gate = Gate()
        async let blocked: Void = gate.block(bytes: 100)
        #expect(await gate.untilBusy())
        let ran = Shared(false)
        let task = Task {
            try await gate.pool.run(client: "a", bytes: 100) { () throws(APIError) in ran.change { $0 = true } }
        }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        // The thread is still busy.
        #expect(try await task.value == nil)
        gate.open()
        try await blocked
        #expect(!ran.current)
    }
}
