import Support
import Testing

@testable import ModelFiles

/// GGUF files, honest and hostile.
@Suite struct GGUFTests {
    private func model(_ builder: GGUFBuilder) throws -> GGUFModel {
        try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: builder.bytes))])
    }

    private static let floats = (0..<12).flatMap { withUnsafeBytes(of: Float($0), Array.init) }

    @Test("Every kind of value is read, in versions 2 and 3", arguments: [2, 3])
    func values(version: UInt32) throws {
        var builder = GGUFBuilder([
            ("a", .uint8(200)), ("b", .int8(-3)), ("c", .uint16(60_000)), ("d", .int16(-300)),
            ("e", .uint32(4_000_000_000)),
            ("f", .int32(-70_000)), ("g", .float32(1.5)), ("h", .bool(true)), ("i", .string("Grüße")),
            ("j", .uint64(1 << 40)), ("k", .int64(-1 << 40)), ("l", .float64(-2.25)), ("m", .uint64(.max)),
            ("n", .array(of: .string(""), [.string("one"), .string(""), .string("three")])),
            ("o", .array(of: .int16(0), [.int16(-1), .int16(2)])), ("p", .array(of: .float32(0), [.float32(0.5)])),
            ("q", .array(of: .array(of: .uint8(0), []), [.array(of: .uint8(0), [.uint8(1)])])),
            ("r", .array(of: .bool(false), [])),
        ])
        builder.version = version
        let values = try model(builder).metadata
        func integer(_ key: String) -> Int? { values[key]?.integer }
        #expect("abcdef".map { integer(String($0)) } == [200, -3, 60_000, -300, 4_000_000_000, -70_000])
        #expect([integer("j"), integer("k"), integer("m")] == [1 << 40, -1 << 40, nil])
        #expect(values["g"]?.number == 1.5 && values["l"]?.number == -2.25 && values["b"]?.number == -3)
        #expect(values["h"]?.flag == true && values["i"]?.text == "Grüße")
        #expect(values["n"]?.texts == ["one", "", "three"])
        #expect(values["o"]?.integers == [-1, 2] && values["p"]?.numbers == [0.5])
        #expect(values["q"]?.elementCount == 1 && values["q"]?.integers == nil && values["r"]?.texts == nil)
        // A value is not what it is not.
        #expect(values["i"]?.integer == nil && values["a"]?.text == nil && values["n"]?.text == nil)
        #expect(values["g"]?.integer == nil && values["a"]?.flag == nil && values["o"]?.integer == nil)
    }

    @Test("Tensors have the shapes, types and bytes that the file says", arguments: [8, 32, 256])
    func tensors(alignment: Int) throws {
        var builder = GGUFBuilder(
            [("general.alignment", .uint32(UInt32(alignment)))],
            tensors: [
                .init("a", [3, 4], bytes: Self.floats),
                .init("b", [2, 32], type: 2, bytes: Array(0..<36)),
                .init("c", [1, 2, 1, 3], type: 30, bytes: Array(0..<12)),
            ]
        )
        builder.alignment = alignment
        let tensors = try model(builder).tensors
        #expect(tensors.map(\.name) == ["a", "b", "c"])
        #expect(tensors.map(\.shape) == [[3, 4], [2, 32], [1, 2, 1, 3]])
        #expect(tensors.map(\.type) == [.float32, .q4_0, .bfloat16])
        #expect(tensors.map(\.bytes.array) == [Self.floats, Array(0..<36), Array(0..<12)])
    }

    private static func one(_ change: (inout GGUFBuilder) -> Void) -> [UInt8] {
        var builder = GGUFBuilder([("key", .uint32(1))], tensors: [.init("a", [3, 4], bytes: floats)])
        change(&builder)
        return builder.bytes
    }

    private static func value(_ kind: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        one { $0.metadata = [("key", .raw(kind: kind, bytes))] }
    }

    private static let huge = [UInt8](repeating: 0xff, count: 8)

    private static let hostile: [(String, [UInt8])] = [
        ("nothing", []),
        ("another format", one { $0.magic = Array("GGML".utf8) }),
        ("version 1", one { $0.version = 1 }),
        ("version 4", one { $0.version = 4 }),
        ("big-endian", one { $0.version = 3 << 24 }),
        ("more tensors than there are", one { $0.tensorCount = 2 }),
        ("most tensors", one { $0.tensorCount = .max }),
        ("more values than there are", one { $0.valueCount = 3 }),
        ("most values", one { $0.valueCount = .max }),
        ("a value twice", one { $0.metadata.append(("key", .uint32(1))) }),
        ("a tensor twice", one { $0.tensors.append(.init("a", [1], bytes: [0, 0, 0, 0])) }),
        ("a kind of value that there is not", value(13, [0])),
        ("a string past the end", value(8, huge)),
        ("an array past the end", value(9, [0, 0, 0, 0] + huge)),
        ("an array of strings past the end", value(9, [8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0] + huge)),
        ("an array of numbers that overflows", value(9, [10, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0x20])),
        (
            "arrays within arrays",
            value(9, (0..<40).flatMap { _ in [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] as [UInt8] })
        ),
        ("a key that is not UTF-8", one { $0.metadata[0].key = "k\u{0}" }.map { $0 == 0x6b ? 0xff : $0 }),
        ("no alignment", one { $0.metadata = [("general.alignment", .uint32(0))] }),
        ("an odd alignment", one { $0.metadata = [("general.alignment", .uint32(24))] }),
        ("a huge alignment", one { $0.metadata = [("general.alignment", .uint64(1 << 62))] }),
        ("an alignment of text", one { $0.metadata = [("general.alignment", .string("32"))] }),
        ("no dimension", one { $0.tensors[0].shape = [] }),
        ("five dimensions", one { $0.tensors[0].shape = [1, 1, 1, 3, 4] }),
        ("a dimension of 0", one { $0.tensors[0].shape = [3, 0] }),
        ("a dimension beyond 63 bits", one { $0.tensors[0].shape = [1 << 63] }),
        ("a product that overflows", one { $0.tensors[0].shape = [1 << 32, 1 << 32] }),
        ("more than the data", one { $0.tensors[0].shape = [100, 4] }),
        ("a type that there is not", one { $0.tensors[0].type = 4 }),
        ("a type that is not supported", one { $0.tensors[0].type = 16 }),
        ("rows of half a block", one { $0.tensors[0] = .init("a", [3, 16], type: 2, bytes: Self.floats) }),
        ("an offset between the alignments", one { $0.tensors[0].offset = 4 }),
        ("an offset past the end", one { $0.tensors[0].offset = 1 << 40 }),
        ("the last offset", one { $0.tensors[0].offset = .max - 31 }),
        ("an overlap", one { $0.tensors.append(.init("b", [1], bytes: [0, 0, 0, 0], offset: 32)) }),
        ("a name of two thousand letters", one { $0.tensors[0].name = String(repeating: "n", count: 2000) }),
        ("cut off in the data", Array(one { _ in }.dropLast(17))),
        ("cut off in the tensors", Array(one { _ in }.prefix(70))),
        ("cut off in the values", Array(one { _ in }.prefix(40))),
    ]

    @Test("A hostile file is an error that names the file", arguments: hostile)
    func hostileFiles(name: String, bytes: [UInt8]) {
        let error = #expect(throws: ModelError.self) {
            try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: bytes))])
        }
        #expect(error?.description.hasPrefix("x.gguf: ") == true, "\(error?.description ?? "no error")")
    }

    @Test("A type that is not supported is named, with those that are")
    func unsupportedType() {
        let bytes = Self.one { $0.tensors[0].type = 16 }
        let error = #expect(throws: ModelError.self) {
            try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: bytes))])
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("x.gguf: tensor a: type IQ2_XXS is not supported; F32, F16 or BF16, Q4_0, Q4_1"))
        #expect(text.hasSuffix("IQ4_XS or MXFP4 is"))
    }

    // MARK: Parts

    private func part(_ number: Int, of count: Int, tensor: String) -> (label: String, bytes: FileBytes) {
        let builder = GGUFBuilder(
            [
                ("split.no", .uint16(UInt16(number))), ("split.count", .uint16(UInt16(count))),
                ("n", .uint8(UInt8(number))),
            ],
            tensors: [.init(tensor, [3, 4], bytes: Self.floats)]
        )
        return ("part \(number)", FileBytes(copying: builder.bytes))
    }

    @Test("A model in parts has the values of the first and the tensors of all")
    func parts() throws {
        let files = [part(0, of: 2, tensor: "a"), part(1, of: 2, tensor: "b")]
        let model = try GGUFModel(path: "m", files: files)
        #expect(model.tensors.map(\.name) == ["a", "b"] && model.metadata["n"]?.integer == 0)
        for wrong in [
            Array(files.reversed()), [files[0]], [files[0], part(1, of: 3, tensor: "b")],
            [files[0], part(1, of: 2, tensor: "a")],
            [files[0], files[0]],
        ] {
            #expect(throws: ModelError.self) { try GGUFModel(path: "m", files: wrong) }
        }
    }

    @Test("The names of parts are recognised and made")
    func partNames() throws {
        let part = try #require(ShardName("/models/some-model-q4-00002-of-00012.gguf", suffix: ".gguf"))
        #expect(part.stem == "/models/some-model-q4" && part.number == 2 && part.count == 12)
        #expect(part.file(number: 10) == "/models/some-model-q4-00010-of-00012.gguf")
        for name in [
            "model.gguf", "model-00001-of-00002", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-1-of-2.gguf",
            "m-00001-of-0000x.gguf", ".gguf", "", "-of-.gguf",
        ] {
            #expect(ShardName(name, suffix: ".gguf") == nil, "\(name)")
        }
    }

    @Test("Parts are complete when each model has all of its own")
    func completeParts() {
        func areComplete(_ names: String...) -> Bool {
            ShardName.areComplete(names.compactMap { ShardName($0, suffix: ".gguf") })
        }
        #expect(areComplete())
        #expect(areComplete("m-00002-of-00002.gguf", "n-00001-of-00001.gguf", "m-00001-of-00002.gguf"))
        #expect(!areComplete("m-00001-of-00002.gguf", "n-00002-of-00002.gguf"))
        #expect(!areComplete("m-00001-of-00002.gguf", "m-00001-of-00001.gguf"))
        #expect(!areComplete("m-00001-of-99999.gguf"))
        #expect(areComplete("m-00001-of-00001.gguf", "m-00001-of-00001.gguf"))
        #expect(!areComplete("m-00001-of-00002.gguf", "m-00001-of-00002.GGUF"))
    }

    @Test("Whether parts are complete takes time in proportion to their number", .timeLimit(.minutes(1)))
    func manyParts() {
        var parts = (1...30_000).compactMap {
            ShardName("m-\(String("0000\($0)".suffix(5)))-of-30000.gguf", suffix: ".gguf")
        }
        #expect(parts.count == 30_000 && ShardName.areComplete(parts))
        parts.removeLast()
        #expect(!ShardName.areComplete(parts))
    }

    @Test("A part that is missing is an error that names it")
    func missingPart() {
        let error = #expect(throws: ModelError.self) { try ModelSource.at("/nowhere/m-00001-of-00003.gguf") }
        #expect(error?.description == "/nowhere/m-00001-of-00003.gguf: no such file; all parts of a model are needed")
    }
}
