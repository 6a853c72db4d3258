import Foundation
import Support
import Testing
import Tokenization

@Suite struct VocabularyTests {
    private struct SentencePiece: Decodable {
        var tokens: [String]
        var scores: [Float]
        var kinds: [Int32]
        var texts: [String]
        var encoded: [[Int32]]

        var values: VocabularyValues {
            VocabularyValues(model: "llama", tokens: tokens, scores: scores, kinds: kinds, unknownToken: 0)
        }
    }

    private static func sentencePiece() throws -> SentencePiece {
        try JSONDecoder().decode(SentencePiece.self, from: Fixture.data("sentencepiece.json"))
    }

    @Test("A vocabulary with scores gives the tokens that SentencePiece gives")
    func scored() throws {
        let model = try Self.sentencePiece()
        let tokenizer = try Tokenizer(vocabulary: model.values)
        try #require(model.texts.count > 150 && model.encoded.count == model.texts.count)
        for (text, tokens) in zip(model.texts, model.encoded) {
            #expect(tokenizer.encode(text) == tokens, "\(text.debugDescription)")
            #expect(tokenizer.decode(tokens).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
        }
    }

    @Test("Flags and special tokens of a vocabulary with scores are heeded")
    func flags() throws {
        var values = try Self.sentencePiece().values
        let tokenizer = try Tokenizer(vocabulary: values)
        #expect(tokenizer.tokensBeforeText == [1] && tokenizer.tokensAfterText.isEmpty)
        #expect(tokenizer.encode("<s>").contains(1) == false && tokenizer.isSpecial(1))
        #expect(tokenizer.encode(parsingSpecials: "<s>") == [1])
        #expect(tokenizer.specialToken("[left]").map { tokenizer.encode("[left]") == [$0] } == true)
        values.addsBeginning = false
        values.addsEnd = true
        values.addsSpacePrefix = false
        values.modelName = "Phi-3 mini"
        let other = try Tokenizer(vocabulary: values)
        #expect(other.tokensBeforeText.isEmpty && other.tokensAfterText == [2])
        #expect(other.decode(other.encode(" the")) == " the" && other.encode("the") != tokenizer.encode("the"))
        #expect(other.encode("[left]  the") == other.encode("[left]the"))
    }

    /// The same vocabulary as the values of a GGUF file and as a `tokenizer.json`.
    @Test(
        "A byte-level vocabulary cuts texts as its family's file does",
        arguments: zip(
            ["gpt-2", "smollm", "llama-bpe", "qwen2", "gpt-4o", "tekken", "deepseek-v3"],
            ["bytes", "digits", "llama3", "qwen2", "gpt4o", "tekken", "deepseek3"]
        )
    )
    func byteLevel(_ family: String, _ kind: String) throws {
        let file = String(decoding: try FixtureFile.tokenizer(kind), as: UTF8.self)
        let values = try Self.values(of: file, family)
        let (tokenizer, reference) = (try Tokenizer(vocabulary: values), try Fixture.tokenizer(kind))
        // A GGUF file does not tell how its added tokens are to be found, and its texts are not normalized.
        for text in try Fixture.texts()
        where !Fixture.addedWords.contains(where: text.contains)
            && text.precomposedStringWithCanonicalMapping.utf8.elementsEqual(text.utf8)
        {
            #expect(tokenizer.encode(text) == reference.encode(text), "\(text.debugDescription)")
        }
        #expect(!tokenizer.tokensBeforeText.isEmpty == ["llama-bpe", "tekken"].contains(family))
    }

