/// An engine whose KV blocks can be kept outside of it and put back, in this process or a later one.
package protocol BlockTransfer: InferenceEngine {
    /// Names everything but tokens that a block's contents depend on: the model, how it is computed, how blocks are laid
    /// out. Blocks of an engine with another identity mean nothing to this one.
    nonisolated var blockIdentity: String { get }
    /// Bytes in a block.
    nonisolated var blockBytes: Int { get }

    /// A copy of a block's contents.
    /// - Throws: `EngineError` if there is no such block.
    func contents(of block: BlockIndex) async throws(EngineError) -> [UInt8]

    /// Gives blocks contents that `contents(of:)` gave before. No step may run meanwhile that sees them.
    /// - Throws: `EngineError` if there is no such block or the size is wrong; nothing is changed then.
    func restore(_ blocks: [RestoredBlock]) async throws(EngineError)
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
