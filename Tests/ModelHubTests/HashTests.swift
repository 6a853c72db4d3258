import CKernels
import Support
import Testing

@testable import Hashing
@testable import ModelHub

@Suite struct HashTests {
    private static let million = String(repeating: "a", count: 1_000_000)

    @Test(
        "SHA-256 gives the digests of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ]
    )
    func sha256(_ text: String, _ digest: String) {
        var hash = SHA256()
        Array(text.utf8).withUnsafeBytes { hash.update($0) }
        #expect(hash.finish() == digest)
    }

    @Test(
        "SHA-1 gives the digests of FIPS 180-4",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
        ]
    )
    func sha1(_ text: String, _ digest: String) {
        var hash = SHA1()
        Array(text.utf8).withUnsafeBytes { hash.update($0) }
        #expect(hash.finish() == digest)
    }

    @Test("A git blob's hash is the one that git computes")
    func gitBlob() throws {
        let names = [
            "": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "hello\n": "ce013625030ba8dba906f756967f9e9ca394464a",
        ]
        for (text, name) in names {
            var hasher = try #require(ContentHash(entityTag: "W/\"\(name)\"")).hasher(size: text.utf8.count)
            Array(text.utf8).withUnsafeBytes { hasher.update($0) }
            #expect(hasher.finish() == name)
        }
    }

    @Test("Hashes do not depend on how the bytes are split, nor on the implementation")
    func pieces() {
        var generator = SeededGenerator(seed: 1)
        for count in [55, 56, 63, 64, 65, 119, 120, 1000, 4096] {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            var (whole, cut) = (SHA256(), SHA256())
            bytes.withUnsafeBytes { whole.update($0) }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 1...100, using: &generator)))
                piece.withUnsafeBytes { cut.update($0) }
                rest = rest.dropFirst(piece.count)
            }
            #expect(whole.finish() == cut.finish())
            var (fast, plain) = ([UInt32](1...8), [UInt32](1...8))
            ck_sha256_compress(&fast, bytes, count / 64)
            ck_sha256_compress_scalar(&plain, bytes, count / 64)
            #expect(fast == plain)
        }
    }

    @Test(
        "An entity tag that is not a hash is rejected",
        arguments: ["", "\"\"", "abc", "\"../../etc\"", "\"ABCDEF\""]
    )
    func entityTags(_ text: String) {
        #expect(ContentHash(entityTag: text) == nil)
    }
}
