/// The bounds on what clients may make the front hold or wait for.
package struct Limits: Sendable {
    package var maxRequestLineBytes = 8192
    package var maxHeaderBytes = 32768
    package var maxHeaderFields = 100
    package var maxBodyBytes = 32 << 20
    /// For the requests of all clients together, from a body's first byte until the request is answered. A client has
    /// at most what it leaves to others, see `BodyMemory`.
    package var maxBodyMemoryBytes = 512 << 20
    /// Open connections. When there are so many, those without a request under way give way to new ones.
    package var maxConnections = 4096

    /// From a request's first byte to the end of its head.
    package var headerTimeout: Duration = .seconds(20)
    /// Without a single byte of an announced body.
    package var bodyStallTimeout: Duration = .seconds(30)
    /// For a whole body, plus one second for each `minBodyBytesPerSecond` received.
    package var bodyTimeout: Duration = .seconds(300)
    package var minBodyBytesPerSecond = 4096
    /// For a whole body, however much of it has come.
    package var bodyTimeoutMax: Duration = .seconds(600)
    /// Without a request on a kept-alive (or fresh) connection.
    package var idleTimeout: Duration = .seconds(120)
    /// Without the peer taking any byte of a response.
    package var writeStallTimeout: Duration = .seconds(30)
    /// For the peer to read the last response and close, before the socket is closed.
    package var lingerTimeout: Duration = .seconds(5)
    /// What is read and dropped meanwhile, of a client that did not announce how much it sends.
    package var lingerBytes = 1 << 20
    /// The same for one that announced its body.
    package var lingerBodyBytes = 64 << 20

    package init() {}
}
