import Synchronization

/// The writing end of a streamed response body.
///
/// Each write goes out at once and returns when the kernel took all of it, so a slow reader holds the writer back and
/// nothing piles up in memory. Writes from several tasks are safe: they go out one after the other.
package final class BodyWriter: Sendable {
    /// What is written after the stream has ended.
    package struct Closed: Error {}

    private struct State {
        var isWriting = false
        var hasFailed = false
        /// Nil once the stream has ended, so that a writer kept for too long does not keep the connection.
        var sink: Sink?
        var waiters: [CheckedContinuation<Void, Never>] = []

        /// The sink of a further write, which fails if there is none.
        mutating func open() -> Sink? {
            if sink == nil { hasFailed = true }
            return sink
        }

        mutating func fail() {
            sink = nil
            hasFailed = true
        }
    }

    package typealias Sink = @Sendable ([UInt8]) async throws -> Void

    private let state: Mutex<State>

    /// A writer that hands every write to `sink`: the front's own, or a test's.
    package init(sink: @escaping Sink) {
        state = Mutex(State(sink: sink))
    }

    /// Sends the bytes. Throws when the client is gone or takes nothing for `Limits.writeStallTimeout`.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        await lock()
        defer { unlock() }
        guard let sink = state.withLock({ $0.open() }) else { throw Closed() }
        do {
            try await sink(bytes)
        } catch {
            // A part may be out: anything after it would be taken for the rest of the chunk.
            state.withLock { $0.fail() }
            throw error
        }
    }

    /// Makes every later write throw.
    func close() {
        state.withLock { $0.sink = nil }
    }

    /// Whether something that was to be written did not go out.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// Waits for the write under way, which the stall limit bounds; hence waiting needs no cancellation of its own.
    private func lock() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isWriting {
                    state.waiters.append(continuation)
                    return false
                }
                state.isWriting = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func unlock() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
            state.isWriting = false
            return nil
        }
        next?.resume()
    }
}
