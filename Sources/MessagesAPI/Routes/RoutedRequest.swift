import HTTPFront

/// A request with all that was found out about it by its head: what answers it, and who it is from.
struct RoutedRequest: AcceptedRequest {
    let api: MessagesAPI
    let head: RequestHead
    let target: RouteTable.Target
    let owner: KeyRing.Owner?
    let record: RequestRecord
    /// Empty until the request is answered.
    private(set) var body: [UInt8] = []

    init(api: MessagesAPI, head: RequestHead, target: RouteTable.Target, owner: KeyRing.Owner?, record: RequestRecord) {
        self.api = api
        self.head = head
        self.target = target
        self.owner = owner
        self.record = record
    }

    /// A client that had to show a key is known by it.
    var client: String? { target.needsKey ? clientName : nil }

    /// The name under which the client takes turns with others.
    var clientName: String { owner?.clientName ?? "unknown" }

    /// What stands in place of the route's parameters.
    var parameters: [String] {
        guard case .route(_, let parameters) = target else { return [] }
        return parameters
    }

    func respond(with body: [UInt8]) async -> Response {
        var request = self
        request.body = body
        return api.finish(await request.answer(), of: head, record)
    }

    private func answer() async -> Result<Response, APIError> {
        do throws(APIError) {
            switch target {
            case .route(let route, _): return .success(try await route.handle(api, self))
            case .options(let allowed):
                let response = Response(status: 204, headers: ["allow": allowed.joined(separator: ", ")])
                return .success(api.crossOrigin.preflight(response, for: head))
            }
        } catch {
            return .failure(error)
        }
    }

    func response(to fault: HTTPFault) -> Response { api.finish(.failure(APIError(fault)), of: head, record) }
}
