import Foundation
import Synchronization

/// The modes of the terminal at standard input, set during a conversation and restored at its end.
final class TerminalModes: Sendable {
    /// A process has one terminal.
    static let shared = TerminalModes()

    private struct State {
        var original: termios?
        var isEditing = false
        var isExiting = false
    }

    private let state = Mutex(State())

    /// For the line editor: raw input without echo, Ctrl-C as a key, bracketed paste.
    func edit() {
        set(isEditing: true) { modes in
            cfmakeraw(&modes)
            // Keep line feeds of other output working, and Enter the same key everywhere.
            modes.c_oflag |= tcflag_t(OPOST)
            modes.c_iflag |= tcflag_t(ICRNL)
        }
    }

    /// During an answer: Ctrl-C is a signal, and type-ahead is kept without echo for the next prompt.
    func watch() { set(isEditing: false) { $0.c_lflag &= ~tcflag_t(ICANON | ECHO) } }

    /// Restores the original modes until the next change.
    func restore() { state.withLock { restore(&$0) } }

    /// Restores the original modes as the program ends: an editor that begins to read meanwhile no longer changes them.
    func restoreForExit() {
        state.withLock { state in
            state.isExiting = true
            restore(&state)
        }
    }

    private func restore(_ state: inout State) {
        guard var modes = state.original else { return }
        leaveEditing(&state)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes)
    }

    private func set(isEditing: Bool, _ change: (inout termios) -> Void) {
        state.withLock { state in
            guard !state.isExiting else { return }
            if state.original == nil {
                var found = termios()
                guard tcgetattr(STDIN_FILENO, &found) == 0 else { return }
                state.original = found
            }
            guard var modes = state.original else { return }
            change(&modes)
            // A read blocks until the first byte.
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
