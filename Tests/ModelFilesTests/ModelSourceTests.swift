import Foundation
import Support
import Testing

@testable import ModelFiles

/// What is found at a path, and what JSON may say.
@Suite struct ModelSourceTests {
    /// A folder of files that is gone after `body`.
    private func withFolder(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
        try body(folder.path)
    }

    private static let file = GGUFBuilder([("general.name", .string("x"))]).bytes

    private static func part(_ number: UInt16) -> [UInt8] {
        GGUFBuilder([("split.no", .uint16(number)), ("split.count", .uint16(2))]).bytes
    }

    @Test("A path is a folder of safetensors, a GGUF file, any part of one, or a folder that has one of them")
    func paths() throws {
        try withFolder(["config.json": [], "other.gguf": Self.file]) { path in
            guard case .folder(path) = try ModelSource.at(path) else { throw ModelError("not a folder") }
            #expect(try ModelSource.at(path + "/other.gguf").folderName == "other")
        }
        let parts = ["m-00001-of-00002.gguf": Self.part(0), "m-00002-of-00002.gguf": Self.part(1)]
        try withFolder(parts) { path in
            for name in ["", "/m-00001-of-00002.gguf", "/m-00002-of-00002.gguf"] {
                let source = try ModelSource.at(path + name)
                #expect(source.folderName == "m")
                #expect(source.label("config.json") == "\(path)/m-00001-of-00002.gguf: metadata")
            }
        }
    }

    @Test("What is not there, not a model, or several models, is an error that says so")
    func noModel() throws {
        func message(_ path: String) -> String? {
            #expect(throws: ModelError.self) { try ModelSource.at(path) }?.description
        }
        #expect(message("/nowhere")?.hasSuffix("a folder or a .gguf file is expected") == true)
        #expect(message("/nowhere/a.gguf") == "/nowhere/a.gguf: no such file")
        try withFolder(["b.gguf": Self.file, "a.GGUF": Self.file, "c.gguf": []]) { path in
            #expect(message(path) == "\(path): holds several models; name one of them: a.GGUF, b.gguf, c.gguf")
            #expect(message(path + "/c.gguf") == "\(path)/c.gguf: does not begin with \"GGUF\"")
        }
        try withFolder(["m-00001-of-00002.gguf": Self.part(0)]) { path in
            #expect(
                message(path)?.hasSuffix("m-00002-of-00002.gguf: no such file; all parts of a model are needed") == true
            )
        }
        try withFolder([:]) { path in
            let error = #expect(throws: ModelError.self) { try ModelSource.at(path).requiredFile("config.json") }
            #expect(error?.description.hasPrefix("\(path)/config.json: no such file") == true)
        }
    }

    // MARK: JSON

    private func tensors(_ header: String) throws -> [String: Tensor] {
        try Safetensors(FileBytes(copying: safetensors(header, dataCount: 4)), label: "x").tensors
    }

    private static let tensor = "{\"shape\":[1],\"dtype\":\"F32\",\"data_offsets\":[0,4],\"x\":{\"y\":[-1.5e3,null]}}"

    @Test("Names may be escaped, white space and unknown members are passed over")
    func json() throws {
        let escaped = "\\u0041\\ud83d\\ude00\\n\\\"\\\\\\/é"
        let names = try tensors(" { \"\(escaped)\" :\n\(Self.tensor)\t,\"__metadata__\":{\"a\":[true,{}]} } \r ").keys
        #expect(Array(names) == ["A😀\n\"\\/é"])
    }

    @Test(
        "What is not JSON is an error",
        arguments: [
            "", "{", "{\"a\"}", "{\"a\":}", "{\"a\":\(tensor)", "{\"a\":\(tensor),}", "{\"a\":\(tensor)}x",
            "{a:\(tensor)}",
            "{\"\\u00g0\":\(tensor)}",
            "{\"\\x\":\(tensor)}",
            "{\"a\u{1}\":\(tensor)}", "{\"a\":\(tensor),\"a\":\(tensor)}", "{\"__metadata__\":tru}",
            "{\"__metadata__\":\"\\", "{\"__metadata__\":1.2.3}", "{\"__metadata__\":nan}", "[]", "7",
            "{\"a\":{\"shape\":[99999999999999999999],\"dtype\":\"F32\",\"data_offsets\":[0,4]}}",
            "{\"__metadata__\":" + String(repeating: "[", count: 70) + String(repeating: "]", count: 70) + "}",
        ]
    )
    func notJSON(header: String) {
        let error = #expect(throws: ModelError.self) { try tensors(header) }
        #expect(error?.description.hasPrefix("x: ") == true)
    }

    @Test("A configuration of a megabyte is refused")
    func longConfiguration() {
        let json = "{\"model_type\":\"\(String(repeating: "a", count: 1 << 20))\"}"
        let source = ModelSource.memory(["config.json": FileBytes(copying: Array(json.utf8))])
        let error = #expect(throws: ModelError.self) { try ModelFields(source: source) }
        #expect(error?.description == "config.json: longer than 1048576 bytes")
    }
}
