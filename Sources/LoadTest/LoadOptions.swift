import Foundation

/// What a load test does, as the command line says.
package struct LoadOptions: Sendable {
    package enum Pace: Sendable, Equatable {
        /// So many clients, each asking again as soon as it is answered.
        case concurrency(Int)
        /// So many arrivals per second, at random moments (a Poisson process).
        case rate(Double)
    }

    package var host = "127.0.0.1"
    package var port: UInt16 = 7777
    package var key = "test-api-key-12345"
    package var model = "claude-local"
    package var pace = Pace.concurrency(8)
    package var requests = 64
    package var seconds: Double?
    package var promptTokens = 0
    package var sharedPrefix = 0
    package var maxTokens = 64
    package var verify = false
    package var verifyTolerancePercent = 0.0
    package var abortFraction = 0.0
    package var timeoutSeconds = 300.0
    package var seed: UInt64 = 1
    package var goodputTTFT: Double?
    package var goodputITL: Double?
    package var jsonPath: String?
    package var htmlPath: String?

    package init() {}
}

/// A mistake in the arguments, in words that say what to do.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension LoadOptions {
    package static let help = """
        Loads a server that speaks the Anthropic Messages API and reports what its clients saw.

        usage: pensieve-load [flags]

          --url URL              the server (default http://127.0.0.1:7777)
          --api-key KEY          (default test-api-key-12345)
          --model NAME           (default claude-local)

          --concurrency N        N clients, each asking again when answered (default 8)
          --rate R               instead: R requests per second, at random moments (Poisson)
          --requests K           how many in all (default 64)
          --duration S           instead: start requests for S seconds

          --prompt-tokens T      lengthen each prompt by about T tokens
          --shared-prefix T      begin all prompts with the same T tokens or so
          --max-tokens M         longest answer (default 64)
          --seed N               other prompts
          --timeout S            for one request (default 300)
          --abort-fraction F     this share of clients leaves in the middle (0 to 1)

          --verify               ask questions with known answers; repeat a sample alone and compare
          --verify-tolerance P   accept P percent of wrong answers (default 0); differing ones never
          --slo-ttft MS          goodput: requests whose first token came within this time …
          --slo-itl MS           … and whose mean inter-token latency was below this
          --json FILE            the figures as JSON ('-' is standard output)
          --html FILE            the figures as one page with plots

        exit status: 0 good, 1 requests failed or replies were wrong or differed, 2 misused

        examples:
          pensieve-load --concurrency 32 --requests 256 --verify
          pensieve-load --rate 5 --duration 60 --prompt-tokens 500 --html report.html
        """

    private static let valued: [String: @Sendable (inout LoadOptions, String) throws -> Void] = [
        "url": { try $0.setURL($1) },
        "api-key": { $0.key = $1 },
        "model": { $0.model = $1 },
        "concurrency": { $0.pace = .concurrency(Int(try number($1, 1...4096))) },
        "rate": { $0.pace = .rate(try number($1, 0.001...100_000)) },
        "requests": { $0.requests = Int(try number($1, 1...10_000_000)) },
        "duration": { $0.seconds = try number($1, 0.1...1_000_000) },
        "prompt-tokens": { $0.promptTokens = Int(try number($1, 0...1_000_000)) },
        "shared-prefix": { $0.sharedPrefix = Int(try number($1, 0...1_000_000)) },
        "max-tokens": { $0.maxTokens = Int(try number($1, 1...1_000_000)) },
        "seed": { $0.seed = UInt64(try number($1, 0...1e15)) },
        "timeout": { $0.timeoutSeconds = try number($1, 0.1...100_000) },
        "abort-fraction": { $0.abortFraction = try number($1, 0...1) },
        "verify-tolerance": { $0.verifyTolerancePercent = try number($1, 0...100) },
        "slo-ttft": { $0.goodputTTFT = try number($1, 0...1e9) / 1000 },
        "slo-itl": { $0.goodputITL = try number($1, 0...1e9) / 1000 },
        "json": { $0.jsonPath = $1 },
        "html": { $0.htmlPath = $1 },
    ]

    /// Reads the arguments; nil if help was asked for.
    package static func parse(_ arguments: [String]) throws(UsageError) -> LoadOptions? {
        var options = LoadOptions()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return nil }
            if argument == "--verify" {
                options.verify = true
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard argument.hasPrefix("--"), let set = valued[String(parts[0].dropFirst(2))] else {
                throw UsageError("unknown flag '\(parts[0])'" + suggestion(for: parts[0]) + "; see --help")
            }
            guard let text = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw UsageError("\(parts[0]) needs a value; see --help")
            }
            do { try set(&options, text) } catch { throw UsageError("\(parts[0]): \(error)") }
        }
        return options
    }

    private static func number(_ text: String, _ range: ClosedRange<Double>) throws -> Double {
        guard let value = Double(text) else { throw UsageError("'\(text)' is not a number") }
        guard range.contains(value) else {
            throw UsageError("\(text) is outside \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private mutating func setURL(_ text: String) throws {
        guard !text.hasPrefix("https:") else {
            throw UsageError("https is not supported; put a plain http address behind your proxy here")
        }
        guard let url = URLComponents(string: text.contains("://") ? text : "http://" + text), url.scheme == "http",
            let host = url.host, !host.isEmpty, let port = UInt16(exactly: url.port ?? 80)
        else { throw UsageError("'\(text)' is no address such as http://127.0.0.1:7777") }
        guard url.path.isEmpty || url.path == "/" else { throw UsageError("the address must have no path") }
        self.host = host
        self.port = port
    }

    private static func suggestion(for flag: String) -> String {
        let known = valued.keys.map { "--" + $0 } + ["--verify", "--help"]
        let near = known.map { ($0, distance(Array($0.utf8), Array(flag.utf8.prefix(40)))) }.min { $0.1 < $1.1 }
        guard let near, near.1 <= max(2, flag.count / 3) else { return "" }
        return ", did you mean '\(near.0)'?"
    }

    /// Levenshtein's distance.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let candidate = min(diagonal + (x == y ? 0 : 1), row[j] + 1, row[j + 1] + 1)
                diagonal = row[j + 1]
                row[j + 1] = candidate
            }
        }
        return row[b.count]
    }
}
