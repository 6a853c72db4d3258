import HTTPFront

/// A method on a path, and what answers it.
struct Route: Sendable {
    typealias Handler =
        @Sendable (_ api: MessagesAPI, _ request: RoutedRequest) async throws(APIError) -> Response

    var method: String
    /// Literal segments, and parameters in braces: `/v1/models/{id}`.
    var path: String
    var needsKey: Bool
    var handle: Handler

    init(_ method: String, _ path: String, needsKey: Bool = true, handle: @escaping Handler) {
        self.method = method
        self.path = path
        self.needsKey = needsKey
        self.handle = handle
    }

    /// The parameters, if `segments` (decoded) is this route's path.
    func match(_ segments: [String]) -> [String]? {
        let pattern = RouteTable.split(path)
        guard pattern.count == segments.count else { return nil }
        var parameters: [String] = []
        for (expected, segment) in zip(pattern, segments) {
            if expected.hasPrefix("{") {
                guard !segment.isEmpty else { return nil }
                parameters.append(segment)
            } else if expected != segment {
                return nil
            }
        }
        return parameters
    }
}

/// Every route there is; 404, 405 with `Allow` and `OPTIONS` follow from it.
enum RouteTable {
    /// What answers a request.
    enum Target: Sendable {
        /// - Parameter parameters: the percent-decoded segments in place of the braces, in order.
        case route(Route, parameters: [String])
        /// The answer to `OPTIONS`: the methods that the path allows; all methods for `*` and for unknown paths.
        case options(allowed: [String])

        var needsKey: Bool {
            guard case .route(let route, _) = self else { return false }
            return route.needsKey
        }
    }

    /// A path looked up.
    struct Lookup {
        /// The pattern of the path's route, for metrics: never a client's text.
        var label: String
        /// What answers; 404 for an unknown path, 405 for a known one with another method.
        var target: Result<Target, APIError>
    }

    static let routes: [Route] = [
        .messages, .countTokens, .models, .model, .health, .metrics, .rootProbe, .helloProbe, .chatPage, .favicon,
    ]

    static func lookUp(_ head: RequestHead) -> Lookup {
        let candidates = candidates(head.path)
        return Lookup(
            label: candidates.first?.route.path ?? "other",
            target: Result { () throws(APIError) in try target(of: head, among: candidates) }
        )
    }

    private static func target(
        of head: RequestHead,
        among candidates: [(route: Route, parameters: [String])]
    ) throws(APIError) -> Target {
        if head.method == "OPTIONS" {
            return .options(allowed: allowed(candidates.isEmpty ? routes : candidates.map(\.route)))
        }
        // The routes for GET answer HEAD as well; the front leaves out the body.
        for method in head.method == "HEAD" ? ["HEAD", "GET"] : [head.method] {
            if let match = candidates.first(where: { $0.route.method == method }) {
                return .route(match.route, parameters: match.parameters)
            }
        }
        guard !candidates.isEmpty else { throw .notFound(PathAdvice.text(for: head.path)) }
        throw .methodNotAllowed(String(head.method.prefix(20)), allow: allowed(candidates.map(\.route)))
    }

    private static func candidates(_ path: String) -> [(route: Route, parameters: [String])] {
        // Split before decoding: a slash in an identifier arrives as %2F and stays within its segment.
        var segments: [String] = []
        // No route is longer: a path of thousands of segments need not be taken apart.
        for segment in split(path, atMost: longestPath) {
            guard let decoded = PercentCoding.decode(segment) else { return [] }
            segments.append(decoded)
        }
        return routes.compactMap { route in route.match(segments).map { (route, $0) } }
    }

    /// Segments of the longest route.
    private static let longestPath = routes.map { split($0.path).count }.max() ?? 0

    static func split(_ path: String, atMost most: Int = .max) -> [String] {
        path.split(separator: "/", maxSplits: most, omittingEmptySubsequences: false).map(String.init)
    }

    private static func allowed(_ routes: [Route]) -> [String] {
        var methods = Set(routes.map(\.method))
        if methods.contains("GET") { methods.insert("HEAD") }
        methods.insert("OPTIONS")
        return methods.sorted()
    }
}