    @Test("A vocabulary of marked spaces with merges cuts texts as a file of the same kind does")
    func marked() throws {
        let file = String(decoding: try FixtureFile.tokenizer("gemma"), as: UTF8.self)
        let reference = try Fixture.tokenizer("gemma")
        var values = try Self.values(of: file, "") { tokenizer, token in
            let bytes = tokenizer.bytes(of: token)
            // The tokens of bytes stand behind three special ones.
            guard (3..<259).contains(token) else {
                // By scalars: a space with a mark on it is one character.
                let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
                return scalars.map { $0 == " " ? "▁" : String($0) }.joined()
            }
            return "<0x" + (bytes[0] < 16 ? "0" : "") + String(bytes[0], radix: 16, uppercase: true) + ">"
        }
        values.model = "gemma4"
        values.unknownToken = 0
        for token in 3..<259 { values.kinds[token] = VocabularyValues.Kind.byte.rawValue }
        let tokenizer = try Tokenizer(vocabulary: values)
        #expect(tokenizer.notes.isEmpty && tokenizer.tokensBeforeText == [1] && tokenizer.tokensAfterText.isEmpty)
        var compared = 0
        for text in try Fixture.texts() where !Fixture.addedWords.contains(where: text.contains) {
            let tokens = tokenizer.encode(text)
            #expect(tokens == reference.encode(text), "\(text.debugDescription)")
            // A byte's token may be merged out of its name.
            if !text.contains("<0x") {
                #expect(tokenizer.decode(tokens).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
            }
            compared += 1
        }
        #expect(compared > 100)
        #expect(tokenizer.encode("\u{10FFFD}").count == 4)
    }

    @Test(
        "A byte-level text is taken as it stands, whatever its family's own file would make of it",
        arguments: ["qwen35", "qwen2", "gpt-2", "llama-bpe", "deepseek-r1-qwen"]
    )
    func notNormalized(_ name: String) throws {
        let spell = Self.byteAlphabet()
        var tokens = Array(spell.prefix(256))
        let parts = Array("é".utf8).map { spell[Int($0)] }
        tokens.append(parts.joined())
        let tokenizer = try Tokenizer(
            vocabulary: VocabularyValues(
                model: "gpt2",
                preTokenizer: name,
                tokens: tokens,
                merges: [parts.joined(separator: " ")],
                addsBeginning: false
            )
        )
        #expect(tokenizer.encode("\u{E9}") == [256])
        #expect(tokenizer.encode("e\u{301}") == Array("e\u{301}".utf8).map { Int32($0) })
    }

    @Test("A merge of tokens that there are not is left out and told of, the others count")
    func strangeMerges() throws {
        let values = VocabularyValues(
            model: "gpt2",
            preTokenizer: "gpt-2",
            tokens: Self.byteAlphabet() + ["ab", "abc"],
            merges: ["x yz", "a b", "ab d", "ab c"]
        )
        let tokenizer = try Tokenizer(vocabulary: values)
        #expect(tokenizer.encode("abc") == [257])
        #expect(tokenizer.notes.count == 1 && tokenizer.notes[0].contains("2 of the vocabulary's 4 merges"))
    }

    @Test("What begins and ends texts is no message's to say, whatever kind the file gives it", arguments: [1, 3, 4])
    func roles(_ kind: Int32) throws {
        let tokens = Self.byteAlphabet() + ["<start>", "<stop>", "<done>"]
        var kinds = [Int32](repeating: 1, count: tokens.count)
        for token in 256...258 { kinds[token] = kind }
        let values = VocabularyValues(
            model: "gpt2",
            tokens: tokens,
            kinds: kinds,
            beginningToken: 256,
            endToken: 257,
            endTokens: [257, 258]
        )
        let tokenizer = try Tokenizer(vocabulary: values)
        let text = "<start><stop><done>"
        #expect(tokenizer.encode(parsingSpecials: text) == [256, 257, 258])
        #expect(tokenizer.encode(text) == text.utf8.map { Int32($0) })
    }

    /// Reads a vocabulary back from a file, without Foundation's dictionaries: the byte alphabet has no two spellings
    /// that Unicode calls equivalent, but a decomposed letter in it may meet a composed one.
    /// - Parameter spelling: of a token that is not added.
    private static func values(
        of file: String,
        _ family: String,
        spelling: ((Tokenizer, Int32) -> String)? = nil
    ) throws -> VocabularyValues {
        struct File: Decodable {
            struct Added: Decodable { var id: Int; var content: String; var special: Bool; var normalized: Bool }
            struct Merge: Decodable {
                var text: String

                init(from decoder: any Decoder) throws {
                    let container = try decoder.singleValueContainer()
                    let sides = try? container.decode([String].self)
                    text = try sides?.joined(separator: " ") ?? container.decode(String.self)
                }
            }
            struct Model: Decodable { var merges: [Merge] }
            var added_tokens: [Added]
            var model: Model
        }
        let tokenizer = try Tokenizer(tokenizerJSON: Array(file.utf8))
        let read = try JSONDecoder().decode(File.self, from: Data(file.utf8.filter { $0 != 0 }))
        let spell = byteAlphabet()
        var tokens = (0..<Int32(tokenizer.vocabularySize)).map { token in
            spelling?(tokenizer, token) ?? tokenizer.bytes(of: token).map { spell[Int($0)] }.joined()
        }
        var kinds = [Int32](repeating: 1, count: tokens.count)
        for token in read.added_tokens {
            tokens[token.id] = token.content
            kinds[token.id] = token.special ? 3 : token.normalized ? 1 : 4
        }
        return VocabularyValues(
            model: "gpt2",
            preTokenizer: family,
            tokens: tokens,
            kinds: kinds,
            merges: read.model.merges.map(\.text),
            beginningToken: spelling == nil ? 0 : 1
        )
    }

