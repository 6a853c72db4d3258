import Console
import Foundation

/// The program's output: answers on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }
    /// The text may contain input from files and servers: on a terminal, control characters are escaped.
    static func error(_ text: String) { write((isInteractive ? text.visible : text) + "\n", to: .standardError) }
    static func warning(_ text: String) { error("pensieve: warning: " + text) }

    /// A piece of a model's text, without a new line. On a terminal, control characters are escaped.
    static func stream(_ text: String) { write(isOutputSeen ? text.visible : text, to: .standardOutput) }

    /// A piece of what a model thinks, for a user at a terminal alone.
    static func thought(_ text: String) {
        if isInteractive { write(dim(text.visible), to: .standardError) }
    }

    /// Writes control sequences; only for a terminal.
    static func control(_ text: String) { write(text, to: .standardOutput) }

    /// The same on standard error.
    static func errorStream(_ text: String) { write(text, to: .standardError) }

    /// Columns of the terminal at standard error; 80 without a terminal.
    static var width: Int { size(STDERR_FILENO).columns }

    /// Columns and rows of the terminal at standard output; 80 and 24 without a terminal.
    static var outputSize: (columns: Int, rows: Int) { size(STDOUT_FILENO) }

    private static func size(_ descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (80, 24) }
        return (size.ws_col > 0 ? Int(size.ws_col) : 80, size.ws_row > 0 ? Int(size.ws_row) : 24)
    }

    /// Whether the user can be asked a question.
    static var canAsk: Bool { inputIsKeyboard && isInteractive }

    /// Asks on standard error and reads one line on a thread of its own.
    static func ask(_ question: String) async -> String {
        errorStream(question)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { @Sendable in continuation.resume(returning: readLine() ?? "") }
        }
    }

    /// Rewrites the cursor's line; an empty text clears it.
    static func line(_ text: String) { write("\r\u{1B}[K" + text, to: .standardError) }

    /// Whether standard error is a terminal.
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }
    /// Whether lines on standard error can be rewritten in place.
    static var canRedraw: Bool { isInteractive && !isDumb }
    /// Whether standard input is a terminal.
    static var inputIsKeyboard: Bool { isatty(STDIN_FILENO) == 1 }
    /// Whether standard output is a terminal.
    static var isOutputSeen: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether the terminal supports no control sequences.
    static var isDumb: Bool {
        let name = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return name.isEmpty || name == "dumb"
    }

    /// Dim text, if the terminal supports it and the user has not disabled colours (`NO_COLOR`).
    static func dim(_ text: String) -> String {
        let declined = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isDumb || declined || !isOutputSeen ? text : "\u{1B}[2m\(text)\u{1B}[22m"
    }

    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

/// A progress line while a model is loaded; only on a terminal.
final class LoadingLine {
    private let name: String
    private let start = ContinuousClock.now
    private var shown = -1

    init(_ name: String) {
        self.name = name
        show(0)
    }

    /// - Parameter fraction: the loaded share, from 0 to 1.
    func show(_ fraction: Double) {
        let percent = Int((min(max(fraction, 0), 1) * 100).rounded(.down))
        guard Terminal.canRedraw, percent != shown else { return }
        shown = percent
        Terminal.line(Self.text(name, percent: percent, width: Terminal.width))
    }

    /// A line wider than the terminal could not be rewritten in place: a long name is shortened, and a narrow terminal
    /// shows no bar.
    static func text(_ name: String, percent: Int, width: Int) -> String {
        let filled = percent / 5
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        let rest = width < 60 ? "" : "  \(bar)"
        let room = max(8, width - 1 - "Loading ".columns - rest.columns - " 100 %".columns)
        return "Loading " + TextWrap.shortened(name, to: room) + rest + " \(percent) %"
    }

    func clear() {
        if Terminal.canRedraw { Terminal.line("") }
    }

    /// Prints the loading time if it is at least a second.
    func printTime() {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard Terminal.canRedraw, seconds >= 1 else { return }
        Terminal.line(String(format: "Loaded %@ in %.1f s\n", name, seconds))
    }
}
