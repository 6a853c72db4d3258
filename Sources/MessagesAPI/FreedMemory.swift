import CLinux
import HTTPFront
import Synchronization

/// Gives freed memory back to the system after bursts: the allocator would keep what large requests once needed.
///
/// Who is done with memory notes it here; once it was much, and no more is used for a while, all that is free is given
/// back.
final class FreedMemory: Sendable {
    private struct State {
        var bytes = 0
        /// Memory will be given back when things are quiet.
        var isDue = false

        /// Whether much was used since this was last asked.
        mutating func becomesDue() -> Bool {
            isDue = bytes >= FreedMemory.muchBytes
            if isDue { bytes = 0 }
            return isDue
        }
    }

    /// What may stay with the allocator, for the next requests.
    private static let muchBytes = 16 << 20
    private static let delay = Duration.seconds(10)

    private let state = Mutex(State())

    /// Counts so many bytes as used and soon free.
    func note(_ bytes: Int) {
        let isFirst = state.withLock { state in
            state.bytes += max(0, bytes)
            guard !state.isDue else { return false }
            return state.becomesDue()
        }
        guard isFirst else { return }
        Task {
            repeat { try? await Task.sleep(for: Self.delay) } while state.withLock { $0.becomesDue() }
            // It takes milliseconds for each heap.
            _ = startThread(named: "return-memory") { clinux_return_free_memory() }
        }
    }
}
