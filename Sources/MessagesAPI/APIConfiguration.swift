package import EngineContract

/// What an operator may set about the API.
package struct APIConfiguration: Sendable {
    /// Accepted on loopback where no keys are configured.
    package static let developmentKey = "test-api-key-12345"

    /// The keys that pass. Empty: the development keys pass, on loopback only.
    package var apiKeys: [String] = []
    /// The origins of web pages that may use the API from a browser, as `WebOrigin` reads them, or `*` for all. Without
    /// keys those of this machine may as well.
    package var allowedOrigins: [String] = []
    /// A `ping` goes out after this long without another event in a stream.
    package var pingInterval: Duration = .seconds(5)
    /// The server's version, for `/health`.
    package var version = "0"
    /// Gets what is to be said about the server itself, if there is something.
    package var log: ServerLog?
    /// Gets a line for each request, if there is one.
    package var requestLog: ServerLog?
    /// What holds where a request sets no sampling parameter of its own; the seed is not taken from here.
    package var defaultSampling = SamplingParameters(temperature: 1)
    /// Whether the thinking of all earlier answers stays in prompts, also where the model's template would drop it.
    package var keepsThinking = false
    /// The seed of every request, for reproducible runs; otherwise each request gets a random one.
    package var fixedSeed: UInt64?

    package init() {}
}
