import Foundation
import Tokenization

/// The memory that a tokenizer takes, in bytes.
struct LoadMemory {
    let file: Int
    /// The most there was while it was read, the bytes of its file included.
    let peak: Int
    /// What is left of it once the bytes of its file are gone.
    let kept: Int

    /// - Throws: what the tokenizer throws.
    init(path: String) throws {
        // The tables of Unicode, which all tokenizers share, are not counted.
        _ = try Tokenizer(tokenizerJSON: Array(#"{"model": {"vocab": {"a": 0}, "merges": []}}"#.utf8)).encode("a")
        var json = Array(try Data(contentsOf: URL(filePath: path), options: .alwaysMapped))
        file = json.count
        let without = try Self.resident("VmRSS:") - file
        // Sets the largest back to what it is now.
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
        let tokenizer = try Tokenizer(tokenizerJSON: json)
        peak = try Self.resident("VmHWM:") - without
        json = []
        kept = try withExtendedLifetime(tokenizer) { try Self.resident("VmRSS:") } - without
    }

    private static func resident(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
