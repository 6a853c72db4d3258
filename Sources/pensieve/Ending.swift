import Foundation
import HTTPFront
import MessagesAPI
import Scheduling

/// A server's end in order: it says that it ends, for a time goes on serving those who have not heard of it, lets running
/// answers finish, and closes what is left.
struct Ending: Sendable {
    private let assembly: Assembly
    private let drainSeconds: Double
    private let answerSeconds: Double
    private let log: ServerLog
    /// The time in which new requests are still served.
    private let draining: Task<Void, Never>

    init(_ assembly: Assembly, _ configuration: Configuration, _ log: ServerLog) {
        self.assembly = assembly
        self.log = log
        drainSeconds = configuration.drainSeconds
        answerSeconds = configuration.shutdownSeconds
        assembly.api.startDraining()
        draining = Task { [drainSeconds] in try? await Task.sleep(for: .seconds(drainSeconds)) }
    }

    func run() async {
        log.say(farewell(await assembly.scheduler.statistics()))
        await draining.value
        await assembly.server.stopAccepting()
        await assembly.scheduler.stop(within: .seconds(answerSeconds))
        // Their last events get time to leave.
        let deadline = ContinuousClock.now + .seconds(5)
        while await assembly.server.connectionCount > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await assembly.server.closeAll()
        let saved = await assembly.scheduler.saveBlocks()
        if saved > 0 { log.say("pensieve: saved \(saved) blocks of the prefix cache") }
    }

    /// Takes no new requests any more and gives running answers no more time; they still get their last event.
    func hurry() async {
        draining.cancel()
        await assembly.scheduler.stopSaving()
        await assembly.scheduler.stop(within: .zero)
    }

    private func farewell(_ statistics: SchedulerStatistics) -> String {
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
