import Synchronization

/// The bytes of heads and bodies that requests hold, over all connections, with a fair share for each client.
///
/// A limit for each client alone would bound nothing when there are many. A client may always hold one body if there is
/// room, and beyond that at most as much as it leaves free: the more it holds, the less it gets, and some room is
/// always left for the next client.
final class RequestMemoryQuota: Sendable {
    private struct State {
        var used = 0
        var byClient: [String: Int] = [:]
    }

    private let limit: Int
    private let maxBodyBytes: Int
    private let state = Mutex(State())

    /// The limit is at least the size of one body.
    init(_ limits: Limits) {
        maxBodyBytes = limits.maxBodyBytes
        limit = max(limits.maxBodyMemoryBytes, maxBodyBytes)
    }

    /// Reserves bytes for a client until `release`; false if there is no room for them.
    func reserve(_ count: Int, for client: String) -> Bool {
        guard count > 0 else { return true }
        return state.withLock { state in
            let own = state.byClient[client, default: 0] + count
            let left = limit - state.used - count
            guard left >= 0, own <= max(maxBodyBytes, left) else { return false }
            state.used += count
            state.byClient[client] = own
            return true
        }
    }

    func release(_ count: Int, of client: String) {
        guard count > 0 else { return }
        state.withLock { state in
            state.used -= count
            let own = state.byClient[client, default: 0] - count
            state.byClient[client] = own > 0 ? own : nil
        }
    }
}

/// The number of requests in progress of each identified client, limited so that no client takes all connections:
/// connections with a request in progress are never evicted.
final class RequestCountQuota: Sendable {
    private let limit: Int
    private let counts = Mutex<[String: Int]>([:])

    /// - Parameter connections: the most connections; one client may use seven eighths of them.
    init(connections: Int) { limit = connections - connections / 8 }

    /// Counts one more request of this client until `release`; false if it has reached the limit.
    func acquire(_ client: String) -> Bool {
        counts.withLock { counts in
            guard counts[client, default: 0] < limit else { return false }
            counts[client, default: 0] += 1
            return true
        }
    }

    func release(_ client: String) {
        counts.withLock { counts in
            guard let count = counts[client] else { return }
            counts[client] = count > 1 ? count - 1 : nil
        }
    }
}
