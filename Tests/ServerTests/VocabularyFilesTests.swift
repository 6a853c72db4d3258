import Foundation
import Inference
import ModelFiles
import Testing
import Tokenization

@testable import pensieve

/// The test vocabularies of llama.cpp, if `PENSIEVE_VOCAB_DIR` names a folder of them: files `ggml-vocab-NAME.gguf`,
/// with texts in `.inp` and their tokens in `.out`.
@Suite(.enabled(if: VocabularyFolder.path != nil)) struct VocabularyFilesTests {
    @Test("Every text has the expected tokens", arguments: VocabularyFolder.names)
    func encodes(_ name: String) throws {
        let tokenizer = try VocabularyFolder.tokenizer(name)
        let texts = String(decoding: try VocabularyFolder.bytes(name + ".inp"), as: UTF8.self)
            .components(separatedBy: "\n__ggml_vocab_test__\n")
        // A line without tokens belongs to the empty text.
        let lines = String(decoding: try VocabularyFolder.bytes(name + ".out"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(texts.count == 47 && lines.prefix(47).count == 47)
        for (text, line) in zip(texts, lines) {
            #expect(
                tokenizer.encode(text) == line.split(separator: " ").compactMap { Int32($0) },
                "\(text.debugDescription)"
            )
            #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
        }
    }

    @Test("Phi-3's special tokens include the white space that follows", .enabled(if: VocabularyFolder.has("phi-3")))
    func whiteSpace() throws {
        let tokenizer = try VocabularyFolder.tokenizer("ggml-vocab-phi-3.gguf")
        #expect(
            tokenizer.encode(parsingSpecials: "<|user|>\nHi<|end|>\n<|assistant|>\n") == [32010, 6324, 32007, 32001]
        )
    }
}

enum VocabularyFolder {
    static let path = ProcessInfo.processInfo.environment["PENSIEVE_VOCAB_DIR"]

    static var names: [String] {
        let files = path.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        return files.filter { $0.hasSuffix(".gguf") }.sorted()
    }

    static func has(_ name: String) -> Bool { names.contains("ggml-vocab-\(name).gguf") }

    /// The tokenizer of a server with such a model.
    static func tokenizer(_ name: String) throws -> Tokenizer {
        let file = try GGUFModel(path: (path ?? "") + "/" + name)
        return try ModelText.tokenizer(.gguf(#require(try GGUFVocabulary(file))))
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path ?? "").appending(path: name)))
    }
}
