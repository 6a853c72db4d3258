import HTTPFront
import Synchronization

/// What the log tells of a request beyond its head and status, noted while it is answered.
final class RequestRecord: Sendable {
    struct Facts: Sendable {
        /// As the request named it.
        var model: String?
        /// The whole prompt.
        var promptTokens: Int?
        /// Those of it that were found computed.
        var cachedTokens: Int?
        /// Every sampled token so far.
        var outputTokens: Int?
        var firstTokenAt: ContinuousClock.Instant?
        /// Why the request was refused, or its answer broke off.
        var error: APIError?
    }

    private let state: Mutex<Facts>

    init(_ facts: Facts = Facts()) { state = Mutex(facts) }

    var facts: Facts { state.withLock { $0 } }

    /// Notes that so many tokens have been sampled.
    func count(_ outputTokens: Int) {
        note {
            $0.outputTokens = outputTokens
            $0.firstTokenAt = $0.firstTokenAt ?? .now
        }
    }

    func note(_ change: (inout Facts) -> Void) { state.withLock { change(&$0) } }
}

extension RequestRecord {
    /// Runs what answers a request; a refusal becomes its response, and the record goes along with either.
    func keep(
        requestID: String,
        _ answer: (RequestRecord) async throws(APIError) -> Response
    ) async -> Response {
        var response: Response
        do throws(APIError) {
            response = try await answer(self)
        } catch {
            response = error.response(requestID: requestID)
            note { $0.error = error }
        }
        response.record = self
        return response
    }
}
