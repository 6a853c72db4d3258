import Synchronization

/// Counts the requests that each known client has under way, so that none takes all places for connections: those whose
/// request is under way never give way to others.
final class RequestShares: Sendable {
    private let limit: Int
    private let counts = Mutex<[String: Int]>([:])

    /// - Parameter places: how many connections there may be; one eighth of them is kept for others.
    init(places: Int) { limit = places - places / 8 }

    /// Whether this client may have one more request; if so it counts until `leave`.
    func enter(_ client: String) -> Bool {
        counts.withLock { counts in
            guard counts[client, default: 0] < limit else { return false }
            counts[client, default: 0] += 1
            return true
        }
    }

    func leave(_ client: String) {
        counts.withLock { counts in
            guard let count = counts[client] else { return }
            counts[client] = count > 1 ? count - 1 : nil
        }
    }
}
