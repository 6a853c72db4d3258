/// Bounds on what clients can make the server hold or wait for.
package struct Limits: Sendable, Equatable {
    package var maxRequestLineBytes = 8192
    package var maxHeaderBytes = 32768
    package var maxHeaderFields = 100
    package var maxBodyBytes = 32 << 20
    /// For the requests of all clients together, each from its first byte until it is answered. Shared fairly among
    /// clients, see `RequestMemoryQuota`.
    package var maxBodyMemoryBytes = 512 << 20
    /// Open connections. At this limit, connections without a request in progress are evicted for new ones.
    package var maxConnections = 4096

    /// From a request's first byte to the end of its head.
    package var headerTimeout: Duration = .seconds(20)
    /// Between two bytes of a body.
    package var bodyStallTimeout: Duration = .seconds(30)
    /// For a whole body, extended by one second for each `minBodyBytesPerSecond` received.
    package var bodyTimeout: Duration = .seconds(300)
    package var minBodyBytesPerSecond = 4096
    /// For a whole body, with all extensions.
    package var bodyTimeoutMax: Duration = .seconds(600)
    /// Without a request on a new or kept-alive connection.
    package var idleTimeout: Duration = .seconds(120)
    /// Without the peer accepting any byte of a response.
    package var writeStallTimeout: Duration = .seconds(60)
    /// Lingering close: how long the peer may take to read the last response and close.
    package var lingerTimeout: Duration = .seconds(5)
    /// Lingering close: the most bytes that are read and dropped of a client that announced no body length.
    package var lingerBytes = 1 << 20
    /// Lingering close: the same for a client that announced its body's length.
    package var lingerBodyBytes = 64 << 20

    package init() {}
}
