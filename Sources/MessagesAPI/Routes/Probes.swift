import HTTPFront

extension Route {
    /// Claude Code asks for these before its first request; any status will do, but at once.
    static let rootProbe = probe("/")
    static let helloProbe = probe("/api/hello")

    private static func probe(_ path: String) -> Route {
        Route("HEAD", path, needsKey: false) { _, _ throws(APIError) in
            Response(status: 200, headers: ["content-type": "application/json"])
        }
    }
}
