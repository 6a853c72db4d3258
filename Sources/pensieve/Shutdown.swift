import Dispatch
import Foundation
import HTTPFront
import MessagesAPI
import Scheduling
import Synchronization

/// The termination signals as a stream: the first asks for a graceful shutdown, further ones for a faster one.
///
/// Created only when there is something to shut down; until then the default action, to terminate, is right.
struct Signals: Sendable {
    let received: AsyncStream<Int32>

    private static let listeners = Atomic<Int>(0)

    /// Whether signals are handled by any of these now.
    static var areHandled: Bool { listeners.load(ordering: .relaxed) > 0 }

    /// Handles SIGINT, SIGTERM and, unless it is ignored (`nohup`), SIGHUP.
    init() {
        Self.listeners.add(1, ordering: .relaxed)
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        let numbers = [SIGINT, SIGTERM] + (Signals.isIgnored(SIGHUP) ? [] : [SIGHUP])
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable [hangups = Once()] in
                // A closing terminal may send several SIGHUPs, by the kernel and by the shell.
                if number != SIGHUP || hangups.isFirst() { continuation.yield(number) }
            }
            source.resume()
            return source
        }
        // Dispatch sources can be held and cancelled from any thread; the stream keeps them alive.
        nonisolated(unsafe) let held = sources
        continuation.onTermination = { @Sendable _ in
            held.forEach { $0.cancel() }
            Self.listeners.subtract(1, ordering: .relaxed)
        }
        received = stream
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        // Handlers can only be compared as addresses.
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

private final class Once: Sendable {
    private let isOver = Atomic<Bool>(false)

    func isFirst() -> Bool { !isOver.exchange(true, ordering: .relaxed) }
}

/// A server's graceful shutdown: `/health` reports it, requests are served for the drain period, running answers get
/// time to finish, and remaining connections are closed.
struct GracefulShutdown: Sendable {
    private let assembly: Assembly
    private let drainSeconds: Double
    private let answerSeconds: Double
    private let log: ServerLog
    /// The drain period, during which new requests are served.
    private let drainPeriod: Task<Void, Never>

    init(_ assembly: Assembly, _ configuration: Configuration, _ log: ServerLog) {
        self.assembly = assembly
        self.log = log
        drainSeconds = configuration.drainSeconds
        answerSeconds = configuration.shutdownSeconds
        assembly.api.startDraining()
        drainPeriod = Task { [drainSeconds] in try? await Task.sleep(for: .seconds(drainSeconds)) }
    }

    func run() async {
        log.say(announcement(await assembly.scheduler.statistics()))
        await drainPeriod.value
        await assembly.server.stopAccepting()
        await assembly.scheduler.stop(within: .seconds(answerSeconds))
        // Time to send their last events.
        let deadline = ContinuousClock.now + .seconds(5)
        while await assembly.server.connectionCount > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await assembly.server.closeAll()
        let saved = await assembly.scheduler.saveBlocks()
        if saved > 0 { log.say("pensieve: saved \(saved) blocks of the prefix cache") }
    }

    /// Ends the drain period and all running answers now; these still get their last event.
    func endNow() async {
        drainPeriod.cancel()
        await assembly.scheduler.stopSaving()
        await assembly.scheduler.stop(within: .zero)
    }

    private func announcement(_ statistics: SchedulerStatistics) -> String {
        let running = statistics.sessionsRunning + statistics.sessionsWaiting
        var parts = ["pensieve: ending"]
        if drainSeconds > 0 { parts.append("requests are taken for \(Format.number(drainSeconds)) s more") }
        if running > 0 {
            let answers = running == 1 ? "1 running answer has" : "\(running) running answers have"
            parts.append("\(answers) \(Format.number(drainSeconds + answerSeconds)) s to finish")
        }
        return parts.joined(separator: "; ") + (parts.count > 1 ? " (the same signal again ends all now)" : "")
    }
}
