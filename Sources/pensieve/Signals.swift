import Dispatch
import Foundation

/// The signals that end a program, as a stream: the first asks for an end in order, the second for one at once.
///
/// Made only when there is something to end in order; until then the system's way, to end at once, is the right one.
struct Signals: Sendable {
    let received: AsyncStream<Int32>

    /// Takes over SIGINT and SIGTERM.
    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in continuation.yield(number) }
            source.resume()
            return source
        }
        // Dispatch sources may be held and cancelled from any thread; the stream keeps them alive.
        nonisolated(unsafe) let held = sources
        continuation.onTermination = { @Sendable _ in held.forEach { $0.cancel() } }
        received = stream
    }
}
