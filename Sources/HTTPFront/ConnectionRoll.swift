import Platform
import Synchronization

/// The connections that are served now.
final class ConnectionRoll: Sendable {
    typealias Stage = PlaceBook<Socket>.Stage

    private let book = Mutex(PlaceBook<Socket>())

    /// All of them.
    var count: Int { book.withLock { $0.count } }

    /// Those that were not told to give way.
    var staying: Int { book.withLock { $0.count - $0.dismissed } }

    func enter(_ socket: Socket, client: String) -> Place {
        Place(roll: self, number: book.withLock { $0.enter(socket, client: client, at: .now) })
    }

    /// Makes a connection without a request under way give way to another one; false if there is none.
    func makeRoom() -> Bool {
        guard let socket = book.withLock({ $0.dismiss(at: .now) }) else { return false }
        // Its task finds that the client has left.
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
        return true
    }

    /// A connection's place among the others.
    struct Place: Sendable {
        fileprivate let roll: ConnectionRoll
        fileprivate let number: Int

        /// Notes what the connection does from now on. False if it was told to give way.
        @discardableResult
        func change(to stage: Stage) -> Bool { roll.book.withLock { $0.change(number, to: stage, at: .now) } }

        func leave() { roll.book.withLock { $0.leave(number) } }
    }
}
