import CKernels

/// Incremental SHA-256 (FIPS 180-4).
package struct SHA256: Sendable {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var blocks = BlockBuffer()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        blocks.append(bytes) { blocks in
            ck_sha256_compress(&state, blocks.assumingMemoryBound(to: UInt8.self).baseAddress, blocks.count / 64)
        }
    }

    /// The digest in lower-case hexadecimal.
    package mutating func finish() -> String {
        let padding = blocks.padding()
        padding.withUnsafeBytes { update($0) }
        return state.hexadecimal
    }
}

/// Cuts input into blocks of 64 bytes for SHA-1 and SHA-256.
struct BlockBuffer {
    private var partial: [UInt8] = []
    private var byteCount: UInt64 = 0

    /// Compresses whole blocks and keeps the rest.
    mutating func append(_ bytes: UnsafeRawBufferPointer, compress: (UnsafeRawBufferPointer) -> Void) {
        byteCount += UInt64(bytes.count)
        var rest = bytes[...]
        if !partial.isEmpty {
            let missing = rest.prefix(64 - partial.count)
            partial += missing
            rest = rest.dropFirst(missing.count)
            guard partial.count == 64 else { return }
            partial.withUnsafeBytes(compress)
            partial.removeAll(keepingCapacity: true)
        }
        let whole = rest.count / 64 * 64
        if whole > 0 { compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole))) }
        partial += rest.dropFirst(whole)
    }

    /// The padding to a multiple of 64 bytes: a one bit, zeros, and the length in bits as 64 bits.
    func padding() -> [UInt8] {
        let zeros = (119 - Int(byteCount % 64)) % 64
        return [0x80] + [UInt8](repeating: 0, count: zeros) + (byteCount &* 8).bigEndianBytes
    }
}

extension UInt64 {
    fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

extension [UInt32] {
    /// The words in hexadecimal, most significant digit first.
    var hexadecimal: String {
        map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
