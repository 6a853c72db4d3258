import Synchronization

/// Counts the bytes that requests hold, all connections together: so many clients at once may send bodies that one limit
/// for each would bound nothing.
///
/// A client may hold one body as long as there is room for it, and beyond that no more than it leaves to all others:
/// whoever sends much finds less and less room, and there is always some for the next one.
final class BodyMemory: Sendable {
    private struct State {
        var held = 0
        var byClient: [String: Int] = [:]
    }

    private let limit: Int
    private let oneBody: Int
    private let state = Mutex(State())

    /// There is always room for one body.
    init(_ limits: Limits) {
        oneBody = limits.maxBodyBytes
        limit = max(limits.maxBodyMemoryBytes, oneBody)
    }

    /// Whether there is room for so many bytes more of this client; if so they count until `giveBack`.
    func take(_ count: Int, for client: String) -> Bool {
        guard count > 0 else { return true }
        return state.withLock { state in
            let own = state.byClient[client, default: 0] + count
            let left = limit - state.held - count
            guard left >= 0, own <= max(oneBody, left) else { return false }
            state.held += count
            state.byClient[client] = own
            return true
        }
    }

    func giveBack(_ count: Int, of client: String) {
        guard count > 0 else { return }
        state.withLock { state in
            state.held -= count
            let own = state.byClient[client, default: 0] - count
            state.byClient[client] = own > 0 ? own : nil
        }
    }
}
