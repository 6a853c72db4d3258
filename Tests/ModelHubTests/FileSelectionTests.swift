import Testing

@testable import ModelHub

@Suite struct FileSelectionTests {
    private static let repository = "a/b"

    private func select(_ names: [String], _ variant: String? = nil, sizes: [String: Int] = [:]) throws -> FileSelection
    {
        let files = try names.map { (try RepositoryPath($0), .some(sizes[$0])) as (RepositoryPath, Int??) }
        return try FileSelection(
            Dictionary(uniqueKeysWithValues: files.map { ($0, $1 ?? nil) }),
            variant: variant,
            of: RepositoryName(Self.repository)
        )
    }

    @Test("Of a transformers repository only needed files are chosen, and no content twice")
    func folder() throws {
        let selection = try select([
            ".gitattributes", "README.md", "config.json", "consolidated.safetensors", "generation_config.json",
            "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json",
            "original/consolidated.00.pth", "original/model.safetensors", "pytorch_model.bin", "tokenizer.json",
            "tokenizer.model", "tokenizer_config.json", "onnx/model.onnx", "chat_template.jinja", "vocab.json",
            "special_tokens_map.json", "added_tokens.json", "processor_config.json", "chat_template.json",
            "preprocessor_config.json",
        ])
        #expect(selection.format == .folder)
        #expect(
            selection.files.map(\.description) == [
                "added_tokens.json", "chat_template.jinja", "chat_template.json", "config.json",
                "generation_config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                "model.safetensors.index.json", "processor_config.json", "special_tokens_map.json", "tokenizer.json",
                "tokenizer_config.json",
            ]
        )
    }

    @Test(
        "Shards are chosen as published models name them, with what else their index may name",
        arguments: [
            ["model.safetensors-00001-of-00001.safetensors"],
            ["model.safetensors-00001-of-00002.safetensors", "model.safetensors-00002-of-00002.safetensors"],
            [
                "model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "mtp.safetensors"],
        ]
    )
    func shards(_ weights: [String]) throws {
        let copies = ["consolidated.safetensors", "adapter_model.safetensors", "model.fp16.safetensors"]
        let others = ["config.json", "model.safetensors.index.json", "tokenizer.json"]
        let selection = try select(weights + copies + others)
        #expect(selection.files.map(\.description) == (weights + others).sorted())
        // Without an index nothing names what is not numbered.
        let few = ["config.json", "tokenizer.json"]
        let plain = try select(weights + copies + few)
        #expect(
            plain.files.map(\.description) == (weights.filter { $0 != "mtp.safetensors" } + few).sorted()
        )
    }

    @Test("Weights in one file are preferred to shards")
    func wholeFile() throws {
        let selection = try select([
            "config.json", "model-00001-of-00001.safetensors", "model.safetensors", "model.fp16.safetensors",
            "tokenizer.json", "tokenizer.model",
        ])
        #expect(selection.files.map(\.description) == ["config.json", "model.safetensors", "tokenizer.json"])
    }

    @Test(
        "A quantisation is chosen by its label in any case, with all of its parts",
        arguments: [
            ("q4_k_m", ["m-Q4_K_M.gguf"]),
            ("Q8_0", ["Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0/m-Q8_0-00002-of-00002.gguf"]),
            ("Q2_K_XL", ["m-UD-Q2_K_XL.gguf"]), ("ud-q2_k_xl", ["m-UD-Q2_K_XL.gguf"]),
            ("m-q4_k_m.gguf", ["m-Q4_K_M.gguf"]),
        ]
    )
    func quantisation(_ variant: String, _ files: [String]) throws {
        let selection = try select(
            [
                "config.json", "mmproj-F16.gguf", "m-Q4_K_M.gguf", "m-UD-Q2_K_XL.gguf",
                "Q8_0/m-Q8_0-00002-of-00002.gguf", "Q8_0/m-Q8_0-00001-of-00002.gguf",
            ],
            variant
        )
        #expect(selection.files.map(\.description) == files)
        #expect(selection.entry.description == files[0])
    }

    @Test("Without a label Q4_K_M is chosen, else the smallest with four bits, else the next with more")
    func usual() throws {
        let all = ["m-Q8_0.gguf", "m-Q4_K_S.gguf", "m-IQ4_XS.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf"]
        let sizes = ["m-Q8_0.gguf": 8, "m-Q4_K_S.gguf": 5, "m-IQ4_XS.gguf": 4, "m-Q4_K_M.gguf": 6, "m-Q2_K.gguf": 2]
        let first = try select(all, sizes: sizes)
        #expect(first.format == .gguf(quantization: "Q4_K_M"))
        #expect(first.alternatives == ["IQ4_XS", "Q2_K", "Q4_K_S", "Q8_0"])
        #expect(try select(all.filter { $0 != "m-Q4_K_M.gguf" }, sizes: sizes).format == .gguf(quantization: "IQ4_XS"))
        #expect(try select(["m-Q8_0.gguf", "m-Q6_K.gguf", "m-Q2_K.gguf"]).format == .gguf(quantization: "Q6_K"))
        #expect(try select(["m-Q3_K_M.gguf", "m-Q2_K.gguf"]).format == .gguf(quantization: "Q3_K_M"))
        #expect(try select(["model.gguf"]).format == .gguf(quantization: nil))
    }

    @Test(
        "What cannot be chosen is explained",
        arguments: [
            (["config.json", "pytorch_model.bin"], nil, "pytorch_model.bin"), (["README.md"], nil, "neither"),
            (["m-Q4_0.gguf", "m-Q8_0.gguf"], "Q5_0", "it has Q4_0, Q8_0"),
            (["config.json", "model.safetensors"], "Q4_0", "no GGUF"),
            (["config.json", "model.safetensors", "tekken.json"], nil, "no tokenizer.json"),
            (["a-Q4_0.gguf", "b-Q4_0.gguf"], "Q4_0", "name one of the files"),
            (["m-Q4_0-00001-of-00002.gguf"], "Q4_0", "parts are missing"),
        ]
    )
    func nothing(_ names: [String], _ variant: String?, _ expected: String) throws {
        let error = try #require(throws: HubError.self) { try select(names, variant) }
        #expect(error.description.contains(expected), "\(error)")
    }
}
