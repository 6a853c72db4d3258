import Support
import Testing

@testable import ModelFiles

/// Fields of both forms of file, read through the same calls.
@Suite struct ModelFieldsTests {
    private static func json(_ text: String) throws -> ModelFields {
        try ModelFields(source: .memory(["config.json": FileBytes(copying: Array(text.utf8))]))
    }

    private static func gguf(_ metadata: [String: GGUFBuilder.Value]) throws -> ModelFields {
        let values = metadata.map { ("llama.\($0)", $1) }
        let bytes = FileBytes(copying: GGUFBuilder([("general.architecture", .string("llama"))] + values).bytes)
        return try ModelFields(source: .gguf(GGUFModel(path: "x.gguf", files: [("x.gguf", bytes)])))
    }

    @Test("The same call reads a field of config.json and the GGUF key beside it")
    func bothForms() throws {
        let forms = [
            try Self.json(
                #"{"model_type": "llama", "layers": 7, "eps": 1e-5, "ties": true, "kind": "a", "sub": {"n": 3}}"#
            ),
            try Self.gguf([
                "block_count": .uint32(7), "epsilon": .float64(1e-5), "tied": .bool(true), "type": .string("a"),
                "below.number": .int64(3),
            ]),
        ]
        for fields in forms {
            #expect(try fields.architecture == "llama")
            #expect(try fields.int("layers", gguf: "block_count", 1...7) == 7)
            #expect(try fields.double("eps", gguf: "epsilon", 0...1) == 1e-5)
            #expect(try fields.optionalBool("ties", gguf: "tied") == true)
            #expect(try fields.optionalString("kind", gguf: "type") == "a")
            let nested = try #require(try fields.object("sub", gguf: "below"))
            #expect(try nested.int("n", gguf: "number", 0...9) == 3)
            #expect(try fields.optionalInt("absent", gguf: "absent", 0...1) == nil)
            #expect(try fields.int("absent", gguf: "absent", 0...9, default: 5) == 5)
        }
        #expect(try forms[0].optionalInt(gguf: "block_count", 0...9) == nil)
        #expect(try forms[1].optionalInt("layers", 0...9) == nil)
        #expect(!forms[0].isGGUF && forms[1].isGGUF)
    }

    @Test("An infinity is read as Python writes it, and as transformers does")
    func infinities() throws {
        let fields = try Self.json(
            #"{"a": [0.5, Infinity], "b": [0, {"__float__": "Infinity"}], "c": [{"__float__": "x"}], "d": [{}]}"#
        )
        #expect(try fields.list("a", of: Double.self) == [0.5, .infinity])
        #expect(try fields.list("b", of: Double.self) == [0, .infinity])
        for name in ["c", "d"] {
            let error = #expect(throws: ModelError.self) { try fields.list(name, of: Double.self) }
            #expect(error?.description.contains(name) == true)
        }
    }

