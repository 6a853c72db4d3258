import ModelFiles

/// The integers to which the inputs of quantised matmul are rounded, in groups with a scale each.
package enum Activations: String, Sendable, CaseIterable {
    /// 8 bits: fastest. What llama.cpp and others do.
    case int8
    /// 15 bits for the groups that stand out in their token's row, which cause most of the error of 8 bits, and 8 for the
    /// others: nearly as fast as `int8`.
    case mixed
    /// 15 bits in two planes: errors of float rounding's order, at up to twice the cost in large batches.
    case int15

    /// What an engine uses that is not told otherwise.
    package static let standard = Activations.mixed
}

/// How an engine uses the machine.
package struct EngineOptions: Sendable {
    /// Compute threads; nil is one for each core.
    package var threads: Int?
    /// Bytes of KV memory, and of state memory where a model has recurrent layers; nil is chosen from free memory.
    package var kvMemoryBytes: Int?
    /// How keys and values are stored; nil is `f32` if `precise`, else the standard one.
    package var kvType: KVType?
    /// Float32 matmul by OpenBLAS, whatever the weights' form: slower, for comparison.
    package var precise: Bool
    /// How exactly quantised matmul sees its inputs.
    package var activations: Activations
    /// One of `kernelNames`; nil: the fastest that this CPU has.
    package var kernels: String?
    /// Tokens in a KV block: a multiple of 16.
    package var blockSize: Int
    /// The most tokens a session may hold, if less than what the model can.
    package var contextLimit: Int?
    /// Slots of state memory; nil is chosen from `kvMemoryBytes` or free memory.
    package var stateSlots: Int?

    package init(
        threads: Int? = nil,
        kvMemoryBytes: Int? = nil,
        kvType: KVType? = nil,
        precise: Bool = false,
        activations: Activations = .standard,
        kernels: String? = nil,
        blockSize: Int = 16,
        contextLimit: Int? = nil,
        stateSlots: Int? = nil
    ) {
        self.threads = threads
        self.kvMemoryBytes = kvMemoryBytes
        self.kvType = kvType
        self.precise = precise
        self.activations = activations
        self.kernels = kernels
        self.blockSize = blockSize
        self.contextLimit = contextLimit
        self.stateSlots = stateSlots
    }
}

extension EngineOptions {
    package var chosenKVType: KVType { kvType ?? (precise ? .f32 : .standard) }
}

/// How long a session may be, and how many KV blocks there are.
struct KVPlan: Equatable {
    static let maxContext = 131_072
    /// More full contexts than this are never of use.
    static let maxSessions = 64
    /// Enough for many sessions of usual length. More is for who asks for it: the rest of memory may be somebody else's.
    static let usualTokens = 65_536

    var contextLength: Int
    var blockCount: Int

    /// Without a size from the options, the pool is for some tens of thousands of tokens, or one full context if that is
    /// more; but for at most 64 contexts, and not more than a quarter of free memory, half of it if one full context needs
    /// that. Where the pool is smaller than a full context, sessions are shorter.
    init(
        contextLength limit: Int,
        shape: KVShape,
        options: EngineOptions,
        freeMemory: Int
    ) throws(ModelError) {
        guard 16...4096 ~= shape.blockSize, shape.blockSize % 16 == 0 else {
            throw ModelError("KV blocks of \(shape.blockSize) tokens; a multiple of 16 up to 4096 is expected")
        }
        // The length of a text would have no bound.
        guard shape.blockBytes > 0 else {
            throw ModelError("a model of which no layer has keys and values is not supported")
        }
        if let limit = options.contextLimit, limit < 1 {
            throw ModelError("a context limit of \(limit) tokens; at least 1 is expected")
        }
        let context = min(limit, options.contextLimit ?? Self.maxContext)
        let blocksPerContext = (context + shape.blockSize - 1) / shape.blockSize
        let blocks: Int
        if let bytes = options.kvMemoryBytes {
            blocks = bytes / shape.blockBytes
        } else {
            let quarter = freeMemory / 4 / shape.blockBytes
            let least = blocksPerContext <= freeMemory / 2 / shape.blockBytes ? blocksPerContext : 0
            let usual = max(Self.usualTokens / shape.blockSize, blocksPerContext)
            blocks = max(least, min(quarter, usual, blocksPerContext * Self.maxSessions))
        }
        guard blocks >= 1 else {
            throw ModelError(
                "KV memory of \(options.kvMemoryBytes ?? freeMemory / 4) bytes is less than one block of "
                    + "\(shape.blockSize) tokens, \(shape.blockBytes) bytes"
            )
        }
        blockCount = min(blocks, Int(Int32.max))
        contextLength = min(context, blockCount * shape.blockSize)
    }
}

/// How many slots of state memory there are.
struct StatePlan: Equatable {
    /// A running session takes one, a snapshot another; more than this are never of use.
    static let mostSlots = 64

    var slotCount: Int
    /// What is left of the options' KV memory.
    var kvMemoryBytes: Int?

    /// Without a number from the options, half of the KV memory that they ask for, or an eighth of free memory, as far as
    /// that is of use; one slot in any case, without which there is no session.
    init(slotBytes: Int, options: EngineOptions, freeMemory: Int) throws(ModelError) {
        let most = (options.kvMemoryBytes.map { $0 / 2 } ?? freeMemory / 8) / slotBytes
        slotCount = options.stateSlots ?? max(1, min(Self.mostSlots, most))
        guard 1...65_536 ~= slotCount else {
            throw ModelError("\(slotCount) slots of state memory; 1 to 65,536 are possible")
        }
        kvMemoryBytes = options.kvMemoryBytes.map { max(0, $0 - slotCount * slotBytes) }
    }
}
