import EngineContract
import Hashing
import Scheduling

/// How blocks of one model are named and laid out in files.
///
///     8        magic and version
///     64       name of the parent, or of the identity
///     4, 8     number of tokens, number of bytes in the contents; little-endian, as all
///     4 each   tokens
///     …        contents
///     64       SHA-256 of all before, in hexadecimal
struct BlockForm: Sendable {
    /// Another form, another version: files of this one are then foreign.
    private static let magic = Array("pensKV01".utf8)
    static let hashBytes = 64

    let contentBytes: Int
    private let blockTokens: Int
    /// A hash of the identity, which stands for the parent of first blocks.
    private let root: String

    init(identity: String, blockTokens: Int, contentBytes: Int) {
        root = Self.hash(Array(identity.utf8))
        self.blockTokens = max(1, blockTokens)
        self.contentBytes = max(1, contentBytes)
    }

    private var headBytes: Int { Self.magic.count + root.utf8.count + 4 + 8 + 4 * blockTokens }
    var fileBytes: Int { headBytes + contentBytes + Self.hashBytes }

    /// A hash over the parent's name, so over all that is before the block and over the identity, and its tokens.
    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        Self.hash(Array((parent ?? root).utf8) + tokens.withUnsafeBytes(Array.init))
    }

    /// What a block's file begins with.
    func head(of block: StoredBlock) -> [UInt8] {
        var head = Self.magic
        head += (block.parent ?? root).utf8
        withUnsafeBytes(of: UInt32(clamping: block.tokens.count).littleEndian) { head += $0 }
        withUnsafeBytes(of: UInt64(clamping: contentBytes).littleEndian) { head += $0 }
        block.tokens.withUnsafeBytes { head += $0 }
        return head
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
