import Support
import Testing

@testable import ModelFiles

/// What a model's files recommend about sampling, and what they may say instead.
@Suite struct GenerationConfigurationTests {
    private func generation(_ json: String?) throws -> GenerationConfiguration {
        var files: [String: FileBytes] = [:]
        files["generation_config.json"] = json.map { FileBytes(copying: Array($0.utf8)) }
        return try GenerationConfiguration(source: .memory(files))
    }

    @Test("What generation_config.json says is read")
    func values() throws {
        let generation = try generation(
            """
            {"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.01, "repetition_penalty": 1.05,
             "transformers_version": "4.51.0", "eos_token_id": [1, 2]}
            """
        )
        #expect(generation.temperature == 0.6 && generation.topK == 20 && generation.topP == 0.95)
        #expect(generation.minP == 0.01 && generation.repetitionPenalty == 1.05 && generation.samples == true)
        #expect(generation.eosTokens == [1, 2])
        #expect(generation.warnings.isEmpty)
    }

    @Test("The tokens that end an answer may be written with a fraction of 0")
    func wholeNumbers() throws {
        #expect(try generation(#"{"eos_token_id": 2.0}"#).eosTokens == [2])
        #expect(try generation(#"{"eos_token_id": [3e0, 4]}"#).eosTokens == [3, 4])
        #expect(throws: ModelError.self) { try generation(#"{"eos_token_id": [1.5]}"#) }
    }

    @Test("What is not said, or null, is nothing", arguments: [nil, "{}", #"{"temperature": null, "top_k": null}"#])
    func absent(json: String?) throws {
        var generation = try generation(json)
        generation.label = nil
        #expect(generation == GenerationConfiguration())
    }

    @Test("-1 is all tokens, as some write it")
    func all() throws { #expect(try generation(#"{"top_k": -1}"#).topK == 0) }

    @Test(
        "A value that is of no use is left out with a word about it, and the others are read",
        arguments: [
            ("temperature", "NaN"), ("temperature", "Infinity"), ("temperature", "-Infinity"), ("temperature", "-0.1"),
            ("temperature", "1e300"), ("temperature", "\"hot\""), ("temperature", "\"0.5\""), ("temperature", "true"),
            ("temperature", "[1]"), ("temperature", "{}"), ("top_k", "1.5"), ("top_k", "-2"), ("top_k", "1e30"),
            ("top_k", "9223372036854775807"), ("top_k", "NaN"), ("top_k", "\"all\""), ("top_p", "1.01"),
            ("top_p", "-1"), ("top_p", "NaN"), ("min_p", "2"), ("min_p", "-Infinity"), ("repetition_penalty", "0"),
            ("repetition_penalty", "-1"), ("repetition_penalty", "NaN"), ("repetition_penalty", "1e9"),
            ("repetition_penalty", "[]"), ("do_sample", "0"), ("do_sample", "\"no\""), ("do_sample", "NaN"),
        ]
    )
    func hostile(field: String, value: String) throws {
        let other = field == "top_p" ? "min_p" : "top_p"
        var generation = try generation("{\"\(field)\": \(value), \"\(other)\": 0.5}")
        #expect(generation.warnings.count == 1)
        #expect(generation.warnings.first?.hasPrefix("generation_config.json: \(field) ") == true)
        #expect(generation.topP ?? generation.minP == 0.5)
        (generation.topP, generation.minP, generation.warnings, generation.label) = (nil, nil, [], nil)
        #expect(generation == GenerationConfiguration())
    }

    // MARK: GGUF

    private func generation(_ values: [(key: String, value: GGUFBuilder.Value)]) throws -> GenerationConfiguration {
        let bytes = GGUFBuilder(values).bytes
        let source = ModelSource.gguf(try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: bytes))]))
        return try GenerationConfiguration(source: source)
    }

    @Test("A GGUF file's metadata say the same under their own names")
    func gguf() throws {
        let generation = try generation([
            ("general.sampling.temp", .float32(0.5)), ("general.sampling.top_k", .int32(20)),
            ("general.sampling.top_p", .float32(0.75)), ("general.sampling.min_p", .float32(0.25)),
            ("general.sampling.penalty_repeat", .float32(1.5)), ("general.sampling.penalty_last_n", .int32(64)),
        ])
        #expect(generation.temperature == 0.5 && generation.topK == 20 && generation.topP == 0.75)
        #expect(generation.minP == 0.25 && generation.repetitionPenalty == 1.5 && generation.warnings.isEmpty)
        let off = try self.generation([
            ("general.sampling.penalty_repeat", .float32(1.5)), ("general.sampling.penalty_last_n", .int32(0)),
        ])
        #expect(off.repetitionPenalty == nil)
    }

    @Test("A GGUF file's value of no use is left out with a word about it")
    func ggufHostile() throws {
        let values: [GGUFBuilder.Value] = [.float32(.nan), .string("hot"), .bool(true), .float32(-1)]
        for value in values {
            let generation = try generation([("general.sampling.temp", value), ("general.sampling.top_k", .uint32(5))])
            #expect(generation.temperature == nil && generation.topK == 5)
            #expect(generation.warnings.count == 1)
            #expect(generation.warnings.first?.hasPrefix("x.gguf: metadata: general.sampling.temp ") == true)
        }
    }
}
