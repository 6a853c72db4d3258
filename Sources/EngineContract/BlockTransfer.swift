/// An engine whose KV blocks, and states where its model has any, can be kept outside of it and put back, in this process or
/// a later one.
package protocol BlockTransfer: InferenceEngine {
    /// Names everything but tokens that the contents of blocks and states depend on: the model, how it is computed, how they
    /// are laid out. Those of an engine with another identity mean nothing to this one.
    nonisolated var blockIdentity: String { get }
    /// Bytes in a block.
    nonisolated var blockBytes: Int { get }

    /// A copy of a block's contents.
    /// - Throws: `EngineError` if there is no such block.
    func contents(of block: BlockIndex) async throws(EngineError) -> [UInt8]

    /// Gives blocks contents that `contents(of:)` gave before. No step may run meanwhile that sees them.
    /// - Throws: `EngineError` if there is no such block or the size is wrong; nothing is changed then.
    func restore(_ blocks: [RestoredBlock]) async throws(EngineError)

    /// A copy of what a slot of state memory holds.
    /// - Throws: `EngineError` if there is no such slot.
    func contents(ofState slot: StateSlot) async throws(EngineError) -> [UInt8]

    /// Gives a slot what `contents(ofState:)` gave before. No step may run meanwhile that sees it.
    /// - Throws: `EngineError` if there is no such slot or the size is wrong; nothing is changed then.
    func restore(state slot: StateSlot, _ contents: [UInt8]) async throws(EngineError)
}

/// A block and what it is to hold.
package struct RestoredBlock: Sendable {
    package var block: BlockIndex
    package var contents: [UInt8]

    package init(block: BlockIndex, contents: [UInt8]) {
        self.block = block
        self.contents = contents
    }
}
