import Support
import Testing

@testable import ModelFiles

/// GGUF files as models: the vocabulary in their metadata.
@Suite struct GGUFModelTests {
    private typealias Value = GGUFBuilder.Value

    private func source(_ metadata: [String: Value]) throws -> ModelSource {
        let builder = GGUFBuilder(metadata.map { ($0, $1) })
        return .gguf(try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: builder.bytes))]))
    }

    private static func strings(_ texts: [String]) -> Value { .array(of: .string(""), texts.map { .string($0) }) }

    private static let vocabulary: [String: Value] = [
        "tokenizer.ggml.model": .string("gpt2"), "tokenizer.ggml.pre": .string("qwen2"),
        "tokenizer.ggml.tokens": strings(["a", "b", "ab", "<|im_end|>", "<s>", "<|end|>", "<|endoftext|>"]),
        "tokenizer.ggml.token_type": .array(of: .int32(0), [1, 1, 1, 3, 3, 1, 4].map { .int32($0) }),
        "tokenizer.ggml.merges": strings(["a b"]), "tokenizer.ggml.bos_token_id": .uint32(4),
        "tokenizer.ggml.eos_token_id": .uint32(2), "tokenizer.ggml.padding_token_id": .uint32(.max),
        "tokenizer.ggml.add_bos_token": .bool(false), "tokenizer.chat_template": .string("{{ x }}"),
        "tokenizer.chat_template.tool_use": .string("{{ y }}"),
    ]

    @Test("The vocabulary and the templates are there as plain values")
    func vocabulary() throws {
        let source = try source(Self.vocabulary)
        guard case .gguf(let model) = source else {
            Issue.record("the source is not a GGUF file")
            return
        }
        let vocabulary = try #require(try GGUFVocabulary(model))
        #expect(vocabulary.model == "gpt2" && vocabulary.pre == "qwen2" && vocabulary.tokens.count == 7)
        #expect(vocabulary.merges == ["a b"] && vocabulary.types == [1, 1, 1, 3, 3, 1, 4] && vocabulary.scores.isEmpty)
        #expect(vocabulary.bosToken == 4 && vocabulary.paddingToken == nil && vocabulary.addsBOS == false)
        // The one that is named, and those known by their text unless they are normal tokens.
        #expect(vocabulary.endTokens == [2, 3, 6])
        #expect(try GenerationConfiguration(source: source).eosTokens == [2, 3, 6])
        #expect(vocabulary.chatTemplate == "{{ x }}" && vocabulary.toolTemplate == "{{ y }}")
        #expect(vocabulary.tokens[4] == "<s>" && vocabulary.tokens[2] == "ab" && vocabulary.eosToken == 2)
        #expect(try source.file("tokenizer.json") == nil)
        #expect(source.folderName == "x")
    }

    @Test("In harmony's vocabulary <|end|> ends a thought, and no answer")
    func harmonyEnds() throws {
        let tokens = ["a", "<|return|>", "<|end|>", "<|call|>", "<|endoftext|>", "b", "<|start|>"]
        for (types, ends) in [([1, 3, 3, 3, 3, 1, 3], [1, 3, 4]), ([1, 3, 3, 1, 3, 1, 3], [1, 2, 4])] {
            let source = try source(
                Self.vocabulary.merging(
                    [
                        "tokenizer.ggml.tokens": Self.strings(tokens), "tokenizer.ggml.eos_token_id": .uint32(1),
                        "tokenizer.ggml.token_type": .array(of: .int32(0), types.map { .int32(Int32($0)) }),
                    ]
                ) { $1 }
            )
            #expect(try GenerationConfiguration(source: source).eosTokens == Set(ends))
        }
    }

    @Test("A vocabulary whose parts do not fit together is an error")
    func badVocabulary() throws {
        for (key, value) in [
            ("tokenizer.ggml.tokens", Value.uint8(3)),
            ("tokenizer.ggml.token_type", .array(of: .int32(0), [.int32(1)])),
            ("tokenizer.ggml.scores", .array(of: .float32(0), [.float32(1)])),
            ("tokenizer.ggml.merges", .string("a b")), ("tokenizer.ggml.bos_token_id", .string("a")),
        ] {
            let source = try source(Self.vocabulary.merging([key: value]) { $1 })
            #expect(throws: ModelError.self, "\(key)") { try GenerationConfiguration(source: source) }
        }
    }
}
