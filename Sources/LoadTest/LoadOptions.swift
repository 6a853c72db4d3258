package import APIClient
import Console
import Foundation

/// The options of a load test.
package struct LoadOptions: Sendable {
    package enum Pace: Sendable, Equatable {
        /// Closed loop: this many clients, each sending its next request as soon as it is answered.
        case concurrency(Int)
        /// Open loop: this many arrivals per second on average, as a Poisson process.
        case rate(Double)
    }

    /// Service-level objectives in seconds: answers within them count for goodput.
    package struct Goals: Sendable, Equatable, Codable {
        package var timeToFirstToken: Double?
        /// For the mean of an answer's inter-token latencies.
        package var interTokenLatency: Double?
        package var endToEnd: Double?

        package var isEmpty: Bool { timeToFirstToken == nil && interTokenLatency == nil && endToEnd == nil }
    }

    package var target = Target()
    package var key = developmentKey
    package var model = "claude-local"
    package var pace = Pace.concurrency(8)
    package var requests = 64
    package var seconds: Double?
    package var promptTokens: Int?
    package var sharedPrefix = 0
    package var maxTokens = 64
    /// Nil: those that any model answers well.
    package var families: [Question.Family]?
    package var verify = false
    package var abortFraction = 0.0
    package var timeoutSeconds = 300.0
    package var seed: UInt64 = 1
    package var goals = Goals()
    package var jsonPath: String?
    package var htmlPath: String?

    package init() {}

    /// What is asked. That a forced call is valid is the server's work, whatever the model: so it is verified too.
    package var askedFamilies: [Question.Family] {
        families ?? (verify ? Question.Family.certain + [.calls] : Question.Family.certain)
    }
}

extension LoadOptions {
    /// The key that a Pensieve server without configured keys accepts on loopback.
    private static let developmentKey = "test-api-key-12345"
    private static let keyVariable = "PENSIEVE_API_KEY"

    package static let help = """
        Loads a server that speaks the Anthropic Messages API, and reports what its
        clients saw.

        usage: pensieve-load [flags]

        Server
          --url URL            plain http, without /v1 (default http://127.0.0.1:7777)
          --api-key-file FILE  the first key in it; else the variable \(keyVariable), else
                               \(developmentKey)
          --api-key KEY        which every user of this machine sees
          --model NAME         (default claude-local)
          --timeout S          for one request (default 300)

        Load
          --concurrency N      N clients, each asking again when answered (default 8)
          --rate R             instead: R requests a second, at random moments (Poisson)
          --requests K         how many in all (default 64, or no end with --duration)
          --duration S         start no request after S seconds
          --abort-fraction F   this share of clients, 0 to 1, leaves in the middle

        Requests
          --prompt-tokens T    prompts of about T tokens, as the server counts them
          --shared-prefix T    the first T of these tokens are the same in all prompts
          --max-tokens M       longest answer (default 64)
          --questions LIST     what to ask, of: \(Question.Family.allCases.map(\.rawValue).joined(separator: ","))
                               (default \(Question.Family.certain.map(\.rawValue).joined(separator: ",")), with
                               --verify also calls)
          --seed N             other prompts

        Judgement
          --verify             hold replies against known answers, ask a sample again
                               alone, and compare. WRONG: another answer than the known
                               one. DIFFERING: another text than the same question got
                               alone or at another time. INVALID: a call of a tool that
                               was not forced or offered, or with other arguments than
                               it takes
          --slo-ttft MS        goodput counts answers whose first token came in MS, …
          --slo-itl MS         … whose mean inter-token latency is at most MS, …
          --slo-e2e MS         … and which were complete in MS

        Report
          --json FILE          the figures as JSON ('-' is standard output)
          --html FILE          the figures as one page with plots

        Ctrl-C ends the test and prints the report so far.

        exit status: 0 good; 1 requests failed, or replies were wrong, differed or
        were invalid; 2 misused; 130 interrupted, and good so far

        examples:
          pensieve-load --concurrency 32 --requests 256 --verify
          pensieve-load --rate 5 --duration 60 --prompt-tokens 500 --html report.html
        """

