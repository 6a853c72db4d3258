import Foundation
import Platform
import Synchronization

/// What a user did at the prompt.
enum ChatInput: Sendable, Equatable {
    case line(String)
    /// Ctrl-C; whether there was a text, which is dropped.
    case interrupted(hadText: Bool)
    case end
}

/// Where the lines of a conversation come from.
protocol LineSource: Sendable {
    /// Waits for the next line, off the cooperative pool.
    func next(prompt: String) async -> ChatInput
}

/// Lines of standard input as they are: from a pipe or a file, or from a terminal that cannot do more.
struct PlainLines: LineSource {
    /// Whether somebody is to see the prompt.
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
    /// A longer line is cut there, and its rest is the next line.
    private static let maxBytes = 16 << 20

    private struct State {
        var bytes: [UInt8] = []
        /// How many of them hold no line break.
        var searched = 0
        var isAtEnd = false
    }

    private let state = Mutex(State())

    /// A line without its end; nil where there is none. Blocks: call it from a thread.
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

    /// What has come, at least one byte; nothing at the end.
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
