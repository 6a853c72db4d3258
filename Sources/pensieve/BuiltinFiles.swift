import BuiltinModel
import Inference

/// The built-in model's files, as they lie in the program's own memory.
enum BuiltinFiles {
    static let modelID = "pensieve-builtin"
    static let displayName = "Pensieve's built-in model (a small demonstration model)"
    static let createdAt = "2026-11-24T00:00:00Z"

    static func bytes(of name: String) -> [UInt8]? {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard pensieve_builtin_file(name, &start, &length) == 1, let start else { return nil }
        return Array(UnsafeBufferPointer(start: start, count: length))
    }
}
