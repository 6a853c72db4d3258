import Dispatch
import Foundation
import Synchronization

/// The signals that end a program, as a stream: the first asks for an end in order, the second for one at once.
///
/// Made only when there is something to end in order; until then the system's way, to end at once, is the right one.
struct Signals: Sendable {
    let received: AsyncStream<Int32>

    /// Takes over SIGINT, SIGTERM and, unless it is ignored as `nohup` has it, SIGHUP.
    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        let numbers = [SIGINT, SIGTERM] + (Signals.isIgnored(SIGHUP) ? [] : [SIGHUP])
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable [hangups = Once()] in
                // A terminal that closes may say so several times: by the kernel and by the shell.
                if number != SIGHUP || hangups.isFirst() { continuation.yield(number) }
            }
            source.resume()
            return source
        }
        // Dispatch sources may be held and cancelled from any thread; the stream keeps them alive.
        nonisolated(unsafe) let held = sources
        continuation.onTermination = { @Sendable _ in held.forEach { $0.cancel() } }
        received = stream
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        // Handlers are compared as addresses: C has no other way.
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

private final class Once: Sendable {
    private let isOver = Atomic<Bool>(false)

    func isFirst() -> Bool { !isOver.exchange(true, ordering: .relaxed) }
}
