import Foundation
import Testing
import Tokenization

/// The vocabularies that llama.cpp tests itself with, where a folder of them is named by `PENSIEVE_VOCAB_DIR`: files
/// `ggml-vocab-NAME.gguf`, with texts in `.inp` and their tokens in `.out`.
@Suite(.enabled(if: VocabularyFolder.path != nil)) struct VocabularyFilesTests {
    @Test("Every text has the expected tokens", arguments: VocabularyFolder.names)
    func encodes(_ name: String) throws {
        let file = try VocabularyFolder.bytes(name)
        let tokenizer = try Tokenizer(vocabulary: GGUFMetadata(file).vocabulary())
        let texts = String(decoding: try VocabularyFolder.bytes(name + ".inp"), as: UTF8.self)
            .components(separatedBy: "\n__ggml_vocab_test__\n")
        // A line without tokens belongs to the empty text.
        let lines = String(decoding: try VocabularyFolder.bytes(name + ".out"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(texts.count == 47)
        for (text, line) in zip(texts, lines) {
            #expect(
                tokenizer.encode(text) == line.split(separator: " ").compactMap { Int32($0) },
                "\(text.debugDescription)"
            )
            #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
        }
    }
}

enum VocabularyFolder {
    static let path = ProcessInfo.processInfo.environment["PENSIEVE_VOCAB_DIR"]

    static var names: [String] {
        let files = path.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        return files.filter { $0.hasSuffix(".gguf") }.sorted()
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path ?? "").appending(path: name)))
    }
}

/// The metadata of a GGUF file, read just well enough for a file that is known to be whole.
struct GGUFMetadata {
    enum Value {
        case number(Double)
        case text(String)
        case array([Value])

        var number: Double? { if case .number(let number) = self { number } else { nil } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
        var elements: [Value] { if case .array(let elements) = self { elements } else { [] } }
    }

    private let bytes: [UInt8]
    private var position = 8
    private(set) var values: [String: Value] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        _ = integer(8)
        for _ in 0..<integer(8) {
            let key = text()
            values[key] = value(of: integer(4))
        }
    }

    private mutating func integer(_ width: Int) -> UInt64 {
        defer { position += width }
        return (0..<width).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
    }

    private mutating func text() -> String {
        let count = Int(integer(8))
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }

    private mutating func value(of type: UInt64) -> Value {
        switch type {
        case 0, 7: return .number(Double(integer(1)))
        case 1: return .number(Double(Int8(truncatingIfNeeded: integer(1))))
        case 2: return .number(Double(integer(2)))
        case 3: return .number(Double(Int16(truncatingIfNeeded: integer(2))))
        case 4: return .number(Double(integer(4)))
        case 5: return .number(Double(Int32(truncatingIfNeeded: integer(4))))
        case 6: return .number(Double(Float(bitPattern: UInt32(integer(4)))))
        case 8: return .text(text())
        case 9:
            let type = integer(4)
            return .array((0..<integer(8)).map { _ in value(of: type) })
        case 12: return .number(Double(bitPattern: integer(8)))
        default: return .number(Double(integer(8)))
        }
    }

    func vocabulary() -> VocabularyValues {
        func value(_ name: String) -> Value? { values["tokenizer.ggml." + name] }
        func flag(_ name: String) -> Bool? { value(name)?.number.map { $0 != 0 } }
        func token(_ name: String) -> Int? { value(name)?.number.map { Int($0) } }
        return VocabularyValues(
            model: value("model")?.text ?? "",
            preTokenizer: value("pre")?.text,
            tokens: value("tokens")?.elements.compactMap(\.text) ?? [],
            scores: value("scores")?.elements.compactMap(\.number).map { Float($0) } ?? [],
            kinds: value("token_type")?.elements.compactMap(\.number).map { Int32($0) } ?? [],
            merges: value("merges")?.elements.compactMap(\.text) ?? [],
            beginningToken: token("bos_token_id"),
            endToken: token("eos_token_id"),
            unknownToken: token("unknown_token_id"),
            addsBeginning: flag("add_bos_token"),
            addsEnd: flag("add_eos_token"),
            addsSpacePrefix: flag("add_space_prefix"),
            modelName: values["general.name"]?.text
        )
    }
}
