import Foundation
import Hashing

/// Writing one file whole or not at all, and reading it or nothing.
enum BlockFile {
    /// - Returns: whether the file is in its place.
    static func write(_ head: [UInt8], _ contents: [UInt8], to path: String) -> Bool {
        let draft = "\(path).\(getpid())\(FileIndex.draftEnding)"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        let isWhole = [head, contents, hash(head, contents)].allSatisfy { write($0, to: descriptor) }
        // What the disk loses in a crash, the hash tells: no need to wait for it.
        guard close(descriptor) == 0, isWhole, rename(draft, path) == 0 else {
            unlink(draft)
            return false
        }
        return true
    }

    /// - Returns: the contents; nil unless the file has this head, as many bytes, and the right hash.
    static func read(_ path: String, head: [UInt8], contentBytes: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            Int(information.st_size) == head.count + contentBytes + BlockForm.hashBytes,
            read(head.count, from: descriptor) == head,
            let contents = read(contentBytes, from: descriptor),
            read(BlockForm.hashBytes, from: descriptor) == hash(head, contents)
        else { return nil }
        return contents
    }

    private static func hash(_ head: [UInt8], _ contents: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        head.withUnsafeBytes { hash.update($0) }
        contents.withUnsafeBytes { hash.update($0) }
        return Array(hash.finish().utf8)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private static func read(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = Foundation.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                filled += got
            }
        }
        return bytes.count == count ? bytes : nil
    }
}
