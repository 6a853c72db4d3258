import Foundation
import Synchronization
import Tokenization

/// What Scripts/make_fixtures.py wrote: tokenizers, and what the `tokenizers` package does with them.
enum Fixture {
    /// The kinds of GPT-2, SmolLM and Llama 2.
    static let main = ["bytes", "digits", "characters"]
    /// Every kind there is a fixture of.
    static let kinds: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).filter { $0.hasSuffix(".cases.json") }.map { String($0.dropLast(11)) }.sorted()
    }()

    /// The added tokens that are not special.
    static let addedWords = ["solo", "[left]", "[right]", "[rig", "new york", "new"]

    struct Decoded: Decodable {
        var text: String
        var tokens: [Int32]
    }

    /// What a kind makes of the shared texts.
    struct Cases: Decodable {
        /// Nil where the reference lets the text forge a special token.
        var plain: [[Int32]?]
        /// With special tokens recognised, where that makes a difference, by the number of the text.
        var parsed: [String: [Int32]]
        var before: [Int32]
        var after: [Int32]
        var decoded: [Decoded]

        func parsed(_ index: Int) -> [Int32] { parsed["\(index)"] ?? plain[index] ?? [] }
    }

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures")

    static func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }

    static func texts() throws -> [String] { try JSONDecoder().decode([String].self, from: data("texts.json")) }

    /// A tokenizer's file: its vocabulary, and a large table that some have, are kept apart, and put in again as they
    /// are. (Foundation's JSON would take spellings for the same that Unicode calls equivalent.)
    static func file(_ name: String) throws -> [UInt8] {
        func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }
        var file = try text("\(name).tokenizer.json")
        let marks = file.split(separator: "\"vocabulary\":\"")
        let vocabulary = marks.count > 1 ? String(marks[1].prefix { $0 != "\"" }) : name
        file = file.replacingOccurrences(
            of: "\"vocabulary\":\"\(vocabulary)\"",
            with: try text("\(vocabulary).vocabulary.json")
        )
        return Array(file.replacingOccurrences(of: "@charsmap", with: try text("charsmap.txt")).utf8)
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        if let known = tokenizers.withLock({ $0[name] }) { return known }
        let tokenizer = try Tokenizer(tokenizerJSON: file(name))
        tokenizers.withLock { $0[name] = tokenizer }
        return tokenizer
    }

    private static let tokenizers = Mutex<[String: Tokenizer]>([:])

    static func cases(_ name: String) throws -> Cases {
        try JSONDecoder().decode(Cases.self, from: data("\(name).cases.json"))
    }
}
