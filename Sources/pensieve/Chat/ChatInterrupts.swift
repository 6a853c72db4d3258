import Foundation
import Synchronization

/// What Ctrl-C does at each moment of a conversation in a terminal: it stops an answer, and not the program.
final class ChatInterrupts: Sendable {
    enum Activity: Sendable {
        /// The user types. An editor gets Ctrl-C as a key; without one, or between two lines, it comes here. `interruptions`
        /// are those of an empty prompt before.
        case reading(interruptions: Int)
        case answering(@Sendable () -> Void)
        /// A model is loaded, which nothing can break off but the program's end.
        case busy
    }

    static let hint = "(Ctrl-C again, or Ctrl-D, ends the conversation)"

    private struct State {
        var activity = Activity.busy
        /// Signals since the activity began.
        var count = 0
    }

    private let state = Mutex(State())

    func begin(_ activity: Activity) { state.withLock { $0 = State(activity: activity) } }

    /// How often Ctrl-C came since the activity began.
    var count: Int { state.withLock { $0.count } }

    /// Takes the signals over, until the task is cancelled.
    func watch() -> Task<Void, Never> {
        Task { [self] in
            for await number in Signals().received {
                guard number == SIGINT else { Self.end(128 + number) }
                let now = state.withLock { state in
                    state.count += 1
                    return state
                }
                switch now.activity {
                case .reading(let interruptions) where interruptions + now.count > 1: Self.end(0)
                case .reading: Terminal.error("\n" + Self.hint)
                // An answer that does not stop is no reason to be caught in it.
                case .answering where now.count > 2: Self.end(128 + number)
                case .answering(let stop): stop()
                case .busy: Self.end(128 + number)
                }
            }
        }
    }

    private static func end(_ status: Int32) -> Never {
        TerminalModes.shared.restore()
        Terminal.control("\n")
        exit(status)
    }
}
