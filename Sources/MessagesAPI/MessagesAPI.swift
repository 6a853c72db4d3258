import EngineContract
package import HTTPFront
package import Scheduling
import Synchronization

/// The Anthropic Messages API over a scheduler: decides about every request, knows nothing of sockets.
package final class MessagesAPI: RequestHandler {
    let model: ServedModel
    let scheduler: Scheduler
    let configuration: APIConfiguration
    let metrics: Metrics
    let keys: KeyRing
    let crossOrigin: CrossOrigin
    let started = ContinuousClock.now
    let answers = AnswerMemory()
    let promptThreads = PromptThreadPool()
    let ignoredKeywords = IgnoredKeywords()
    private let draining = Atomic<Bool>(false)

    package init(model: ServedModel, scheduler: Scheduler, configuration: APIConfiguration, metrics: Metrics) {
        self.model = model
        self.scheduler = scheduler
        self.configuration = configuration
        self.metrics = metrics
        keys = KeyRing(configuration.apiKeys)
        crossOrigin = CrossOrigin(configuration.allowedOrigins, hasKeys: !configuration.apiKeys.isEmpty)
    }

    /// Looks up what answers a request and who it is from, and refuses what can be refused by the head alone: a name that
    /// is not this machine's, unknown routes and wrong methods (also without a key), then a web page of elsewhere, then a
    /// missing or wrong key, then a body that cannot be read.
    package func admit(_ head: RequestHead) -> Admission {
        let lookup = RouteTable.lookUp(head)
        let owner = keys.owner(of: head)
        let record = RequestRecord(RequestRecord.Facts(route: lookup.label, keyName: owner?.logName))
        do throws(APIError) {
            if configuration.apiKeys.isEmpty { try HostCheck.check(head) }
            let target = try lookup.target.get()
            if target.needsKey {
                try crossOrigin.check(head)
                if owner == nil { throw keys.refusal(of: head) }
            }
            try MessagesAPI.checkBody(head)
            return .accepted(RoutedRequest(api: self, head: head, target: target, owner: owner, record: record))
        } catch {
            return .refused(finish(.failure(error), of: head, record))
        }
    }

    /// A response with everything that all responses have.
    func finish(_ answer: Result<Response, APIError>, of head: RequestHead, _ record: RequestRecord) -> Response {
        var response: Response
        switch answer {
        case .success(let success): response = success
        case .failure(let error):
            response = error.response(requestID: head.requestID)
            record.note { $0.error = error }
        }
        response.record = record
        return crossOrigin.marked(response, for: head)
    }

    /// The longest body of a request whose method gives it no meaning.
    private static let maxUnreadBodyBytes = 64 << 10

    /// Requests that pass without a key have no use for a body, so nobody without one can fill the memory.
    private static func checkBody(_ head: RequestHead) throws(APIError) {
        let coding = head.headers[first: "content-encoding"]?.lowercased() ?? "identity"
        guard coding == "identity" || coding.isEmpty else {
            throw .invalidRequest(
                "content-encoding: '\(coding.prefix(40))' is not supported; send the body as it is",
                logged: "content-encoding: not supported"
            )
        }
        guard head.method != "POST" else { return }
        let length = head.headers[first: "content-length"].map { Int($0) ?? .max } ?? 0
        guard head.headers[first: "transfer-encoding"] == nil, length <= maxUnreadBodyBytes else {
            throw .bodyTooLarge("a request with this method needs no body here")
        }
    }

    package func response(to fault: HTTPFault, requestID: String) -> Response {
        let error = APIError(fault)
        var response = error.response(requestID: requestID)
        response.record = RequestRecord(RequestRecord.Facts(error: error))
        return response
    }

    package func finished(_ request: FinishedRequest) {
        let facts = (request.record as? RequestRecord)?.facts
        metrics.requestFinished(
            route: facts?.route ?? "malformed",
            status: request.status,
            seconds: request.seconds,
            thinkingTokens: facts?.thinkingTokens ?? 0
        )
        configuration.requestLog?.add(LogLine(request, keys: keys))
    }

    /// From now on `/health` says that the server is about to end, so that nobody sends it new clients. It goes on
    /// serving as before.
    package func startDraining() { draining.store(true, ordering: .relaxed) }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    var contextLength: Int { scheduler.contextLength }
    var uptimeSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }
}
