import Foundation
import HTTPFront
import MessagesAPI
import Scheduling

/// `pensieve start`: assembles the server, runs it until a signal, and shuts it down gracefully.
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
        return try await serve(Configuration.resolve(&arguments))
    }

    private static func serve(_ configuration: Configuration) async throws -> Int32 {
        // A closed standard error must not end the server.
        signal(SIGPIPE, SIG_IGN)
        // Before keys are checked or a model is loaded: an unknown host is a mistake in the arguments.
        try await HTTPServer.check(host: configuration.host, port: 0)
        let writer = LogWriter { ServerLog.line($0, .warning, configuration.serverLogFormat) }
        let log = ServerLog(configuration.serverLogFormat) { writer.write($0) }
        let keys = try APIKeys.check(configuration)
        for warning in [ClientKey.warning(configuration), APIKeys.warning(configuration)] {
            if let warning { log.say(warning, .warning) }
        }
        configuration.machineWarnings().forEach { log.say($0, .warning) }
        if keys.isEmpty, configuration.allowOrigins.contains("*") {
            log.say(
                "every web page that is open on this machine may use the server: --allow-origin * without keys",
                .warning
            )
        }
        if !configuration.mock, let model = configuration.model { try ModelLocation.check(model) }
        // Not when the model is loaded, which takes time, and memory that another server needs.
        try await HTTPServer.check(host: configuration.host, port: UInt16(configuration.port))
        // Until the server runs, a signal ends the program immediately, also while a model is pulled.
        let assembly = try await Assembly.make(configuration, keys: keys, log: log)
        let signals = Signals()
        let port = try await assembly.server.bind(host: configuration.host, port: UInt16(configuration.port))
        let connections = await assembly.server.connectionLimit
        if connections < configuration.limits.maxConnections {
            log.say(
                "the limit on open files (ulimit -n) allows \(connections) connections at a time, not the "
                    + "\(configuration.limits.maxConnections) of --max-connections",
                .warning
            )
        }
        log.say(
            Banner.text(
                assembly.scheduler.engineDescription,
                configuration,
                sampling: assembly.sampling,
                port: port,
                keys: keys.count
            )
        )

        let shutdown = Task {
            var signals = signals.received.makeAsyncIterator()
            guard await signals.next() != nil else { return }
            let shutdown = GracefulShutdown(assembly, configuration, log)
            async let ended: Void = shutdown.run()
            let furtherSignals = Task {
                if await signals.next() != nil { await shutdown.endNow() }
                if await signals.next() != nil { await assembly.server.closeAll() }
            }
            await ended
            furtherSignals.cancel()
        }
        await assembly.server.run()
        await shutdown.value
        await writer.finish()
        return 0
    }
}
