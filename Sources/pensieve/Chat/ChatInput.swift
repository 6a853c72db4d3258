import Foundation
import Platform
import Synchronization

/// The user's input at the prompt.
enum ChatInput: Sendable, Equatable {
    case line(String)
    /// Ctrl-C; `hadText`: whether there was text, which is dropped.
    case interrupted(hadText: Bool)
    case end
}

/// A source of lines for a conversation.
protocol LineSource: Sendable {
    /// Waits for the next line.
    func next(prompt: String) async -> ChatInput
}

/// Unedited lines of standard input: from a pipe, a file, or a terminal without control sequences.
struct PlainLines: LineSource {
    let showsPrompt: Bool
    private let reader = LineReader()

    init(showsPrompt: Bool) { self.showsPrompt = showsPrompt }

    func next(prompt: String) async -> ChatInput {
        if showsPrompt { Terminal.control(prompt) }
        let line = await onThread(named: "input") { [reader] in reader.next() }
        return line.map { .line($0) } ?? .end
    }
}

/// Reads standard input line by line.
private final class LineReader: Sendable {
    /// A longer line is split.
    private static let maxBytes = 16 << 20

    private struct State {
        var bytes: [UInt8] = []
        /// The number of bytes known to contain no line break.
        var searched = 0
        var isAtEnd = false
    }

    private let state = Mutex(State())

    /// The next line without its line break; nil at the end. Blocking: call it from a thread of its own.
    func next() -> String? {
        state.withLock { state in
            while true {
                if let end = state.bytes[state.searched...].firstIndex(of: UInt8(ascii: "\n")) {
                    return Self.take(end, &state, skipping: 1)
                }
                state.searched = state.bytes.count
                if state.isAtEnd {
                    return state.bytes.isEmpty ? nil : Self.take(state.bytes.count, &state, skipping: 0)
                }
                if state.bytes.count >= Self.maxBytes { return Self.take(Self.maxBytes, &state, skipping: 0) }
                let piece = Self.read()
                state.isAtEnd = piece.isEmpty
                state.bytes += piece
            }
        }
    }

    private static func take(_ count: Int, _ state: inout State, skipping: Int) -> String {
        var line = state.bytes[..<count]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer {
            state.bytes.removeFirst(count + skipping)
            state.searched = 0
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Available bytes, at least one; empty at the end.
    private static func read() -> [UInt8] {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, filled in
                count = Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                filled = max(0, count)
            }
            if count >= 0 || errno != EINTR { return bytes }
        }
    }
}

/// Assembles turns from lines: a line that ends in a backslash continues in the next one, and text between two `"""`
/// may have any number of lines.
struct TurnAssembler {
    private static let fence = "\"\"\""
    private static let maxBytes = 16 << 20

    private var lines: [String] = []
    private var bytes = 0
    private var isFenced = false

    /// Whether a turn is incomplete.
    var isInside: Bool { isFenced || !lines.isEmpty }

    /// - Returns: the turn that this line completes; nil if it is incomplete.
    /// - Throws: `ChatError` for a turn that is too long, which is dropped.
    mutating func add(_ line: String) throws(ChatError) -> String? {
        bytes += line.utf8.count
        guard bytes <= Self.maxBytes else {
            reset()
            throw ChatError("a turn has at most 16 MiB")
        }
        var line = line
        if !isInside, line.hasPrefix(Self.fence) {
            isFenced = true
            line.removeFirst(Self.fence.count)
            // A fence alone on its line adds no line to the turn.
            if line.allSatisfy(\.isWhitespace) { return nil }
        }
        if isFenced {
            guard let end = closing(line) else {
                lines.append(line)
                return nil
            }
            if !end.allSatisfy(\.isWhitespace) { lines.append(end) }
            return finish()
        }
        guard line.hasSuffix("\\") else {
            lines.append(line)
            return finish()
        }
        lines.append(String(line.dropLast()))
        return nil
    }

    /// The text before a closing fence; nil if the line does not end with one.
    private func closing(_ line: String) -> String? {
        let trimmed = line.replacing(#/\s+$/#, with: "")
        return trimmed.hasSuffix(Self.fence) ? String(trimmed.dropLast(Self.fence.count)) : nil
    }

    /// The turn so far.
    mutating func finish() -> String {
        defer { reset() }
        return lines.joined(separator: "\n")
    }

    mutating func reset() { self = TurnAssembler() }
}

/// A command to the program, rather than a message to the model.
enum SlashCommand: Equatable {
    case system(String?)
    case model(String?)
    case reset
    case help
    case exit
    case unknown(String)

    static let list = """
        /system TEXT   sets the system prompt; "" takes it out; alone it is shown
        /model NAME    goes on with another model; alone, what there is
        /reset         forgets the conversation, but not the system prompt
        /help          this list
        /exit          ends, as Ctrl-D does
        A line that ends in \\ goes on in the next one, and between two \"\"\" may stand
        any lines. Ctrl-C stops an answer.
        """

    /// Nil for a message to the model.
    init?(_ text: String) {
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        guard text.hasPrefix("/"), let first = parts.first else { return nil }
        let name = first.dropFirst()
        // A path or a fraction is not a command.
        guard name.allSatisfy({ $0.isASCII && $0.isLetter || $0 == "?" }), !name.isEmpty else { return nil }
        let rest = parts.count > 1 ? Self.trimmed(parts[1]) : ""
        switch name.lowercased() {
        case "system", "sys": self = .system(rest.isEmpty ? nil : rest == "\"\"" ? "" : rest)
        case "model", "models": self = .model(rest.isEmpty ? nil : rest)
        case "reset", "clear", "new": self = .reset
        case "help", "h", "?": self = .help
        case "exit", "quit", "q", "bye": self = .exit
        default: self = .unknown(String(first))
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
