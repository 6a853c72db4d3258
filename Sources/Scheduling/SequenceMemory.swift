import EngineContract

/// What a running sequence has of state memory.
struct SequenceMemory {
    /// A snapshot that the next step takes.
    struct Planned {
        var slot: StateSlot
        /// The number of blocks before it.
        var border: Int
    }

    /// Holds the state after the computed tokens, once a step has written it.
    var slot: StateSlot?
    /// Where the next step finds the state: in `slot`, or in a snapshot's slot; nil: at the beginning of the text.
    var source: StateSlot?
    /// The block at whose end the snapshot is that the sequence was last given.
    var sourceBlock: BlockIndex?
    var planned: [Planned] = []
    /// Takes the state before drafts, for the case that one of them is wrong.
    var beforeDrafts: StateSlot?
    /// Takes a state that comes from a store.
    var restored: StateSlot?
    /// The last snapshot taken of the answer: the block at whose end it is, and its slot.
    var ofAnswer: (block: BlockIndex, slot: StateSlot)?

    /// The slots that the sequence has a reference to.
    var held: [StateSlot] {
        let source = source == slot ? nil : source
        return [slot, source, beforeDrafts, restored].compactMap(\.self) + planned.map(\.slot)
    }
}

/// Where along a prompt snapshots are worth their memory, in numbers of blocks.
struct SnapshotBorders {
    /// So many tokens at the end of a prompt, where a turn begins, may be others when the next request repeats the prompt.
    static let tail = 8
    /// The fewest tokens between two snapshots within a prompt.
    static let interval = 512
    /// The most snapshots within a prompt.
    static let most = 8

    private(set) var borders: [Int] = []
    /// Those of them that the prompt has by itself.
    private(set) var own: [Int] = []

    /// - Parameter slots: of state memory.
    init(promptTokens: Int, blockSize: Int, slots: Int) {
        let last = max(0, promptTokens - Self.tail) / blockSize
        let most = min(Self.most, slots / 8)
        if most > 0 {
            // Powers of two: texts of about the same length that begin alike have borders in common.
            var interval = Self.interval
            while interval * most < promptTokens { interval *= 2 }
            let blocks = max(1, interval / blockSize)
            borders = Array(stride(from: blocks, to: last, by: blocks))
        }
        if last > 0 { borders.append(last) }
        own = borders
    }

    mutating func insert(_ border: Int) {
        guard border > 0, !borders.contains(border) else { return }
        borders.append(border)
        borders.sort()
    }
}
