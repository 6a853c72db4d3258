import Foundation

/// What the program says: answers on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
    static func error(_ text: String) { write(text + "\n", to: .standardError) }
    static func warning(_ text: String) { error("pensieve: warning: " + text) }
    /// Without a new line, for streamed text.
    static func stream(_ text: String) { write(text, to: .standardOutput) }

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
