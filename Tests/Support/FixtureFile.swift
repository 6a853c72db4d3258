package import Foundation

/// Files beside the tests that several test targets read.
package enum FixtureFile {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The file at a path below `Tests`, for example `ChatTests/Fixtures/tokens.json`.
    package static func url(_ path: String) -> URL { tests.appending(path: path) }

    /// - Throws: what Foundation throws if there is no such file.
    package static func data(_ path: String) throws -> Data { try Data(contentsOf: url(path)) }

    /// The names of a folder's files that end so, without that end, in order.
    /// - Throws: what Foundation throws if there is no such folder.
    package static func names(in folder: String, suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url(folder).path)
            .filter { $0.hasSuffix(suffix) }
            .map { String($0.dropLast(suffix.count)) }
            .sorted()
    }

    /// One of TokenizationTests' `tokenizer.json` files: its vocabulary, and a large table that some have, are kept
    /// apart, and put in again as they are. (Foundation's JSON would take spellings for the same that Unicode calls
    /// equivalent.)
    /// - Throws: what Foundation throws if there is no such file.
    package static func tokenizer(_ name: String) throws -> [UInt8] {
        func text(_ name: String) throws -> String {
            String(decoding: try data("TokenizationTests/Fixtures/\(name)"), as: UTF8.self)
        }
        var file = try text("\(name).tokenizer.json")
        let marks = file.split(separator: "\"vocabulary\":\"")
        let vocabulary = marks.count > 1 ? String(marks[1].prefix { $0 != "\"" }) : name
        file = file.replacingOccurrences(
            of: "\"vocabulary\":\"\(vocabulary)\"",
            with: try text("\(vocabulary).vocabulary.json")
        )
        return Array(file.replacingOccurrences(of: "@charsmap", with: try text("charsmap.txt")).utf8)
    }
}
