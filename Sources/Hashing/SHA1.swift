/// SHA-1 (FIPS 180-4), by which git names blobs. It does not protect against forgery, but hubs offer no other hash for
/// the small files that they keep in git.
package struct SHA1: Sendable {
    private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    private var blocks = BlockBuffer()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        blocks.append(bytes) { blocks in
            for start in stride(from: 0, to: blocks.count, by: 64) {
                Self.compress(&state, UnsafeRawBufferPointer(rebasing: blocks[start..<start + 64]))
            }
        }
    }

    /// The digest in lower-case hexadecimal.
    package mutating func finish() -> String {
        let padding = blocks.padding()
        padding.withUnsafeBytes { update($0) }
        return state.hexadecimal
    }

    private static func compress(_ state: inout [UInt32], _ block: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
            for t in 0..<16 {
                w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
            }
            for t in 16..<80 { w[t] = (w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotated(1) }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for t in 0..<80 {
                let mixed: UInt32
                switch t {
                case ..<20: mixed = ((b & c) ^ (~b & d)) &+ 0x5a82_7999
                case ..<40: mixed = (b ^ c ^ d) &+ 0x6ed9_eba1
                case ..<60: mixed = ((b & c) ^ (b & d) ^ (c & d)) &+ 0x8f1b_bcdc
                default: mixed = (b ^ c ^ d) &+ 0xca62_c1d6
                }
                (e, d, c, b, a) = (d, c, b.rotated(30), a, a.rotated(5) &+ mixed &+ e &+ w[t])
            }
            for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
        }
    }
}

extension UInt32 {
    fileprivate func rotated(_ bits: UInt32) -> UInt32 { self << bits | self >> (32 - bits) }
}
