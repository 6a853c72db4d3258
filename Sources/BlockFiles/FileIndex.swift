import Foundation
import Platform

/// Which blocks are in a folder, how large their files are, and which was used last.
struct FileIndex: Sendable {
    static let ending = ".kvblock"
    static let draftEnding = ".draft"
    /// Whoever writes a draft for so long writes it no more.
    private static let draftSeconds = 3600

    private struct File {
        var bytes: Int
        var lastUse: Int
    }

    private var files: [String: File] = [:]
    /// The files by their last use, so that the oldest is found without a look at all.
    private var names: [Int: String] = [:]
    private var bytes = 0
    private var uses = 0
    /// No file was last used before this.
    private var firstUse = 0

    /// Finds the files of earlier processes, and removes what they left half done. Whatever else is in the folder is none
    /// of ours.
    init(folder: String) {
        var found: [(name: String, bytes: Int, time: (Int, Int))] = []
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let isDraft = entry.hasSuffix(Self.draftEnding) && entry.contains(Self.ending + ".")
            guard isDraft || Self.isName(entry.dropLast(Self.ending.count)) && entry.hasSuffix(Self.ending) else {
                continue
            }
            var information = stat()
            guard lstat(folder + "/" + entry, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            let time = (information.modificationTime.tv_sec, information.modificationTime.tv_nsec)
            if !isDraft {
                found.append((String(entry.dropLast(Self.ending.count)), Int(information.st_size), time))
            } else if time.0 + Self.draftSeconds < Foundation.time(nil) {
                unlink(folder + "/" + entry)
            }
        }
        for file in found.sorted(by: { $0.time < $1.time }) { add(file.name, bytes: file.bytes) }
    }

    private static func isName(_ text: Substring) -> Bool {
        text.utf8.count == BlockForm.hashBytes && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    func contains(_ name: String) -> Bool { files[name] != nil }

    mutating func add(_ name: String, bytes: Int) {
        remove(name)
        uses += 1
        files[name] = File(bytes: bytes, lastUse: uses)
        names[uses] = name
        self.bytes += bytes
    }

    /// - Returns: whether there is such a file.
    mutating func use(_ name: String) -> Bool {
        guard let file = files[name] else { return false }
        add(name, bytes: file.bytes)
        return true
    }

    mutating func remove(_ name: String) {
        guard let file = files.removeValue(forKey: name) else { return }
        names[file.lastUse] = nil
        bytes -= file.bytes
    }

    /// Forgets the file that was not used for longest, if all together have more bytes than this.
    /// - Returns: its name.
    mutating func removeOldest(ifOver limit: Int) -> String? {
        guard bytes > limit, !files.isEmpty else { return nil }
        while firstUse < uses, names[firstUse] == nil { firstUse += 1 }
        guard let oldest = names[firstUse] else { return nil }
        remove(oldest)
        return oldest
    }
}
