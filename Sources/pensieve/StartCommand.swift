import Foundation
import HTTPFront
import MessagesAPI
import Scheduling

/// `pensieve start`: assembles the server, runs it until a signal, and ends it in order.
enum StartCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        var arguments = try Arguments(
            raw,
            valued: ["config"] + Setting.all.filter { !$0.isToggle }.map(\.name),
            toggles: Setting.all.filter(\.isToggle).map(\.name)
        )
        if arguments.wantsHelp {
            Terminal.print(Help.start)
            return 0
        }
        if let extra = arguments.positional.first {
            throw ConfigurationError("'\(extra)' is not a flag; a model is named by --model MODEL")
        }
        return try await serve(Configuration.resolve(&arguments))
    }

    private static func serve(_ configuration: Configuration) async throws -> Int32 {
        // A log that nobody reads any more is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        let writer = LineWriter { ServerLog.line($0, .warning, configuration.serverLogFormat) }
        let log = ServerLog(configuration.serverLogFormat) { writer.write($0) }
        let keys = try Keys.check(configuration)
        if let warning = Keys.warning(configuration) { log.say(warning, .warning) }
        // Until there is a server to end in order, a signal ends the program at once, also while a model is fetched.
        let assembly = try await Assembly.make(configuration, keys: keys, log: log)
        let signals = Signals()
        let port = try await assembly.server.bind(host: configuration.host, port: UInt16(configuration.port))
        log.say(Banner.text(assembly.scheduler.engineDescription, configuration, port: port, keys: keys.count))

        let ending = Task {
            var signals = signals.received.makeAsyncIterator()
            guard await signals.next() != nil else { return }
            let ending = Ending(assembly, configuration, log)
            async let ended: Void = ending.run()
            let hurried = Task {
                if await signals.next() != nil { await ending.hurry() }
                if await signals.next() != nil { await assembly.server.closeAll() }
            }
            await ended
            hurried.cancel()
        }
        await assembly.server.run()
        await ending.value
        await writer.finish()
        return 0
    }
}
