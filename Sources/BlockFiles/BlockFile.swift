import EngineContract
import Foundation
import Hashing
import Scheduling

/// The names and the file layout of one model's blocks and of the states at their ends; integers are little-endian.
///
///     8        magic and version
///     64       name of the parent block, or hash of the identity
///     4, 8     number of tokens, number of bytes of the contents
///     4 each   tokens
///     …        contents
///     64       SHA-256 of everything before, in hexadecimal
struct BlockFileFormat: Sendable {
    static let hashBytes = 64

    private let blockBytes: Int
    /// 0 if the model has no state.
    private let stateBytes: Int
    private let blockTokens: Int
    /// A hash of the identity, which takes the place of the parent's name in a sequence's first block.
    private let root: String

    init(identity: String, blockTokens: Int, blockBytes: Int, stateBytes: Int) {
        root = Self.hash(Array(identity.utf8))
        self.blockTokens = max(1, blockTokens)
        self.blockBytes = max(1, blockBytes)
        self.stateBytes = max(0, stateBytes)
    }

    /// To be changed with the layout: files with another magic are not read.
    private static func magic(_ part: StoredPart) -> [UInt8] {
        switch part {
        case .block: Array("pensKV01".utf8)
        case .state: Array("pensST01".utf8)
        }
    }

    func contentBytes(_ part: StoredPart) -> Int {
        switch part {
        case .block: blockBytes
        case .state: stateBytes
        }
    }

    func fileBytes(_ part: StoredPart) -> Int {
        Self.magic(part).count + root.utf8.count + 4 + 8 + 4 * blockTokens + contentBytes(part) + Self.hashBytes
    }

    /// A hash over the parent's name (hence over all preceding tokens and the identity) and the block's tokens.
    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        Self.hash(Array((parent ?? root).utf8) + tokens.withUnsafeBytes(Array.init))
    }

    /// The head of a file: everything before the contents.
    func head(of block: StoredBlock) -> [UInt8] {
        var head = Self.magic(block.part)
        head += (block.parent ?? root).utf8
        withUnsafeBytes(of: UInt32(clamping: block.tokens.count).littleEndian) { head += $0 }
        withUnsafeBytes(of: UInt64(clamping: contentBytes(block.part)).littleEndian) { head += $0 }
        block.tokens.withUnsafeBytes { head += $0 }
        return head
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}

/// Writes one file atomically, and reads one with verification.
enum BlockFile {
    /// - Returns: whether the file was written.
    static func write(_ head: [UInt8], _ contents: [UInt8], to path: String) -> Bool {
        // Of its own: processes in several containers may have the same number.
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))\(BlockFileIndex.temporarySuffix)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        let isWhole = [head, contents, hash(head, contents)].allSatisfy { write($0, to: descriptor) }
        // No fsync: the hash reveals what was lost in a crash.
        guard close(descriptor) == 0, isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }

    /// What became of reading a file.
    enum Reading {
        case contents([UInt8])
        /// It is not what it should be.
        case wrong
        /// It may be right: there is no descriptor left, say, or the disk has failed.
        case unreadable
    }

    /// Reads the contents, if the file has this head, the expected size and a matching hash.
    static func read(_ path: String, head: [UInt8], contentBytes: Int) -> Reading {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        // A link is no file of ours, and one that is gone is none.
        guard descriptor >= 0 else { return [ELOOP, ENOENT].contains(errno) ? .wrong : .unreadable }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return .unreadable }
        guard information.st_mode & S_IFMT == S_IFREG,
            Int(information.st_size) == head.count + contentBytes + BlockFileFormat.hashBytes
        else { return .wrong }
        guard let ownHead = read(head.count, from: descriptor), let contents = read(contentBytes, from: descriptor),
            let ownHash = read(BlockFileFormat.hashBytes, from: descriptor)
        else { return .unreadable }
        return ownHead == head && ownHash == hash(head, contents) ? .contents(contents) : .wrong
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
