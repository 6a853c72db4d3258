import Foundation

/// Makes turns of lines: a line that ends in a backslash goes on in the next one, and between two `"""` stands what
/// may have any lines.
struct TurnAssembler {
    private static let fence = "\"\"\""
    private static let maxBytes = 16 << 20

    private var lines: [String] = []
    private var bytes = 0
    private var isFenced = false

    /// Whether a turn has begun and is not whole.
    var isInside: Bool { isFenced || !lines.isEmpty }

    /// - Returns: the turn that this line makes whole; nil if there is more to come.
    /// - Throws: `ChatError` for a turn without end; what there was of it is dropped.
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
            // A fence alone on its line is no line of the turn.
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

    /// What stands before a closing fence; nil if the line has none at its end.
    private func closing(_ line: String) -> String? {
        let trimmed = line.replacing(#/\s+$/#, with: "")
        return trimmed.hasSuffix(Self.fence) ? String(trimmed.dropLast(Self.fence.count)) : nil
    }

    /// The turn as far as it has come.
    mutating func finish() -> String {
        defer { reset() }
        return lines.joined(separator: "\n")
    }

    mutating func reset() { self = TurnAssembler() }
}
