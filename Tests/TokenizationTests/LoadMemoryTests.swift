import Foundation
import Testing
import Tokenization

#if os(Linux)
    /// What a vocabulary takes is measured on the process, so nothing else may run meanwhile; `swift test --no-parallel`
    /// sees to that.
    @Suite(.serialized) struct LoadMemoryTests {
        private static let count = 60_000
        /// What the system counts too much or too little.
        private static let tolerance = 512 << 10

        @Test("Reading a tokenizer takes no more memory than twice its file", arguments: ["BPE", "Unigram"])
        func peak(_ type: String) throws {
            let json = type == "BPE" ? Self.bytePair : Self.unigram
            // Once before: code, and the tables of Unicode.
            #expect(try Tokenizer(tokenizerJSON: json).vocabularySize == Self.count)
            try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
            let before = try Self.kibibytes("VmRSS:")
            let tokenizer = try Tokenizer(tokenizerJSON: json)
            let peak = try Self.kibibytes("VmHWM:")
            #expect(tokenizer.vocabularySize == Self.count)
            // The bytes of the file are among those before.
            #expect((peak - before) << 10 < json.count + Self.tolerance, "\(peak - before) KiB for \(json.count) bytes")
        }

        /// Each token of letters is another one and a letter more.
        private static var bytePair: [UInt8] {
            var spellings = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
            var merges: [String] = []
            while spellings.count < count {
                let (shorter, letter) = (spellings[merges.count / 26], spellings[merges.count % 26])
                merges.append("[\"\(shorter)\",\"\(letter)\"]")
                spellings.append(shorter + letter)
            }
            let vocab = spellings.enumerated().map { "\"\($1)\":\($0)" }
            return Array(
                #"{"model":{"vocab":{\#(vocab.joined(separator: ","))},"merges":[\#(merges.joined(separator: ","))]}}"#
                    .utf8
            )
        }

        private static var unigram: [UInt8] {
            var generator = SeededGenerator(seed: 3)
            var spellings: Set<String> = []
            while spellings.count < count {
                let letters = (0..<Int.random(in: 3...10, using: &generator)).map { _ in
                    UInt8.random(in: 97...122, using: &generator)
                }
                spellings.insert("▁" + String(decoding: letters, as: UTF8.self))
            }
            let vocab = spellings.sorted().map { "[\"\($0)\",-\(Double.random(in: 1...15, using: &generator))]" }
            return Array(#"{"model":{"type":"Unigram","unk_id":0,"vocab":[\#(vocab.joined(separator: ","))]}}"#.utf8)
        }

        private static func kibibytes(_ name: String) throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return try #require(line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
        }
    }
#endif
