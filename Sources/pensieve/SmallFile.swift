import Foundation

/// Files that people write by hand: configurations and keys.
enum SmallFile {
    private static let maxBytes = 1 << 20

    /// Reads a whole file of at most 1 MiB.
    /// - Throws: `ConfigurationError` that says what is in the way: no such file, a folder, no permission, the size.
    static func read(_ path: String, what: String) throws(ConfigurationError) -> Data {
        func failure(_ reason: String) -> ConfigurationError {
            ConfigurationError("cannot read the \(what) '\(path)': \(reason)")
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw failure("there is no such file")
        }
        guard !isFolder.boolValue else { throw failure("it is a folder") }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw failure("no permission") }
        let data: Data?
        // One byte more than allowed shows a file that is too long, and a device that never ends.
        do { data = try handle.read(upToCount: maxBytes + 1) } catch { throw failure("\(error.localizedDescription)") }
        guard let data, data.count <= maxBytes else {
            throw failure(data == nil ? "it is empty" : "it has more than 1 MiB")
        }
        return data
    }
}
