import Dispatch
import Foundation

/// The signals that end a server, as a stream: the first asks for a graceful end, the second for an immediate one.
struct Signals: Sendable {
    let received: AsyncStream<Int32>

    /// Takes over SIGINT and SIGTERM, and ignores SIGPIPE: a client that has gone is an error of one write.
    init() {
        signal(SIGPIPE, SIG_IGN)
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
