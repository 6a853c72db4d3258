import Foundation
import Platform
import Synchronization

/// A line editor for terminals with the usual (Emacs) keys and a history.
final class LineEditor: LineSource {
    private static let maxHistory = 1000
    /// How long to wait after an Escape byte for the rest of a key's sequence.
    private static let escapeMilliseconds: Int32 = 50

    private struct State {
        var decoder = KeyDecoder()
        var line = LineBuffer()
        var history: [String] = []
        /// The position in the history; its count means the new line.
        var position = 0
        var draft = ""
        /// The cursor's row, relative to that of the prompt.
        var cursorRow = 0
    }

    private let state = Mutex(State())

    func next(prompt: String) async -> ChatInput {
        await onThread(named: "input") { [self] in
            TerminalModes.shared.edit()
            defer { TerminalModes.shared.watch() }
            return state.withLock { Self.read(prompt, &$0) }
        }
    }

    private static func read(_ prompt: String, _ state: inout State) -> ChatInput {
        state.line.clear()
        state.position = state.history.count
        state.draft = ""
        state.cursorRow = 0
        draw(prompt, &state)
        while let key = nextKey(&state) {
            if let input = handle(key, prompt, &state) { return input }
            // A burst of keys, such as type-ahead, is drawn once.
            if !isMoreComing(0) { draw(prompt, &state) }
        }
        return .end
    }

    /// - Returns: the input that the key completes; nil if it is incomplete.
    private static func handle(_ key: Key, _ prompt: String, _ state: inout State) -> ChatInput? {
        switch key {
        case .enter:
            leave(prompt, &state)
            remember(&state)
            return .line(state.line.text)
        case .interrupt:
            let hadText = !state.line.isEmpty
            leave(prompt, &state)
            return .interrupted(hadText: hadText)
        case .endOrDelete where state.line.isEmpty:
            leave(prompt, &state)
            return .end
        case .previous: move(by: -1, &state)
        case .next: move(by: 1, &state)
        case .clearScreen:
            Terminal.control("\u{1B}[H\u{1B}[2J")
            state.cursorRow = 0
        case .suspend:
            leave(prompt, &state)
            TerminalModes.shared.restore()
            kill(0, SIGTSTP)
            TerminalModes.shared.edit()
            state.cursorRow = 0
        default: state.line.apply(key)
        }
        return nil
    }

    private static func move(by step: Int, _ state: inout State) {
        let position = state.position + step
        guard (0...state.history.count).contains(position) else { return }
        if state.position == state.history.count { state.draft = state.line.text }
        state.position = position
        state.line.set(position == state.history.count ? state.draft : state.history[position])
    }

    private static func remember(_ state: inout State) {
        let text = state.line.text
        guard text.contains(where: { !$0.isWhitespace }), text != state.history.last else { return }
        state.history.append(text)
        if state.history.count > maxHistory { state.history.removeFirst() }
    }

    // MARK: Drawing

    private static func draw(_ prompt: String, _ state: inout State) {
        let size = Terminal.outputSize
        let layout = LineLayout(prompt: prompt, line: state.line, width: size.columns).window(height: size.rows)
        var text = "\r" + up(state.cursorRow) + "\u{1B}[J" + layout.rows.joined(separator: "\r\n")
        text += up(layout.rows.count - 1 - layout.cursorRow) + "\r"
        if layout.cursorColumn > 0 { text += "\u{1B}[\(layout.cursorColumn)C" }
        Terminal.control(text)
        state.cursorRow = layout.cursorRow
    }

    /// Moves the cursor below the text.
    private static func leave(_ prompt: String, _ state: inout State) {
        var whole = state.line
        whole.set(whole.text)
        swap(&state.line, &whole)
        draw(prompt, &state)
        swap(&state.line, &whole)
        Terminal.control("\r\n")
    }

    private static func up(_ rows: Int) -> String { rows > 0 ? "\u{1B}[\(rows)A" : "" }

    // MARK: Reading

    /// The next key; nil at the end of input, when the terminal is gone.
    private static func nextKey(_ state: inout State) -> Key? {
        while true {
            if state.decoder.isAmbiguous, !isMoreComing(escapeMilliseconds) { state.decoder.settle() }
            var byte: UInt8 = 0
            let count = Foundation.read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            if let key = state.decoder.push(byte) { return key }
        }
    }

    private static func isMoreComing(_ milliseconds: Int32) -> Bool {
        var waited = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&waited, 1, milliseconds) > 0
    }
}
