import Foundation
import Platform
import Scheduling

/// The files of blocks and states in a folder with their sizes, in order of last use (LRU).
struct BlockFileIndex: Sendable {
    static let temporarySuffix = ".draft"
    /// An older temporary file was left behind by a process that ended.
    private static let maxTemporaryAge = 3600
    /// A file counts as this at most: one with holes may be of any size, and the sum must not overflow.
    private static let maxFileBytes = 1 << 40

    private struct File {
        var bytes: Int
        var lastUse: Int
        /// Whether it could not be read: it takes room until it is removed or written anew.
        var isHidden = false
    }

    private var files: [String: File] = [:]
    /// The names by last use, so that the least recently used file is found without a scan.
    private var names: [Int: String] = [:]
    private var bytes = 0
    private var uses = 0
    /// No file's last use is before this.
    private var firstUse = 0

    /// Finds the files of earlier processes and removes their old temporary files. Other files are left alone.
    init(folder: String) {
        var found: [(name: String, bytes: Int, time: (Int, Int))] = []
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let isTemporary =
                entry.hasSuffix(Self.temporarySuffix)
                && StoredPart.allCases.contains { entry.contains(Self.suffix($0) + ".") }
            guard isTemporary || StoredPart.allCases.contains(where: { Self.isFile(entry, of: $0) }) else { continue }
            var information = stat()
            guard lstat(folder + "/" + entry, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            let time = (information.modificationTime.tv_sec, information.modificationTime.tv_nsec)
            if !isTemporary {
                found.append((entry, min(Int(information.st_size), Self.maxFileBytes), time))
            } else if time.0 < Foundation.time(nil) - Self.maxTemporaryAge {
                unlink(folder + "/" + entry)
            }
        }
        for file in found.sorted(by: { $0.time < $1.time }) { add(file.name, bytes: file.bytes) }
    }

    private static func suffix(_ part: StoredPart) -> String {
        switch part {
        case .block: ".kvblock"
        case .state: ".kvstate"
        }
    }

    /// The name of the file of a part of a block.
    static func file(_ part: StoredPart, of name: String) -> String { name + suffix(part) }

    private static func isFile(_ entry: String, of part: StoredPart) -> Bool {
        let name = entry.utf8.dropLast(suffix(part).utf8.count)
        return entry.hasSuffix(suffix(part)) && name.count == BlockFileFormat.hashBytes
            && name.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    func contains(_ name: String) -> Bool { files[name]?.isHidden == false }

    /// Lets a file not be found any more.
    mutating func hide(_ name: String) { files[name]?.isHidden = true }

    mutating func add(_ name: String, bytes: Int) {
        remove(name)
        uses += 1
        files[name] = File(bytes: bytes, lastUse: uses)
        names[uses] = name
        self.bytes += bytes
    }

    /// - Returns: whether there is such a file.
    mutating func use(_ name: String) -> Bool {
        guard let file = files[name], !file.isHidden else { return false }
        add(name, bytes: file.bytes)
        return true
    }

    mutating func remove(_ name: String) {
        guard let file = files.removeValue(forKey: name) else { return }
        names[file.lastUse] = nil
        bytes -= file.bytes
    }

    /// Removes the least recently used file from the index if all files together exceed `limit` bytes.
    /// - Returns: its name, for the caller to delete; nil if none was removed.
    mutating func removeOldest(ifOver limit: Int) -> String? {
        guard bytes > limit, !files.isEmpty else { return nil }
        while firstUse < uses, names[firstUse] == nil { firstUse += 1 }
        guard let oldest = names[firstUse] else { return nil }
        remove(oldest)
        return oldest
    }
}
