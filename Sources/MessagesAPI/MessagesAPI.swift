import EngineContract
package import HTTPFront
package import Scheduling

/// The Anthropic Messages API over a scheduler: decides about every request, knows nothing of sockets.
package final class MessagesAPI: RequestHandler {
    let model: ServedModel
    let scheduler: Scheduler
    let configuration: APIConfiguration
    let metrics: Metrics
    let keys: KeyRing
    let started = ContinuousClock.now
    let promptWorkers = PromptWorkers()
    let freedMemory = FreedMemory()

    package init(model: ServedModel, scheduler: Scheduler, configuration: APIConfiguration, metrics: Metrics) {
        self.model = model
        self.scheduler = scheduler
        self.configuration = configuration
        self.metrics = metrics
        keys = KeyRing(configuration.apiKeys)
    }

    /// What can be refused by the head alone: unknown routes and wrong methods (also without a key), then a missing or
    /// wrong key, then a body that cannot be read.
    package func refuse(_ head: RequestHead) -> Response? {
        do throws(APIError) {
            if head.method != "OPTIONS" {
                let match = try RouteTable.find(head)
                if match.route.needsKey { try keys.check(head) }
            }
            try MessagesAPI.checkBody(head)
            return nil
        } catch {
            return error.response(requestID: head.requestID)
        }
    }

    /// The longest body of a request whose method gives it no meaning.
    private static let maxUnreadBodyBytes = 64 << 10

    /// Requests that pass without a key have no use for a body, so nobody without one can fill the memory.
    private static func checkBody(_ head: RequestHead) throws(APIError) {
        let coding = head.headers[first: "content-encoding"]?.lowercased() ?? "identity"
        guard coding == "identity" || coding.isEmpty else {
            throw .invalidRequest("content-encoding: '\(coding.prefix(40))' is not supported; send the body as it is")
        }
        guard head.method != "POST" else { return }
        let length = head.headers[first: "content-length"].map { Int($0) ?? .max } ?? 0
        guard head.headers[first: "transfer-encoding"] == nil, length <= maxUnreadBodyBytes else {
            throw .bodyTooLarge("a \(head.method) request needs no body here")
        }
    }

    package func respond(to request: Request) async -> Response {
        do throws(APIError) {
            if request.head.method == "OPTIONS" { return RouteTable.options(request.head) }
            let match = try RouteTable.find(request.head)
            return try await match.route.handle(self, request, match.parameters)
        } catch {
            return error.response(requestID: request.head.requestID)
        }
    }

    package func response(to fault: HTTPFault, requestID: String) -> Response {
        APIError(fault).response(requestID: requestID)
    }

    package func finished(_ head: RequestHead?, status: Int, seconds: Double) {
        let route = head.map { RouteTable.label($0) } ?? "malformed"
        metrics.requestFinished(route: route, status: status, seconds: seconds)
    }

    var contextLength: Int { scheduler.contextLength }
    var uptimeSeconds: Double { (ContinuousClock.now - started) / .seconds(1) }
}
