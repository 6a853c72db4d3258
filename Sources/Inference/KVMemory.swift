import CKernels
import ModelFiles
import Platform

/// The keys and values of all sessions: one piece of memory of fixed size, allocated once and touched as it is used.
///
///     block                    blockSize positions of one session, all layers
///       layer of attention     tiles of 16 positions
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

    /// Gives the memory of blocks back to the system, whole pages of it, which are zeros when they are next used.
    func release(_ blocks: [Int]) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let sorted = blocks.sorted()
        var index = 0
        while index < sorted.count {
            let first = sorted[index]
            precondition(0..<blockCount ~= first, "no such block")
            var end = first
            // Side by side they have more whole pages.
            while index < sorted.count, sorted[index] <= end {
                end = sorted[index] + 1
                index += 1
            }
            precondition(end <= blockCount, "no such block")
            let start = (first * shape.blockBytes + page - 1) / page * page
            let bytes = end * shape.blockBytes / page * page - start
            if bytes > 0 { madvise(memory.baseAddress.map { $0 + start }, bytes, MADV_DONTNEED) }
        }
    }

    /// What the kernels need to find the positions of one of the layers of attention.
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
    /// Those of attention.
    var layers: Int
    var heads: Int
    var headSize: Int
    /// Positions in a block: a multiple of 16.
    var blockSize: Int
    var type: KVType

    var bytesPerToken: Int { layers * heads * ck_kv_position_bytes(type.kernelType, Int32(headSize)) }
    var blockBytes: Int { bytesPerToken * blockSize }
}

extension KVShape {
    init(_ model: TransformerDescription, blockSize: Int, type: KVType) {
        self.init(
            layers: model.attentionLayerCount,
            heads: model.heads.kvCount,
            headSize: model.heads.size,
            blockSize: blockSize,
            type: type
        )
    }
}

extension TransformerDescription {
    /// Bytes of KV memory that each token of a session takes.
    package func kvBytesPerToken(_ type: KVType) -> Int {
        KVShape(self, blockSize: 16, type: type).bytesPerToken
    }
}
