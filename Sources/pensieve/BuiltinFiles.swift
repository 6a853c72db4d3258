import BuiltinModel
import ModelFiles

/// The built-in model's files, as they lie in the program's own memory.
enum BuiltinFiles {
    static let modelID = "pensieve-builtin"
    static let displayName = "Pensieve's built-in model (a small demonstration model)"
    static let createdAt = "2026-11-24T00:00:00Z"

    private static let names = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    ]

    static var all: [String: FileBytes] {
        names.reduce(into: [:]) { files, name in files[name] = file(name) }
    }

    static func file(_ name: String) -> FileBytes? {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard pensieve_builtin_file(name, &start, &length) == 1, let start else { return nil }
        return FileBytes(permanent: UnsafeRawBufferPointer(start: start, count: length))
    }
}
