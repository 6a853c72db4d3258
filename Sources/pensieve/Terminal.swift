import Foundation

/// What the program says: answers on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
    static func error(_ text: String) { write(text + "\n", to: .standardError) }
    static func warning(_ text: String) { error("pensieve: warning: " + text) }
    /// Without a new line, for streamed text.
    static func stream(_ text: String) { write(text, to: .standardOutput) }

    /// The same on standard error.
    static func errorStream(_ text: String) { write(text, to: .standardError) }

    /// Columns of the terminal at standard error; 80 where there is none.
    static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// Whether a question would be seen and could be answered.
    static var canAsk: Bool { inputIsKeyboard && isInteractive }

    /// Asks on standard error and reads one line, on a thread of its own.
    static func ask(_ question: String) async -> String {
        errorStream(question)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { @Sendable in continuation.resume(returning: readLine() ?? "") }
        }
    }

    /// Rewrites the line the cursor is on; an empty text only clears it.
    static func line(_ text: String) { write("\r\u{1B}[K" + text, to: .standardError) }

    /// Whether somebody watches standard error.
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }
    /// Whether somebody would have to type standard input.
    static var inputIsKeyboard: Bool { isatty(STDIN_FILENO) == 1 }

    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
