import Foundation
import Synchronization

/// Handles Ctrl-C in a conversation: it interrupts an answer, not the program.
final class ChatInterrupts: Sendable {
    enum Activity: Sendable {
        /// The user types. The line editor gets Ctrl-C as a key; without it, or between two lines, the signal arrives
        /// here, and the prompt is shown again. `interruptions` counts the previous ones at an empty prompt.
        case reading(prompt: String, interruptions: Int)
        case answering(@Sendable () -> Void)
        /// A model is being loaded, which only the program's end can interrupt.
        case busy
    }

    static let hint = "(Ctrl-C again, or Ctrl-D, ends the conversation)"

    private struct State {
        var activity = Activity.busy
        /// Signals since the start of the activity.
        var count = 0
    }

    private let state = Mutex(State())

    func begin(_ activity: Activity) { state.withLock { $0 = State(activity: activity) } }

    /// The number of Ctrl-C since the start of the activity.
    var count: Int { state.withLock { $0.count } }

    /// Handles the signals until the task is cancelled.
    func watch() -> Task<Void, Never> {
        Task { [self] in
            for await number in Signals().received {
                guard number == SIGINT else { Self.end(128 + number) }
                let now = state.withLock { state in
                    state.count += 1
                    return state
                }
                switch now.activity {
                case .reading(_, let interruptions) where interruptions + now.count > 1: Self.end(0)
                case .reading(let prompt, _):
                    Terminal.error("\n" + Self.hint)
                    Terminal.control(prompt)
                // If an answer does not stop, further signals end the program.
                case .answering where now.count > 2: Self.end(128 + number)
                case .answering(let stop): stop()
                case .busy: Self.end(128 + number)
                }
            }
        }
    }

    private static func end(_ status: Int32) -> Never {
        TerminalModes.shared.restoreForExit()
        Terminal.control("\n")
        exit(status)
    }
}
