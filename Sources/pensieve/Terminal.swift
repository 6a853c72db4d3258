import Foundation

/// What the program says: answers on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
    static func error(_ text: String) { write(text + "\n", to: .standardError) }
    /// Without a new line, for streamed text.
    static func stream(_ text: String) { write(text, to: .standardOutput) }

    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
