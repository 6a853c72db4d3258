import EngineContract

/// The slots of state memory: which are free, which sessions have, and which hold snapshots.
///
/// A snapshot is the state at the end of a cached block. It is found through the block, and goes with it. A slot has a
/// reference for the snapshot in it, and one for each session that has it or is to begin from it: it is free again when the
/// last one is given back.
struct StateSlots {
    private struct Snapshot {
        var slot: StateSlot
        /// When a session last began from it, or it was taken.
        var lastUse: Int
        var uses = 0
    }

    private var references: [Int]
    private var free: [StateSlot]
    private var snapshots: [BlockIndex: Snapshot] = [:]
    private var time = 0
    /// Slots given out since their memory was last given back to the system, and the tick of their last use.
    private var isTouched: [Bool]
    private var lastTick: [Int32]
    private var now: Int32 = 0

    init(count: Int) {
        let count = max(0, count)
        references = Array(repeating: 0, count: count)
        free = (0..<StateSlot(clamping: count)).reversed()
        isTouched = Array(repeating: false, count: count)
        lastTick = Array(repeating: 0, count: count)
    }

    var count: Int { references.count }
    var snapshotCount: Int { snapshots.count }
    /// Slots that sessions have, whose states move on.
    var sessionCount: Int { count - free.count - snapshots.count }
    /// Slots that can be given out: free ones, and those of snapshots that nobody is about to begin from.
    var availableCount: Int { free.count + snapshots.values.count { references[Int($0.slot)] == 1 } }

    /// A free slot, or that of the least recently used snapshot that nobody is about to begin from; with one reference.
    mutating func take() -> StateSlot? {
        if free.isEmpty {
            let idle = snapshots.filter { references[Int($0.value.slot)] == 1 }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
            remove(oldest.key)
        }
        guard let slot = free.popLast() else { return nil }
        references[Int(slot)] = 1
        isTouched[Int(slot)] = true
        return slot
    }

    mutating func retain(_ slot: StateSlot) { references[Int(slot)] += 1 }

    mutating func release(_ slot: StateSlot) {
        references[Int(slot)] -= 1
        guard references[Int(slot)] == 0 else { return }
        lastTick[Int(slot)] = now
        free.append(slot)
    }

    // MARK: Snapshots

    func hasSnapshot(at block: BlockIndex) -> Bool { snapshots[block] != nil }

    /// The slot of the snapshot at the end of a block.
    func slot(at block: BlockIndex) -> StateSlot? { snapshots[block]?.slot }

    /// The blocks that have a snapshot at their end, that used last first.
    var blocksByUse: [BlockIndex] { snapshots.sorted { $0.value.lastUse > $1.value.lastUse }.map(\.key) }

    /// The slot of the snapshot at the end of a block, with one more reference: a session is to begin from it.
    mutating func use(_ block: BlockIndex) -> StateSlot? {
        guard let slot = snapshots[block]?.slot else { return nil }
        time += 1
        snapshots[block]?.lastUse = time
        snapshots[block]?.uses += 1
        retain(slot)
        return slot
    }

    /// Makes the contents of a slot, whose reference it takes over, the snapshot at the end of a block; if that has one
    /// already, the two are equal, and the slot is given back.
    mutating func keep(_ slot: StateSlot, at block: BlockIndex) {
        time += 1
        guard snapshots[block] == nil else {
            snapshots[block]?.lastUse = time
            release(slot)
            return
        }
        snapshots[block] = Snapshot(slot: slot, lastUse: time)
    }

    /// Gives up the snapshot at the end of a block, if there is one.
    mutating func remove(_ block: BlockIndex) {
        guard let snapshot = snapshots.removeValue(forKey: block) else { return }
        release(snapshot.slot)
    }

    /// Gives up a snapshot in favour of a later one of the same text, unless somebody has begun from it.
    mutating func replace(_ block: BlockIndex, in slot: StateSlot) {
        guard let snapshot = snapshots[block], snapshot.slot == slot, snapshot.uses == 0 else { return }
        remove(block)
    }

    // MARK: Idle memory

    mutating func advanceTick() { now &+= 1 }

    /// Whether there are free slots whose memory the system could have back.
    var hasIdleFree: Bool { free.contains { isTouched[Int($0)] } }

    /// The slots that have been free for more than `ticks` ticks; their memory counts as given back from now on.
    mutating func takeIdleFree(since ticks: Int) -> [StateSlot] {
        let idle = free.filter { isTouched[Int($0)] && Int(now &- lastTick[Int($0)]) > ticks }
        for slot in idle { isTouched[Int(slot)] = false }
        return idle
    }

    // MARK: Looking

    /// What is inconsistent, or nil if nothing is.
    /// - Parameters:
    ///   - held: the slots of all sessions, each as often as it is held.
    ///   - cached: the blocks that can be found.
    func problem(held: [StateSlot], cached: Set<BlockIndex>) -> String? {
        var counts = [Int](repeating: 0, count: count)
        for slot in held { counts[Int(slot)] += 1 }
        for snapshot in snapshots.values { counts[Int(snapshot.slot)] += 1 }
        if let slot = counts.indices.first(where: { counts[$0] != references[$0] }) {
            return "state slot \(slot) has \(references[slot]) references, and \(counts[slot]) are known"
        }
        let freeSlots = Set(free)
        guard freeSlots.count == free.count, free.allSatisfy({ references[Int($0)] == 0 }),
            counts.count(where: { $0 == 0 }) == free.count
        else { return "the free state slots are not those without references" }
        if let block = snapshots.keys.first(where: { !cached.contains($0) }) {
            return "block \(block) has a snapshot, but cannot be found"
        }
        return nil
    }
}
