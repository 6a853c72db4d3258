import ModelFiles
import Support
import Testing

/// A `.safetensors` file of the given header and data.
func safetensors(_ header: String, dataCount: Int, headerLength: UInt64? = nil) -> [UInt8] {
    let json = Array(header.utf8)
    let length = (headerLength ?? UInt64(json.count)).littleEndian
    return withUnsafeBytes(of: length, Array.init) + json + (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
}

/// Hostile and honest files.
@Suite struct SafetensorsTests {
    private func parse(_ bytes: [UInt8]) throws -> [String: Tensor] {
        try Safetensors(FileBytes(copying: bytes), label: "x.safetensors").tensors
    }

    private static let two = """
        {"__metadata__":{"format":"mlx"},\
        "b":{"dtype":"U32","shape":[3],"data_offsets":[16,28]},\
        "a":{"dtype":"F16","shape":[2,4],"data_offsets":[0,16]},\
        "empty":{"dtype":"F32","shape":[0,7],"data_offsets":[16,16]}}
        """

    @Test("Tensors have the types, shapes and bytes that the header says")
    func honest() throws {
        let tensors = try parse(safetensors(Self.two, dataCount: 28))
        #expect(tensors.keys.sorted() == ["a", "b", "empty"])
        let a = try #require(tensors["a"])
        #expect(a.type == .float16 && a.shape == [2, 4] && a.bytes.array == Array(0..<16))
        #expect(tensors["b"]?.bytes.array == Array(16..<28))
        #expect(tensors["empty"]?.bytes.count == 0)
    }

    private static func one(_ shape: String, _ offsets: String, dtype: String = "F32") -> String {
        "{\"a\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
    }

    private static let hostile: [(String, [UInt8])] = [
        ("nothing", []),
        ("seven bytes", [1, 2, 3, 4, 5, 6, 7]),
        ("length past the end", safetensors("{}", dataCount: 0, headerLength: 3)),
        ("length of all ones", safetensors("{}", dataCount: 8, headerLength: .max)),
        ("length with the sign bit", safetensors("{}", dataCount: 8, headerLength: 1 << 63)),
        ("no JSON", safetensors("{\"a\":", dataCount: 0)),
        ("bad UTF-8", withUnsafeBytes(of: UInt64(3).littleEndian, Array.init) + [0x7b, 0xff, 0x7d]),
        ("a list", safetensors("[]", dataCount: 0)),
        ("a number for a tensor", safetensors("{\"a\":3}", dataCount: 0)),
        ("fields missing", safetensors("{\"a\":{\"dtype\":\"F32\"}}", dataCount: 0)),
        ("nested a thousand deep", safetensors(String(repeating: "[", count: 100_000), dataCount: 0)),
        ("unknown dtype", safetensors(one("[4]", "[0,4]", dtype: "F8"), dataCount: 4)),
        ("negative size", safetensors(one("[-1]", "[0,4]"), dataCount: 4)),
        ("two negative sizes", safetensors(one("[-1,-1]", "[0,4]"), dataCount: 4)),
        ("fractional size", safetensors(one("[1.5]", "[0,4]"), dataCount: 4)),
        ("huge size", safetensors(one("[9223372036854775807]", "[0,4]"), dataCount: 4)),
        ("huge product", safetensors(one("[4294967296,4294967296]", "[0,0]"), dataCount: 0)),
        ("beyond 64 bits", safetensors(one("[1e40]", "[0,4]"), dataCount: 4)),
        ("one offset", safetensors(one("[1]", "[4]"), dataCount: 4)),
        ("negative offset", safetensors(one("[1]", "[-4,0]"), dataCount: 4)),
        ("offsets in reverse", safetensors(one("[1]", "[4,0]"), dataCount: 4)),
        ("offset past the end", safetensors(one("[2]", "[0,8]"), dataCount: 7)),
        ("shape and offsets differ", safetensors(one("[2]", "[0,4]"), dataCount: 4)),
        ("bytes left over", safetensors(one("[1]", "[0,4]"), dataCount: 5)),
        ("a gap", safetensors(one("[1]", "[4,8]"), dataCount: 8)),
        (
            "overlap",
            safetensors(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                    + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                dataCount: 12
            )
        ),
        ("truncated", safetensors(two, dataCount: 27)),
    ]

    @Test("A hostile file is an error that names the file", arguments: hostile)
    func hostileFiles(name: String, bytes: [UInt8]) {
        let error = #expect(throws: ModelError.self) { try parse(bytes) }
        #expect(error?.description.hasPrefix("x.safetensors: ") == true, "\(error?.description ?? "no error")")
    }

    @Test("Mutated files give an error or a model, never a crash")
    func mutations() {
        let original = safetensors(Self.two, dataCount: 28)
        var generator = SeededGenerator(seed: 1)
        var accepted = 0
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(UInt8(ascii: "9"), at: at)
                default: bytes.removeLast(min(at, bytes.count - 1))
                }
            }
            guard let tensors = try? parse(bytes) else { continue }
            accepted += 1
            for tensor in tensors.values {
                #expect(tensor.bytes.count == tensor.type.byteCount(shape: tensor.shape))
                _ = tensor.bytes.array.reduce(0) { $0 &+ Int($1) }
            }
        }
        #expect(accepted > 0 && accepted < 900)
    }

    @Test("Shards are found through the index; what the index gets wrong is an error")
    func shards() throws {
        func directory(_ map: String) throws -> TensorDirectory {
            try TensorDirectory(
                source: .memory([
                    "model.safetensors.index.json": FileBytes(copying: Array("{\"weight_map\":\(map)}".utf8)),
                    "1.safetensors": FileBytes(copying: safetensors(Self.one("[1]", "[0,4]"), dataCount: 4)),
                    "2.safetensors": FileBytes(copying: safetensors(Self.two, dataCount: 28)),
                ])
            )
        }
        let tensors = try directory("{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}")
        #expect(try tensors.tensor("a", [.float32], shape: [1]).file == "1.safetensors")
        #expect(try tensors.tensor("b", [.uint32], shape: [3]).file == "2.safetensors")
        for map in [
            "{\"b\":\"1.safetensors\"}", "{\"a\":\"3.safetensors\"}", "{\"a\":\"../1.safetensors\"}", "{\"a\":7}",
        ] {
            #expect(throws: ModelError.self) { try directory(map) }
        }
    }

    @Test("Shards without an index are found by their names, if they are all there")
    func shardsWithoutIndex() throws {
        func directory(_ shards: [String: String], count: Int = 4) throws -> TensorDirectory {
            let files = shards.mapValues { FileBytes(copying: safetensors($0, dataCount: count)) }
            return try TensorDirectory(source: .memory(files))
        }
        func one(_ name: String) -> String { "{\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}" }
        let lone = try directory(["model-00001-of-00001.safetensors": one("a"), "other.safetensors": one("z")])
        #expect(try lone.tensor("a", [.float32], shape: [1]).file == "model-00001-of-00001.safetensors")
        let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        let both = try directory([first: one("a"), second: one("b")])
        #expect(both["a"]?.file == first && both["b"]?.file == second)
        func message(_ shards: [String: String]) -> String {
            #expect(throws: ModelError.self) { try directory(shards) }?.description ?? ""
        }
        #expect(message([first: one("a")]) == "\(second): no such file; all 2 shards of a model are needed")
        #expect(message([first: one("a"), second: one("a")]).hasSuffix("tensor a: is also in another shard"))
        let third = "model-00001-of-00003.safetensors"
        #expect(message([first: one("a"), second: one("b"), third: one("c")]).hasSuffix("shards of 2 and 3"))
        for name in ["model-1-of-1", "model-00000-of-00001", "model-00002-of-00001", "model-x-of-00001", "model-00001"]
        {
            #expect(message([name + ".safetensors": one("a")]).contains("model.safetensors: no such file"), "\(name)")
        }
        // A count that nobody has costs nothing.
        #expect(message(["model-00001-of-99999.safetensors": one("a")]).contains("model-00002-of-99999"))
    }

    @Test("An index may hold numbers that Python writes and JSON does not know")
    func pythonNumbers() throws {
        let index = #"{"metadata":{"total_size":NaN,"x":[-Infinity,Infinity]},"weight_map":{"a":"1.safetensors"}}"#
        let directory = try TensorDirectory(
            source: .memory([
                "model.safetensors.index.json": FileBytes(copying: Array(index.utf8)),
                "1.safetensors": FileBytes(copying: safetensors(Self.one("[1]", "[0,4]"), dataCount: 4)),
            ])
        )
        #expect(directory["a"] != nil)
    }

    @Test("An error on a tensor names the file, the tensor and what was expected")
    func tensorErrors() throws {
        let directory = TensorDirectory(tensors: try parse(safetensors(Self.two, dataCount: 28)))
        func message(_ name: String, _ types: [TensorType], _ shape: [Int]) -> String? {
            #expect(throws: ModelError.self) { try directory.tensor(name, types, shape: shape) }?.description
        }
        #expect(message("c", [.float32], [1]) == "the model: tensor c: missing; F32 [1] is expected")
        #expect(
            message("a", [.float32, .bfloat16], [2, 4]) == "x.safetensors: tensor a: is F16; F32 or BF16 is expected"
        )
        #expect(message("a", [.float16], [4, 2]) == "x.safetensors: tensor a: has shape [2, 4]; [4, 2] is expected")
    }
}
