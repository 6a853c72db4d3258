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
    let promptWorkers = PromptWorkers()
    private let draining = Atomic<Bool>(false)

    package init(model: ServedModel, scheduler: Scheduler, configuration: APIConfiguration, metrics: Metrics) {
        self.model = model
        self.scheduler = scheduler
        self.configuration = configuration
        self.metrics = metrics
        keys = KeyRing(configuration.apiKeys)
        crossOrigin = CrossOrigin(configuration.allowedOrigins, hasKeys: !configuration.apiKeys.isEmpty)
    }

    /// What can be refused by the head alone: a name that is not this machine's, unknown routes and wrong methods (also
    /// without a key), then a web page of elsewhere, then a missing or wrong key, then a body that cannot be read.
    package func refuse(_ head: RequestHead) -> Response? {
        do throws(APIError) {
            if configuration.apiKeys.isEmpty { try HostCheck.check(head) }
            if head.method != "OPTIONS" {
                let match = try RouteTable.find(head)
                if match.route.needsKey {
                    try crossOrigin.check(head)
                    try keys.check(head)
                }
            }
            try MessagesAPI.checkBody(head)
            return nil
        } catch {
            return crossOrigin.marked(error.response(requestID: head.requestID), for: head)
        }
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

    /// Whoever had to show a key is known by it.
    package func client(of head: RequestHead) -> String? {
        guard head.method != "OPTIONS", let match = try? RouteTable.find(head), match.route.needsKey else { return nil }
        return keys.client(head)
    }

    package func respond(to request: Request) async -> Response {
        await crossOrigin.marked(answer(request), for: request.head)
    }

    private func answer(_ request: Request) async -> Response {
        do throws(APIError) {
            if request.head.method == "OPTIONS" {
                return crossOrigin.preflight(RouteTable.options(request.head), for: request.head)
            }
            let match = try RouteTable.find(request.head)
            return try await match.route.handle(self, request, match.parameters)
        } catch {
            return error.response(requestID: request.head.requestID)
        }
    }

    package func response(to fault: HTTPFault, head: RequestHead?, requestID: String) -> Response {
        let response = APIError(fault).response(requestID: requestID)
        return head.map { crossOrigin.marked(response, for: $0) } ?? response
    }

    package func finished(_ request: FinishedRequest) {
        let route = request.head.map { RouteTable.label($0) } ?? "malformed"
        metrics.requestFinished(route: route, status: request.status, seconds: request.seconds)
        configuration.requestLog?.add(LogLine(request, keys: keys))
    }

    /// From now on `/health` says that the server is about to end, so that nobody sends it new clients. It goes on
    /// serving as before.
    package func startDraining() { draining.store(true, ordering: .relaxed) }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    var contextLength: Int { scheduler.contextLength }
    var uptimeSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }
}
