import Console
import Foundation

/// What the program says: answers on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
    /// What files and servers say may be part of it: a terminal gets nothing that would command it.
    static func error(_ text: String) { write((isInteractive ? text.visible : text) + "\n", to: .standardError) }
    static func warning(_ text: String) { error("pensieve: warning: " + text) }

    /// A model's text as it comes, without a new line. A terminal gets nothing that would command it.
    static func stream(_ text: String) { write(isOutputSeen ? text.visible : text, to: .standardOutput) }

    /// Sequences that a terminal obeys; only where there is one.
    static func control(_ text: String) { write(text, to: .standardOutput) }

    /// The same on standard error.
    static func errorStream(_ text: String) { write(text, to: .standardError) }

    /// Columns of the terminal at standard error; 80 where there is none.
    static var width: Int { size(STDERR_FILENO).columns }

    /// Columns and rows of the terminal at standard output; 80 and 24 where there is none.
    static var outputSize: (columns: Int, rows: Int) { size(STDOUT_FILENO) }

    private static func size(_ descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (80, 24) }
        return (size.ws_col > 0 ? Int(size.ws_col) : 80, size.ws_row > 0 ? Int(size.ws_row) : 24)
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
    /// Whether lines on standard error can be rewritten in place.
    static var canRedraw: Bool { isInteractive && !isDumb }
    /// Whether somebody would have to type standard input.
    static var inputIsKeyboard: Bool { isatty(STDIN_FILENO) == 1 }
    /// Whether somebody watches standard output.
    static var isOutputSeen: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether the terminal knows no sequences: the cursor cannot be moved, nor text be made dim.
    static var isDumb: Bool {
        let name = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return name.isEmpty || name == "dumb"
    }

    /// Text that is to stand back, where the terminal can show that and its user has not declined colours.
    static func dim(_ text: String) -> String {
        let declined = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isDumb || declined || !isOutputSeen ? text : "\u{1B}[2m\(text)\u{1B}[22m"
    }

    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
