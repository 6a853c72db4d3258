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
        // Once before, so that code and the tables of Unicode, which all tokenizers share, are not counted.
        _ = try Tokenizer(tokenizerJSON: Array(try Data(contentsOf: URL(filePath: path)))).encode("a")
        var json = Array(try Data(contentsOf: URL(filePath: path), options: .alwaysMapped))
        file = json.count
        try Self.forgetPeak()
        let without = try Self.resident("VmRSS:") - file
        try Self.forgetPeak()
        let tokenizer = try Tokenizer(tokenizerJSON: json)
        peak = try Self.resident("VmHWM:") - without
        json = []
        kept = try withExtendedLifetime(tokenizer) { try Self.resident("VmRSS:") } - without
    }

    /// Sets the largest back to what it is now.
    private static func forgetPeak() throws {
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    }

    private static func resident(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