    private static func byteAlphabet() -> [String] {
        var next: UInt32 = 256
        return (0..<256 as Range<UInt32>).map { byte in
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !isPrintable { next += 1 } }
            return Unicode.Scalar(isPrintable ? byte : next).map(String.init) ?? ""
        }
    }

    @Test(
        "What is wrong with a vocabulary is said",
        arguments: [
            (VocabularyValues(model: "bert", tokens: []), "'bert'"),
            (VocabularyValues(model: "llama", tokens: ["a"]), "0 scores"),
            (VocabularyValues(model: "llama", tokens: ["a"], scores: [0], kinds: [1, 1]), "2 kinds"),
            (VocabularyValues(model: "llama", tokens: ["a"], scores: [.nan], beginningToken: 1), "beginning token"),
            (VocabularyValues(model: "gpt2", preTokenizer: "klingon", tokens: ["a"]), "'klingon'"),
            (VocabularyValues(model: "gpt2", tokens: ["a"], merges: ["aa"]), "merge 0"),
            (VocabularyValues(model: "gpt2", tokens: ["a"], endToken: -1), "end token"),
        ]
    )
    func faults(_ values: VocabularyValues, _ expected: String) {
        let error = #expect(throws: TokenizerError.self) { _ = try Tokenizer(vocabulary: values) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }

    @Test("A damaged vocabulary is an error or a tokenizer, never a crash")
    func survivesDamage() throws {
        var generator = SeededGenerator(seed: 9)
        var original = try Self.sentencePiece().values
        // Few tokens, so that a change hits something that matters.
        let kept = original.tokens.indices.filter { $0 < 300 || $0 % 10 == 0 }
        original.tokens = kept.map { original.tokens[$0] }
        original.scores = kept.map { original.scores[$0] }
        original.kinds = kept.map { original.kinds[$0] }
        original.merges = ["▁ t", "t h", "th e", "h e"]
        var loaded = 0
        for round in 0..<300 {
            var values = original
            values.model = ["gpt2", "llama", "gemma4"][round % 3]
            for _ in 0..<Int.random(in: 1...20, using: &generator) { Self.damage(&values, &generator) }
            guard let tokenizer = try? Tokenizer(vocabulary: values) else { continue }
            loaded += 1
            for text in ["the <s> end\u{301} 中", "", "\0", "[left]"] {
                _ = tokenizer.decode(tokenizer.encode(text) + tokenizer.encode(parsingSpecials: text))
            }
        }
        #expect((50..<290).contains(loaded), "\(loaded)")
    }

    private static func damage(_ values: inout VocabularyValues, _ generator: inout SeededGenerator) {
        let place = Int.random(in: 0..<values.tokens.count, using: &generator)
        let other = values.tokens.randomElement(using: &generator) ?? ""
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: values.tokens[place] = ""
        case 1: values.tokens[place] = other
        case 2: values.tokens[place] += other
        case 3 where place < values.scores.count:
            values.scores[place] = [.nan, .infinity, -.infinity, 0, 1e30].randomElement(using: &generator) ?? 0
        case 4 where place < values.kinds.count: values.kinds[place] = Int32.random(in: -1...7, using: &generator)
        case 5: values.merges.append(["", " ", "a", " b", "a ", "t h", "a b c"].randomElement(using: &generator) ?? "")
        case 6: values.unknownToken = Int.random(in: -1...values.tokens.count, using: &generator)
        case 7 where Int.random(in: 0..<30, using: &generator) == 0: values.scores.removeLast()
        default: values.addsSpacePrefix = Bool.random(using: &generator)
        }
    }
}
