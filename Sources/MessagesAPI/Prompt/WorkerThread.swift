import Dispatch
import HTTPFront
import Platform
import Synchronization

/// A thread and the queue of jobs that wait for it, clients taking turns.
///
/// The thread is started when there is a job and ends when there was none for a while.
final class WorkerThread: Sendable {
    /// Exactly one of the two is called.
    struct Job: Sendable {
        let run: @Sendable () -> Void
        /// The job will not run.
        let drop: @Sendable (DropReason) -> Void
    }

    enum DropReason: Sendable { case clientLeft, queueFull }

    private struct State {
        var jobs = FairQueue<Job>(capacity: WorkerThread.maxWaiting)
        var lastTicket: UInt64 = 0
        var hasThread = false
        /// The thread sleeps until it is signalled.
        var isAsleep = false
    }

    /// The most jobs that wait; beyond it, the client with the most loses its newest one.
    static let maxWaiting = 512
    private static let idleTimeout = DispatchTimeInterval.seconds(5)

    private let name: String
    private let niceness: Int32
    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - name: of the thread, as the kernel shows it, 15 bytes at most.
    ///   - niceness: above 0, the thread leaves the cores to those that serve sockets and compute answers.
    init(name: String, niceness: Int32) {
        self.name = name
        self.niceness = niceness
    }

    /// A new name for a job, by which it can be cancelled.
    func makeTicket() -> UInt64 {
        state.withLock {
            $0.lastTicket += 1
            return $0.lastTicket
        }
    }

    func submit(_ job: Job, ticket: UInt64, client: String, bytes: Int) {
        enum Next { case nothing, wake, start }
        let (arrival, next) = state.withLock { state -> (FairQueue<Job>.Arrival?, Next) in
            // A task is marked as cancelled before its handler runs: so either this sees the mark, or the handler, which
            // then waits for the lock, finds the job.
            if Task.isCancelled { return (nil, .nothing) }
            let arrival = state.jobs.push(job, ticket: ticket, client: client, bytes: bytes)
            if !state.hasThread {
                state.hasThread = true
                return (arrival, .start)
            }
            defer { state.isAsleep = false }
            return (arrival, state.isAsleep ? .wake : .nothing)
        }
        switch arrival {
        case nil: job.drop(.clientLeft)
        case .refused(let job), .displaced(let job): job.drop(.queueFull)
        case .queued: break
        }
        switch next {
        case .nothing: break
        case .wake: arrivals.signal()
        case .start:
            // Where the system has no thread to give, the work is done here.
            if !startThread(named: name, { self.serve() }) { serve(waitsForMore: false) }
        }
    }

    func cancel(_ ticket: UInt64, client: String) {
        state.withLock { $0.jobs.remove(ticket, client: client) }?.drop(.clientLeft)
    }

    private func serve() {
        lowerThreadPriority(to: niceness)
        serve(waitsForMore: true)
    }

    private func serve(waitsForMore: Bool) {
        while true {
            if let job = state.withLock({ $0.jobs.pop() }) {
                job.run()
            } else if waitsForMore {
                guard fallAsleep() else { continue }
                if arrivals.wait(timeout: .now() + Self.idleTimeout) == .timedOut, retire() { return }
            } else if retire() {
                return
            }
        }
    }

    /// - Returns: false if there is something to do.
    private func fallAsleep() -> Bool {
        state.withLock {
            $0.isAsleep = $0.jobs.count == 0
            return $0.isAsleep
        }
    }

    /// - Returns: false if there is something to do.
    private func retire() -> Bool {
        state.withLock {
            $0.isAsleep = false
            $0.hasThread = $0.jobs.count > 0
            return !$0.hasThread
        }
    }
}
