package import Scheduling
import Synchronization

/// What the server has counted and timed since its start, for `/metrics`.
///
/// One lock over plain values: an observation takes well under a microsecond.
package final class Metrics: SchedulerObserver, Sendable {
    struct RequestLabel: Hashable {
        /// A route's pattern, never a client's text: the number of series stays bounded.
        var route: String
        var status: Int
    }

    struct Counts {
        var requests: [RequestLabel: Int] = [:]
        var promptTokens = 0
        var cachedTokens = 0
        var generatedTokens = 0
        var thinkingTokens = 0
        var finished: [String: Int] = [:]
        var preemptions = 0
        var requestSeconds = Histogram(bounds: Histogram.latencyBounds)
        var firstToken = Histogram(bounds: Histogram.latencyBounds)
        var interToken = Histogram(bounds: Histogram.latencyBounds)
        var queued = Histogram(bounds: Histogram.latencyBounds)
        var step = Histogram(bounds: Histogram.latencyBounds)
        var stepTokens = Histogram(bounds: Histogram.sizeBounds)
        var stepSessions = Histogram(bounds: Histogram.sizeBounds)
    }

    private let counts = Mutex(Counts())

    package init() {}

    package func stepFinished(seconds: Double, tokens: Int, sessions: Int) {
        counts.withLock {
            $0.step.observe(seconds)
            $0.stepTokens.observe(Double(tokens))
            $0.stepSessions.observe(Double(sessions))
        }
    }

    package func firstToken(seconds: Double) { counts.withLock { $0.firstToken.observe(seconds) } }
    package func interToken(seconds: Double) { counts.withLock { $0.interToken.observe(seconds) } }
    package func queued(seconds: Double) { counts.withLock { $0.queued.observe(seconds) } }
    package func preempted() { counts.withLock { $0.preemptions += 1 } }

    package func finished(_ summary: GenerationSummary) {
        counts.withLock {
            $0.promptTokens += summary.promptTokens
            $0.cachedTokens += summary.cachedTokens
            $0.generatedTokens += summary.generatedTokens
            $0.finished[summary.reason.label, default: 0] += 1
        }
    }

    func requestFinished(route: String, status: Int, seconds: Double, thinkingTokens: Int) {
        counts.withLock {
            $0.thinkingTokens += thinkingTokens
            $0.requests[RequestLabel(route: route, status: status), default: 0] += 1
            $0.requestSeconds.observe(seconds)
        }
    }

    var current: Counts { counts.withLock { $0 } }
}

extension FinishReason {
    fileprivate var label: String {
        switch self {
        case .stopToken: "stop_token"
        case .maxTokens: "max_tokens"
        case .contextFull: "context_full"
        case .stopped: "stop_sequence"
        case .cancelled: "cancelled"
        case .displaced: "displaced"
        case .shutdown: "shutdown"
        case .failed: "failed"
        }
    }
}
