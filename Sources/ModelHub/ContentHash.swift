import Hashing

/// The hash by which a hub identifies a file's content; also the name of its blob in the cache.
package enum ContentHash: Sendable, Hashable {
    /// Large files (git LFS): SHA-256 of the bytes.
    case sha256(String)
    /// Files in git itself: SHA-1 of `blob <length>\0` and the bytes.
    case gitBlob(String)

    /// Parses an entity tag: `"…"` or `W/"…"` of 64 or 40 hexadecimal digits; nil for anything else.
    package init?(entityTag: String) {
        var text = entityTag[...]
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.count >= 2 { text = text.dropFirst().dropLast() }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        switch text.utf8.count {
        case 64: self = .sha256(String(text))
        case 40: self = .gitBlob(String(text))
        default: return nil
        }
    }

    package var hexadecimal: String {
        switch self {
        case .sha256(let digits), .gitBlob(let digits): digits
        }
    }

    /// A hasher for a file of `size` bytes.
    func hasher(size: Int) -> ContentHasher {
        switch self {
        case .sha256: return .sha256(SHA256())
        case .gitBlob:
            var hash = SHA1()
            Array("blob \(size)\0".utf8).withUnsafeBytes { hash.update($0) }
            return .gitBlob(hash)
        }
    }
}

/// An incremental content hash.
enum ContentHasher: Sendable {
    case sha256(SHA256)
    case gitBlob(SHA1)

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .sha256(var hash):
            self = .sha256(SHA256())
            hash.update(bytes)
            self = .sha256(hash)
        case .gitBlob(var hash):
            self = .gitBlob(SHA1())
            hash.update(bytes)
            self = .gitBlob(hash)
        }
    }

    mutating func finish() -> String {
        switch self {
        case .sha256(var hash): hash.finish()
        case .gitBlob(var hash): hash.finish()
        }
    }
}
