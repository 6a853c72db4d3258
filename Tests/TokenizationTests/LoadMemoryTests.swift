import Foundation
import Support
import Testing

#if os(Linux)
    /// What reading a tokenizer takes, measured by `tokenizer-probe` on a process of its own.
    @Suite struct LoadMemoryTests {
        private static let count = 60_000
        /// What the system may count wrong, before and at the peak: it counts in lots of pages.
        private static let tolerance = 384 << 10

        @Test("Reading a tokenizer takes no more memory than twice its file", arguments: ["BPE", "Unigram"])
        func peak(_ type: String) async throws {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json").path
            let json = type == "BPE" ? Self.bytePair : Self.unigram
            #expect(FileManager.default.createFile(atPath: path, contents: Data(json)))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let probe = try await Program.run(
                ["memory", path],
                // Memory that is freed goes back at once, so that what is measured does not live in what was there before.
                environment: ["MALLOC_MMAP_THRESHOLD_": "32768", "MALLOC_TRIM_THRESHOLD_": "32768"],
                executable: ServerProcess.built("tokenizer-probe")
            )
            let numbers = probe.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            try #require(probe.status == 0 && numbers.count == 3, "\(probe.errors)")
            let (file, peak, kept) = (numbers[0], numbers[1], numbers[2])
            #expect(file == json.count && kept > file / 3 && peak > file + kept / 2)
            #expect(peak < 2 * file + Self.tolerance)
        }

        /// Each token but the letters is two others.
        private static var bytePair: [UInt8] {
            var generator = SeededGenerator(seed: 7)
            var spellings = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { String(UnicodeScalar($0)) }
            var known = Set(spellings)
            var merges: [String] = []
            while spellings.count < count {
                let left = spellings[Int.random(in: spellings.indices, using: &generator)]
                let right = spellings[Int.random(in: 0..<min(1000, spellings.count), using: &generator)]
                guard (left + right).utf8.count <= 12, known.insert(left + right).inserted else { continue }
                merges.append("[\"\(left)\",\"\(right)\"]")
                spellings.append(left + right)
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
    }
#endif
