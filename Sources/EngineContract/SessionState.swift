/// The index of one slot of state memory: what the recurrent layers of a model keep of one session, or of a text that
/// several may continue. Its size does not depend on the length.
package typealias StateSlot = Int32

/// What a step does with a session's state, in models that have one.
package struct StateUse: Sendable, Equatable {
    /// A copy of the state on the way.
    package struct Snapshot: Sendable, Equatable {
        package var slot: StateSlot
        /// After how many of the entry's tokens; at least 1.
        package var tokens: Int

        package init(slot: StateSlot, tokens: Int) {
            self.slot = slot
            self.tokens = tokens
        }
    }

    /// What holds the state after the entry's tokens then.
    package var slot: StateSlot
    /// What holds the state before them: the same slot, or another, which stays as it is. Nil, and only then, if the entry
    /// begins its text.
    package var source: StateSlot?
    /// In the order of the tokens.
    package var snapshots: [Snapshot]

    package init(slot: StateSlot, source: StateSlot?, snapshots: [Snapshot] = []) {
        self.slot = slot
        self.source = source
        self.snapshots = snapshots
    }

    /// The slots that the step writes.
    package var written: [StateSlot] { [slot] + snapshots.map(\.slot) }
}

/// The state memory of a model with recurrent layers.
package struct StateMemoryDescription: Sendable, Equatable {
    package var slotCount: Int
    package var slotBytes: Int

    package init(slotCount: Int, slotBytes: Int) {
        self.slotCount = slotCount
        self.slotBytes = slotBytes
    }

    package var byteCount: Int { slotCount * slotBytes }
}
