import CKernels
import Glibc
package import ModelFiles

/// The keys and values of all sessions: one piece of memory of fixed size, allocated once and touched as it is used.
///
///     block                    blockSize positions of one session, all layers
///       layer                  tiles of 16 positions
///         tile, head           keys and values, as kv.h of the kernels has them
///
/// What a block holds is its bytes and nothing else: it may be copied to another block, or to an engine of the same shape.
/// Used from the engine's thread only. Block indices are checked before a step begins.
final class KVMemory {
    let shape: KVShape
    let blockCount: Int
    private let memory: UnsafeMutableRawBufferPointer

    init(shape: KVShape, blockCount: Int) throws(ModelError) {
        let (bytes, overflow) = shape.blockBytes.multipliedReportingOverflow(by: blockCount)
        guard blockCount > 0, !overflow, blockCount <= Int32.max else {
            throw ModelError("KV memory of \(blockCount) blocks of \(shape.blockBytes) bytes is out of range")
        }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw ModelError("KV memory of \(bytes) bytes cannot be allocated: \(String(cString: strerror(errno)))")
        }
        // Each tile of a head lies in another block: with small pages, nearly each would cost a walk through their tables.
        madvise(start, bytes, MADV_HUGEPAGE)
        self.shape = shape
        self.blockCount = blockCount
        memory = UnsafeMutableRawBufferPointer(start: start, count: bytes)
    }

    deinit { munmap(memory.baseAddress, memory.count) }

    var byteCount: Int { memory.count }

    /// All that a block holds.
    func contents(of block: Int) -> UnsafeMutableRawBufferPointer {
        precondition(0..<blockCount ~= block, "no such block")
        return UnsafeMutableRawBufferPointer(
            rebasing: memory[(block * shape.blockBytes)..<((block + 1) * shape.blockBytes)]
        )
    }

    /// What the kernels need to find the positions of one layer.
    func view(layer: Int) -> ck_kv {
        precondition(0..<shape.layers ~= layer, "no such layer")
        return ck_kv(
            memory: memory.baseAddress?.assumingMemoryBound(to: UInt8.self),
            block_bytes: shape.blockBytes,
            layer_offset: layer * (shape.blockBytes / shape.layers),
            type: shape.type.kernelType,
            tiles_per_block: Int32(shape.blockSize / 16),
            kv_heads: Int32(shape.heads),
            head_size: Int32(shape.headSize)
        )
    }
}

/// What of a model's shape its keys and values depend on.
struct KVShape: Sendable, Equatable {
    var layers: Int
    var heads: Int
    var headSize: Int
    /// Positions in a block: a multiple of 16.
    var blockSize: Int
    var type: KVType

    var bytesPerToken: Int { layers * heads * ck_kv_position_bytes(type.kernelType, Int32(headSize)) }
    var blockBytes: Int { bytesPerToken * blockSize }
}

extension ModelConfiguration {
    /// Bytes of KV memory that each token of a session takes.
    package func kvBytesPerToken(_ type: KVType) -> Int {
        KVShape(layers: layerCount, heads: kvHeadCount, headSize: headSize, blockSize: 16, type: type).bytesPerToken
    }
}
