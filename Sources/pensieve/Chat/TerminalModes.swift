import Foundation
import Synchronization

/// The modes of the terminal at standard input, set for a conversation and given back at its end.
final class TerminalModes: Sendable {
    /// There is one terminal.
    static let shared = TerminalModes()

    private struct State {
        var original: termios?
        var isEditing = false
    }

    private let state = Mutex(State())

    /// Every key comes as it is, Ctrl-C too, and none is shown; pasted texts are marked as such.
    func edit() {
        set(isEditing: true) { modes in
            cfmakeraw(&modes)
            // Lines that others write meanwhile still begin on the left, and Enter is one key everywhere.
            modes.c_oflag |= tcflag_t(OPOST)
            modes.c_iflag |= tcflag_t(ICRNL)
        }
    }

    /// While an answer comes: Ctrl-C is a signal, and what is typed ahead waits unseen for the next prompt.
    func watch() { set(isEditing: false) { $0.c_lflag &= ~tcflag_t(ICANON | ECHO) } }

    /// As it was found.
    func restore() {
        state.withLock { state in
            guard var modes = state.original else { return }
            leaveEditing(&state)
            tcsetattr(STDIN_FILENO, TCSADRAIN, &modes)
        }
    }

    private func set(isEditing: Bool, _ change: (inout termios) -> Void) {
        state.withLock { state in
            if state.original == nil {
                var found = termios()
                guard tcgetattr(STDIN_FILENO, &found) == 0 else { return }
                state.original = found
            }
            guard var modes = state.original else { return }
            change(&modes)
            // A read returns with the first byte, without a limit of time.
            withUnsafeMutableBytes(of: &modes.c_cc) { characters in
                characters[Int(VMIN)] = 1
                characters[Int(VTIME)] = 0
            }
            if !isEditing { leaveEditing(&state) }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &modes)
            if isEditing, !state.isEditing { Terminal.control("\u{1B}[?2004h") }
            state.isEditing = isEditing
        }
    }

    private func leaveEditing(_ state: inout State) {
        if state.isEditing { Terminal.control("\u{1B}[?2004l") }
        state.isEditing = false
    }
}
