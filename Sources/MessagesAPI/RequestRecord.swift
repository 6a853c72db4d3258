import HTTPFront
import Synchronization

/// What the log and the metrics tell of a request beyond its head and status, noted while it is answered.
final class RequestRecord: Sendable {
    struct Facts: Sendable {
        /// The pattern of its path's route.
        var route: String?
        /// What the log calls the client, if it has one of the configured keys.
        var keyName: String?
        /// As the request named it.
        var model: String?
        /// The whole prompt.
        var promptTokens: Int?
        /// Those of it that were found computed.
        var cachedTokens: Int?
        /// Every sampled token so far.
        var outputTokens: Int?
        /// Those of a whole answer that the model thought with.
        var thinkingTokens = 0
        var firstTokenAt: ContinuousClock.Instant?
        /// Why the request was refused, or its answer broke off.
        var error: APIError?
    }

    private let state: Mutex<Facts>

    init(_ facts: Facts = Facts()) { state = Mutex(facts) }

    var facts: Facts { state.withLock { $0 } }

    /// Notes how many tokens have been sampled.
    func count(_ outputTokens: Int) {
        note {
            $0.outputTokens = outputTokens
            $0.firstTokenAt = $0.firstTokenAt ?? .now
        }
    }

    func note(_ change: (inout Facts) -> Void) { state.withLock { change(&$0) } }
}