    @Test("What is missing, of another kind or out of range is an error that names the file and the field")
    func errors() throws {
        let json = try Self.json(#"{"a": "x", "b": 9, "c": {"d": -0.5}, "e": NaN, "f": [1, "x"]}"#)
        let gguf = try Self.gguf(["a": .string("x"), "b": .uint32(9), "c.d": .float32(-0.5), "e": .float32(.nan)])
        func message(_ body: () throws -> Void) -> String? {
            #expect(throws: ModelError.self, performing: body)?.description
        }
        for (fields, start) in [(json, "config.json: "), (gguf, "x.gguf: metadata llama.")] {
            func int(_ name: String) -> String? { message { _ = try fields.int(name, gguf: name, 0...8) } }
            func double(_ fields: ModelFields?, _ name: String) -> String? {
                message { _ = try fields?.double(name, gguf: name, 0...1) }
            }
            #expect(int("none") == start + "none is missing")
            #expect(int("a")?.hasPrefix(start + "a is not a") == true)
            #expect(int("b") == start + "b is 9; 0 to 8 is expected")
            #expect(double(try fields.object("c", gguf: "c"), "d") == start + "c.d is -0.5; 0.0 to 1.0 is expected")
            #expect(double(fields, "e")?.hasPrefix(start + "e is nan") == true)
            #expect(message { _ = try fields.optionalBool("b", gguf: "b") } == start + "b is not true or false")
        }
        #expect(message { _ = try json.list("f", of: Int.self) } == "config.json: f.1 is not an integer")
        #expect(message { _ = try json.object("b") } == "config.json: b is not an object")
        for text in ["[]", "7", "{\"text_config\": 1}", "{", "{\"a\": NaNs}"] {
            #expect(message { _ = try Self.json(text).int("b", 0...9) }?.hasPrefix("config.json: ") == true)
        }
    }

    @Test("Null is as good as absent, but where a field says nothing by it")
    func null() throws {
        let fields = try Self.json(#"{"window": null, "cap": null}"#)
        #expect(try fields.optionalInt("window", 1...9, ifAbsent: 4) == nil)
        #expect(try fields.optionalInt("none", 1...9, ifAbsent: 4) == 4)
        #expect(try fields.optionalDouble("cap", 1...9, ifAbsent: 4) == nil)
        #expect(try fields.int("window", 1...9, default: 4) == 4)
    }

    @Test("Fields are the language model's own, but for those that may stand outside of it")
    func parts() throws {
        let fields = try Self.json(
            """
            {"model_type": "whole", "eos_token_id": [1, 2], "vocab_size": 5, "tie_word_embeddings": true,
             "hidden_size": 6, "head_dim": 8, "sliding_window": null, "quantization": {"bits": 8, "group_size": 32},
             "text_config": {"model_type": "part", "eos_token_id": 3, "hidden_size": 7, "tie_word_embeddings": false,
               "quantization": {"bits": 4, "group_size": 32}}}
            """
        )
        #expect(try fields.architecture == "whole" && fields.eosTokens() == [1, 2])
        #expect(try MLXQuantization(fields)["x"]?.bits == 8)
        #expect(try fields.int("vocab_size", 0...9) == 5 && fields.optionalBool("tie_word_embeddings") == false)
        #expect(try fields.int("hidden_size", 0...9) == 7 && fields.optionalInt("head_dim", 0...9) == nil)
        #expect(try fields.optionalInt("sliding_window", 1...9, ifAbsent: 4) == 4)
        let error = #expect(throws: ModelError.self) {
            try Self.json(#"{"text_config": {"model_type": "part"}}"#).architecture
        }
        #expect(error == ModelError("config.json: model_type is missing"))
    }

    @Test("A field that may stand in either part is not hidden by a null in the other")
    func nullParts() throws {
        let outside = try Self.json(
            """
            {"eos_token_id": null, "quantization": null, "quantization_config": null, "vocab_size": null,
             "tie_word_embeddings": null,
             "text_config": {"eos_token_id": 3, "quantization": {"bits": 4, "group_size": 32}, "vocab_size": 5,
               "tie_word_embeddings": true}}
            """
        )
        #expect(try outside.eosTokens() == [3] && MLXQuantization(outside)["x"]?.bits == 4)
        let inside = try Self.json(
            """
            {"eos_token_id": 3, "vocab_size": 5, "tie_word_embeddings": true,
             "quantization_config": {"bits": 4, "group_size": 32},
             "text_config": {"eos_token_id": null, "quantization_config": null, "vocab_size": null,
               "tie_word_embeddings": null}}
            """
        )
        #expect(try inside.eosTokens() == [3] && MLXQuantization(inside)["x"]?.bits == 4)
        for fields in [outside, inside] {
            #expect(try fields.int("vocab_size", 0...9) == 5)
            #expect(try fields.optionalBool("tie_word_embeddings") == true)
        }
        let neither = try Self.json(#"{"vocab_size": null, "text_config": {"vocab_size": null}}"#)
        #expect(try neither.optionalInt("vocab_size", 0...9, ifAbsent: 4) == nil)
    }

    @Test("What stands for an absent field is checked as the field is")
    func defaults() throws {
        for fields in [try Self.json("{}"), try Self.gguf([:])] {
            #expect(throws: ModelError.self) { try fields.int("n", gguf: "n", 1...8, default: 9) }
            #expect(throws: ModelError.self) { try fields.double("x", gguf: "x", 0...1, default: .nan) }
            #expect(try fields.int("n", gguf: "n", 1...8, default: 8) == 8)
        }
    }

    @Test("A whole number may be written with a fraction of 0 or an exponent")
    func wholeNumbers() throws {
        let fields = try Self.json(
            #"{"a": 4096.0, "b": 1e5, "c": [1.0, -2e1], "eos_token_id": 2.0}"#
        )
        #expect(try fields.int("a", 1...4096) == 4096 && fields.int("b", 1...(1 << 20)) == 100_000)
        #expect(try fields.list("c", of: Int.self) == [1, -20] && fields.eosTokens() == [2])
        for value in ["1.5", "1e300", "-Infinity", "NaN", "9.3e18", "\"4.0\""] {
            let fields = try Self.json("{\"a\": \(value)}")
            let error = #expect(throws: ModelError.self, "\(value)") { try fields.int("a", .min ... .max) }
            #expect(error == ModelError("config.json: a is not an integer"))
        }
    }

    @Test("A number that a GGUF file has for each layer must be the same in all")
    func numbersByLayer() throws {
        let same = try Self.gguf(["heads": .array(of: .uint32(0), [.uint32(4), .uint32(4)])])
        #expect(try same.int(gguf: "heads", 1...9) == 4)
        let other = try Self.gguf(["heads": .array(of: .uint32(0), [.uint32(4), .uint32(5)])])
        #expect(throws: ModelError.self) { try other.int(gguf: "heads", 1...9) }
    }

    // MARK: Quantisation

    private func quantization(_ text: String) throws -> MLXQuantization {
        try MLXQuantization(Self.json("{\(text)}"))
    }

    @Test("Quantisation has exceptions by matrix")
    func quantization() throws {
        let quantization = try quantization(
            """
            "quantization": {"group_size": 64, "bits": 4, "mode": "affine", "norm": false,
                             "lm_head": {"group_size": 32, "bits": 8}, "router": {"bits": 8}}
            """
        )
        #expect(quantization["x"] == .init(bits: 4, groupSize: 64))
        #expect(quantization["lm_head"] == .init(bits: 8, groupSize: 32))
        #expect(quantization["router"] == .init(bits: 8, groupSize: 64))
        #expect(quantization["norm"] == nil)
        for nothing in ["", #""quantization": {}"#, #""quantization_config": {}"#] {
            #expect(try self.quantization(nothing) == MLXQuantization())
        }
    }

    @Test("Floats of 4 bits are a form of MLX's, and of OpenAI's, whose files say nothing of single matrices")
    func float4() throws {
        let mlx = try quantization(#""quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}"#)
        #expect(mlx["x"] == .init(bits: 4, groupSize: 32))
        let own = #""quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}"#
        #expect(try quantization(own) == MLXQuantization())
    }

    @Test("Floats of 8 bits have squares, whose sides are said once")
    func float8() throws {
        let own = """
            "quantization_config": {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
              "weight_block_size": [128, 128], "modules_to_not_convert": ["lm_head"]}
            """
        let quantization = try quantization(own)
        #expect(quantization.float8Block == 128 && quantization["lm_head"] == nil)
        #expect(try self.quantization(#""quantization": {"bits": 4, "group_size": 64}"#).float8Block == nil)
    }

    @Test("Quantisation may stand under its other name alone, beside fields of other tools")
    func quantizationConfig() throws {
        let text = #""quantization_config": {"group_size": 32, "bits": 3, "modules": null, "x": [1.5], "head": true}"#
        #expect(try quantization(text)["head"] == .init(bits: 3, groupSize: 32))
    }

    @Test("Values of other kinds in another tool's fields say nothing, and whole numbers may have a fraction of 0")
    func otherKinds() throws {
        let quantization = try quantization(
            """
            "quantization_config": {"group_size": 32.0, "bits": 3e0, "mode": 7, "quant_method": ["gptq"],
              "a": {"bits": "8"}, "b": {"group_size": [64]}, "c": {"bits": 8, "mode": true}, "d": {"bits": 8.0}}
            """
        )
        for path in ["a", "b", "c", "x"] { #expect(quantization[path] == .init(bits: 3, groupSize: 32), "\(path)") }
        #expect(quantization["d"] == .init(bits: 8, groupSize: 32))
    }

    @Test(
        "Quantisation that is malformed or another's is an error that names it",
        arguments: [
            #""quantization": {"bits": 4}"#, #""quantization": {"bits": 7, "group_size": 64}"#,
            #""quantization": {"bits": 4, "group_size": 0}"#, #""quantization": 4"#,
            #""quantization": {"bits": 4, "group_size": 16, "mode": "nvfp4"}"#,
            #""quantization": {"bits": 8, "group_size": 32, "mode": "mxfp4"}"#,
            #""quantization": {"bits": 4, "group_size": 32, "head": {"bits": 1}}"#,
            #""quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 64}"#,
            #""quantization_config": {"quant_method": "fp8"}"#,
            #""quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 64]}"#,
            #""quantization_config": {"quant_method": "fp8", "weight_block_size": [1, 1]}"#,
            #""quantization_config": {"quant_method": "fp8", "fmt": "e5m2", "weight_block_size": [128, 128]}"#,
        ]
    )
    func refusedQuantization(text: String) {
        let error = #expect(throws: ModelError.self) { try quantization(text) }
        #expect(error?.description.hasPrefix("config.json: quantization") == true, "\(error?.description ?? "")")
    }
}
