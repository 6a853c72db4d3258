import APIClient
import Console
import Dispatch
package import Foundation
import Platform

/// Runs a load test from beginning to end.
package enum LoadTest {
    /// - Returns: the process's exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        DescriptorLimit.raise()  // Each client is a descriptor.
        do {
            guard let options = try LoadOptions.parse(arguments) else {
                Output.print(LoadOptions.help)
                return 0
            }
            for path in [options.jsonPath, options.htmlPath].compactMap({ $0 }) { try Output.check(path) }
            let test = try measure(options)
            try report(test, options)
            guard test.results.isGood else { return 1 }
            return test.isInterrupted ? 128 + SIGINT : 0
        } catch let error as UsageError {
            Output.error("pensieve-load: \(error)")
            return 2
        } catch {
            Output.error("pensieve-load: \(error)")
            return 1
        }
    }

    /// A finished test.
    package struct Record: Sendable {
        package var results: Results
        package var samples: [RequestSample]
        package var started: Date
        package var isInterrupted: Bool
    }

    /// Loads the server; with verification then repeats some of the questions without other load.
    /// - Throws: `UsageError`, and `SocketFailure` if the server cannot be reached or does not count tokens.
    package static func measure(_ options: LoadOptions) throws -> Record {
        let endpoint = try Endpoint(options.target)
        let connections = ConnectionPool(endpoint, timeout: options.timeoutSeconds)
        let client = Client(options, connections)
        try reach(connections, options)
        let prompts = Prompts(options: options)
        let filler = try Calibration(prompts, count: client.count).filler(
            promptTokens: options.promptTokens,
            sharedPrefix: options.sharedPrefix
        )
        let generator = LoadGenerator(options, client: client, prompts: prompts, filler: filler)
        let signals = endOnSignal(generator)
        defer { signals.forEach { $0.cancel() } }
        let started = Date()
        let samples = generator.run()
        let repeated = options.verify && !generator.isStopped ? generator.repeatAlone(samples) : []
        let results = Results(samples, repeated: repeated, options: options)
        return Record(results: results, samples: samples, started: started, isInterrupted: generator.isStopped)
    }

    /// Fails early, with one message, if the server cannot be reached.
    private static func reach(_ connections: ConnectionPool, _ options: LoadOptions) throws {
        do throws(SocketFailure) {
            connections.release(try connections.open(), reusable: false)
        } catch {
            throw SocketFailure("\(options.target.description): \(error); is the server running?")
        }
    }

    private static func report(_ test: Record, _ options: LoadOptions) throws {
        let table = Report.table(test, options)
        // A report for programs must have standard output for itself.
        if options.jsonPath == "-" || options.htmlPath == "-" { Output.error(table) } else { Output.print(table) }
        if let path = options.jsonPath { try Output.write(try Report.json(test, options), to: path) }
        if let path = options.htmlPath { try Output.write(HTMLReport.page(test, options), to: path) }
    }

    /// The first SIGINT or SIGTERM ends the test, the second one the program.
    private static func endOnSignal(_ generator: LoadGenerator) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in
                if generator.isStopped { exit(128 + number) }
                generator.stop()
            }
            source.resume()
            return source
        }
    }
}

extension Client {
    /// The tokens of a prompt by the server's count, or else by the usage that it reports for a one-token answer.
    fileprivate func count(_ question: Question) throws -> Int {
        if let count = try countTokens(question) { return count }
        let sample = ask(question, maxTokens: 1)
        switch sample.outcome {
        case .answered where sample.answer.promptTokens > 0: return sample.answer.promptTokens
        case .failed(let kind, let detail):
            throw SocketFailure("cannot count the tokens of a prompt: \(kind) \((detail ?? "").printable)")
        default: throw SocketFailure("cannot count the tokens of a prompt: the server tells no usage")
        }
    }
}