    /// Parses the arguments; nil if they ask for help.
    /// - Throws: `UsageError` that names the flag and the mistake.
    package static func parse(
        _ arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(UsageError) -> LoadOptions? {
        var options = LoadOptions()
        if let key = environment[keyVariable], !key.isEmpty {
            do throws(UsageError) { options.key = try visible(key) } catch {
                throw UsageError("\(keyVariable): \(error)")
            }
        }
        var given: [String: String] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return nil }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = argument.hasPrefix("--") ? String(parts[0].dropFirst(2)) : ""
            if name == "verify", parts.count == 1 {
                options.verify = true
                continue
            }
            guard setters[name] != nil else {
                let nearest = nearestName(to: parts[0], among: names).map { ", did you mean '\($0)'?" }
                throw UsageError("unknown flag '\(parts[0])'\(nearest ?? ""); see --help")
            }
            // A flag is not a value: in `--json --html` the first lacks one.
            let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
            guard let text = parts.count > 1 ? parts[1] : next, !text.isEmpty else {
                throw UsageError("--\(name) needs a value; see --help")
            }
            if parts.count == 1 { rest.removeFirst() }
            given[name] = text
        }
        try options.set(given)
        return options
    }

    private mutating func set(_ given: [String: String]) throws(UsageError) {
        guard given["api-key"] == nil || given["api-key-file"] == nil else {
            throw UsageError("--api-key and --api-key-file exclude each other")
        }
        guard given["concurrency"] == nil || given["rate"] == nil else {
            throw UsageError("--concurrency and --rate exclude each other")
        }
        for (name, text) in given.sorted(by: { $0.key < $1.key }) {
            do throws(UsageError) {
                try Self.setters[name]?(&self, text)
            } catch {
                throw UsageError("--\(name): \(error)")
            }
        }
        if seconds != nil, given["requests"] == nil { requests = Self.maxRequests }
        if let promptTokens, promptTokens < sharedPrefix {
            throw UsageError("--shared-prefix is a part of --prompt-tokens and cannot be longer")
        }
    }

    private typealias Setter = @Sendable (inout LoadOptions, String) throws(UsageError) -> Void

    /// The times of all tokens are kept until the end: about a gigabyte for a million requests.
    private static let maxRequests = 1_000_000
    private static let names = setters.keys.sorted().map { "--" + $0 } + ["--verify", "--help"]

    private static let setters: [String: Setter] = [
        "url": { (options, text) throws(UsageError) in options.target = try Target(url: text) },
        "api-key-file": { (options, text) throws(UsageError) in options.key = try visible(firstKey(inFile: text)) },
        "api-key": { (options, text) throws(UsageError) in options.key = try visible(text) },
        "model": { (options, text) in options.model = text },
        "concurrency": { (options, text) throws(UsageError) in
            options.pace = .concurrency(try integer(text, 1...4096))
        },
        "rate": { (options, text) throws(UsageError) in options.pace = .rate(try number(text, 0.001...100_000)) },
        "requests": { (options, text) throws(UsageError) in options.requests = try integer(text, 1...maxRequests) },
        "duration": { (options, text) throws(UsageError) in options.seconds = try number(text, 0.1...1_000_000) },
        "prompt-tokens": { (options, text) throws(UsageError) in
            options.promptTokens = try integer(text, 1...1_000_000)
        },
        "shared-prefix": { (options, text) throws(UsageError) in
            options.sharedPrefix = try integer(text, 0...1_000_000)
        },
        "max-tokens": { (options, text) throws(UsageError) in options.maxTokens = try integer(text, 1...1_000_000) },
        "questions": { (options, text) throws(UsageError) in options.families = try families(text) },
        "seed": { (options, text) throws(UsageError) in options.seed = UInt64(try integer(text, 0...(Int.max >> 1))) },
        "timeout": { (options, text) throws(UsageError) in options.timeoutSeconds = try number(text, 0.1...100_000) },
        "abort-fraction": { (options, text) throws(UsageError) in options.abortFraction = try number(text, 0...1) },
        "slo-ttft": { (options, text) throws(UsageError) in
            options.goals.timeToFirstToken = try number(text, 0...1e9) / 1000
        },
        "slo-itl": { (options, text) throws(UsageError) in
            options.goals.interTokenLatency = try number(text, 0...1e9) / 1000
        },
        "slo-e2e": { (options, text) throws(UsageError) in options.goals.endToEnd = try number(text, 0...1e9) / 1000 },
        "json": { (options, text) in options.jsonPath = text },
        "html": { (options, text) in options.htmlPath = text },
    ]

    private static func number(_ text: String, _ range: ClosedRange<Double>) throws(UsageError) -> Double {
        guard text.allSatisfy({ "0123456789.eE+-".contains($0) }), let value = Double(text) else {
            throw UsageError("'\(text)' is not a number")
        }
        guard range.contains(value) else {
            throw UsageError("\(text) is outside \(plain(range.lowerBound)) to \(plain(range.upperBound))")
        }
        return value
    }

    private static func integer(_ text: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int {
        guard let value = Int(text) else { throw UsageError("'\(text)' is not a whole number") }
        guard range.contains(value) else {
            throw UsageError("\(text) is outside \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static func plain(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// The first key of a file as servers have it: keys begin lines, others are comments.
    private static func firstKey(inFile path: String) throws(UsageError) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw UsageError("'\(path)' cannot be read")
        }
        for line in text.split(whereSeparator: \.isNewline) {
            if let key = line.split(whereSeparator: \.isWhitespace).first, !key.hasPrefix("#") { return String(key) }
        }
        throw UsageError("'\(path)' has no key")
    }

    /// A value that is safe in a header: no control characters, which could start another header.
    private static func visible(_ text: String) throws(UsageError) -> String {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw UsageError("a key is of visible ASCII characters")
        }
        return text
    }

    private static func families(_ text: String) throws(UsageError) -> [Question.Family] {
        var result: [Question.Family] = []
        for name in text.split(separator: ",") {
            guard let family = Question.Family(rawValue: String(name)) else {
                let all = Question.Family.allCases.map(\.rawValue)
                throw UsageError("'\(name)' is none of \(all.joined(separator: ", "))")
            }
            if !result.contains(family) { result.append(family) }
        }
        guard !result.isEmpty else { throw UsageError("name at least one kind of question") }
        return result
    }
}
