import Foundation
import HTTPFront
import Scheduling

/// `pensieve start`: assembles the server, runs it until a signal, and ends it in order.
enum StartCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        var arguments = try Arguments(
            raw,
            of: "start",
            valued: ["config"] + Setting.all.filter { !$0.isToggle }.map(\.name),
            toggles: Setting.all.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(Help.start)
            return 0
        }
        try arguments.takeModel(of: "start")
        let configuration = try Configuration.resolve(&arguments)
        if let warning = ServerKey.warning(configuration) { Terminal.warning(warning) }
        return try await serve(configuration)
    }

    private static func serve(_ configuration: Configuration) async throws -> Int32 {
        // A log that nobody reads any more is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        let keys = try Keys.check(configuration)
        if let warning = Keys.warning(configuration) { Terminal.warning(warning) }
        // Until there is a server to end in order, a signal ends the program at once, also while a model is fetched.
        let assembly = try await Assembly.make(configuration, keys: keys)
        let signals = Signals()
        let port = try await assembly.server.bind(host: configuration.host, port: UInt16(configuration.port))
        Terminal.error(Banner.text(assembly.scheduler.engineDescription, configuration, port: port, keys: keys.count))

        let server = assembly.server
        let ending = Task {
            var signals = signals.received.makeAsyncIterator()
            guard await signals.next() != nil else { return }
            let statistics = await assembly.scheduler.statistics()
            LineWriter.standardError.write(farewell(statistics, seconds: configuration.shutdownSeconds))
            async let drained: Void = end(assembly, within: configuration.shutdownSeconds)
            let hurried = Task {
                // The second signal gives running answers no more time, the third not even their last event.
                if await signals.next() != nil {
                    await assembly.scheduler.stopSaving()
                    await assembly.scheduler.stop(within: .zero)
                }
                if await signals.next() != nil { await server.closeAll() }
            }
            await drained
            hurried.cancel()
        }
        await server.run()
        await ending.value
        await LineWriter.standardError.finish()
        return 0
    }

    private static func farewell(_ statistics: SchedulerStatistics, seconds: Double) -> String {
        let running = statistics.sessionsRunning + statistics.sessionsWaiting
        guard running > 0 else { return "pensieve: ending" }
        return "pensieve: ending; \(running) running \(running == 1 ? "answer has" : "answers have") "
            + "\(Format.number(seconds)) s to finish (the same signal again ends all now)"
    }

    /// Stops accepting, lets sessions finish, gives their last events time to leave, and closes what is left.
    private static func end(_ assembly: Assembly, within seconds: Double) async {
        await assembly.server.stopAccepting()
        await assembly.scheduler.stop(within: .seconds(seconds))
        let deadline = ContinuousClock.now + .seconds(5)
        while await assembly.server.connectionCount > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await assembly.server.closeAll()
        let saved = await assembly.scheduler.saveBlocks()
        if saved > 0 { LineWriter.standardError.write("pensieve: saved \(saved) blocks of the prefix cache") }
    }
}
