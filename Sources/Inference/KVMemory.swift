import CKernels
import ModelFiles

/// The keys and values of all sessions: one piece of memory of fixed size, allocated once and touched as it is used.
///
///     block                    blockSize positions of one session, all layers that have keys and values of their own
///       layer                  tiles of 16 positions; those of a draft model come last
///         tile, head           keys and values, as kv.h of the kernels has them
///       carried floats         with a draft head, the hidden state of the last computed position, which it goes on from
///
/// What a block holds is its bytes and nothing else: it may be copied to another block, or to an engine of the same shape.
/// Used from the engine's thread only. Block indices are checked before a step begins.
final class KVMemory {
    let shape: KVShape
    let blockCount: Int
    private let memory: ReservedMemory
    /// Where in a block each layer begins.
    private let layerOffsets: [Int]

    init(shape: KVShape, blockCount: Int) throws(ModelError) {
        self.shape = shape
        self.blockCount = blockCount
        layerOffsets = shape.layerOffsets
        memory = try ReservedMemory(count: blockCount, of: shape.blockBytes, "blocks", for: "KV memory")
    }

    var byteCount: Int { memory.bytes.count }

    /// All that a block holds.
    func contents(of block: Int) -> UnsafeMutableRawBufferPointer {
        precondition(0..<blockCount ~= block, "no such block")
        return UnsafeMutableRawBufferPointer(
            rebasing: memory.bytes[(block * shape.blockBytes)..<((block + 1) * shape.blockBytes)]
        )
    }

    /// The floats of the last computed position of a block.
    func carried(by block: Int) -> UnsafeMutablePointer<Float>? {
        let bytes = contents(of: block)
        let start = shape.blockBytes - 4 * shape.carriedFloats
        return bytes.baseAddress.map { ($0 + start).assumingMemoryBound(to: Float.self) }
    }

    /// Gives the memory of blocks back to the system, whole pages of it, which are zeros when they are next used.
    func release(_ blocks: [Int]) {
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
            memory.release(first * shape.blockBytes..<end * shape.blockBytes)
        }
    }

    /// What the kernels need to find the positions of one layer.
    /// - Parameter layer: its place among those of `shape`.
    func view(layer: Int) -> ck_kv {
        precondition(shape.layers.indices ~= layer, "no such layer")
        return ck_kv(
            memory: memory.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            block_bytes: shape.blockBytes,
            layer_offset: layerOffsets[layer],
            type: shape.type.kernelType,
            tiles_per_block: Int32(shape.blockSize / 16),
            kv_heads: Int32(shape.layers[layer].heads),
            head_size: Int32(shape.layers[layer].headSize),
            latent_size: Int32(shape.layers[layer].latentSize)
        )
    }
}

/// What of a model's shape its keys and values depend on.
struct KVShape: Sendable, Equatable {
    /// The keys and values of one layer.
    struct Layer: Sendable, Equatable {
        var heads: Int
        var headSize: Int
        /// With latent attention, the first numbers of keys, which are the values as well; else 0.
        var latentSize = 0
    }

    /// Of the layers that have some of their own, in their order.
    var layers: [Layer]
    /// Positions in a block: a multiple of 16.
    var blockSize: Int
    var type: KVType
    /// Of each block.
    var carriedFloats = 0

    /// With its share of what the block carries.
    var bytesPerToken: Int { (blockBytes + blockSize - 1) / blockSize }
    var blockBytes: Int { layers.reduce(0) { $0 + bytesPerToken(of: $1) } * blockSize + 4 * carriedFloats }

    /// The bytes of a block before each layer.
    var layerOffsets: [Int] {
        var next = 0
        return layers.map { layer in
            defer { next += bytesPerToken(of: layer) * blockSize }
            return next
        }
    }

    private func bytesPerToken(of layer: Layer) -> Int {
        layer.heads * ck_kv_position_bytes(type.kernelType, Int32(layer.headSize), Int32(layer.latentSize))
    }
}

extension KVShape {
    /// - Parameter draft: a model that drafts for this one, whose keys and values are kept beside it.
    init(_ model: TransformerDescription, draft: TransformerDescription? = nil, blockSize: Int, type: KVType) {
        layers = model.kvLayers + (draft?.kvLayers ?? [])
        self.blockSize = blockSize
        self.type = type
        carriedFloats = model.draftHead == nil ? 0 : model.hiddenSize
    }
}

extension TransformerDescription {
    /// The layers that have keys and values of their own.
    fileprivate var kvLayers: [KVShape.Layer] {
        allLayers.compactMap { layer in
            if let latent = layer.latentAttention {
                return KVShape.Layer(heads: 1, headSize: latent.keySize, latentSize: latent.rank)
            }
            guard let attention = layer.attention, attention.sharedLayer == nil else { return nil }
            let heads = heads(of: attention)
            return KVShape.Layer(heads: heads.kvCount, headSize: heads.size)
        }
    }

    /// Bytes of KV memory that each token of a session takes.
    package func kvBytesPerToken(_ type: KVType) -> Int {
        KVShape(self, blockSize: 16, type: type).bytesPerToken
    }
}
