import CKernels

/// How keys and values are stored.
package enum KVType: String, Sendable, CaseIterable {
    case f32, f16, bf16
    /// Bytes, with a float scale for each head and token.
    case int8

    /// What an engine uses that is not told otherwise.
    package static let standard = KVType.int8

    var kernelType: ck_kv_type {
        switch self {
        case .f32: CK_KV_F32
        case .f16: CK_KV_F16
        case .bf16: CK_KV_BF16
        case .int8: CK_KV_INT8
        }
    }
}
