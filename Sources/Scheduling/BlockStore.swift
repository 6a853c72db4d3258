package import EngineContract

/// Keeps KV blocks beyond the process. Only `read` and `write` take time.
package protocol BlockStore: Sendable {
    /// How many blocks there is room for.
    var capacity: Int { get }

    /// The name of a block that holds these tokens behind those of its parent; nil: at the beginning. Unlike the keys of
    /// the prefix cache it is the same in every process, and no two blocks have it.
    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String

    /// Whether a block is there, as far as that is known without reading it.
    func contains(_ name: String) -> Bool

    /// Counts a block as used just now.
    /// - Returns: whether it is there.
    func use(_ name: String) -> Bool

    /// The contents of blocks in order, up to the first that cannot be read or is damaged.
    func read(_ blocks: [StoredBlock]) async -> [[UInt8]]

    /// Keeps a block, in place of the least recently used ones if there is no room.
    /// - Returns: whether it could be written.
    func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool
}

/// A block named by its contents.
package struct StoredBlock: Sendable, Equatable {
    package var name: String
    package var parent: String?
    package var tokens: [Token]

    package init(name: String, parent: String?, tokens: [Token]) {
        self.name = name
        self.parent = parent
        self.tokens = tokens
    }
}

/// A block store, and the engine whose blocks it keeps.
package struct StoredBlocks: Sendable {
    let engine: any BlockTransfer
    let store: any BlockStore

    package init(engine: any BlockTransfer, store: any BlockStore) {
        self.engine = engine
        self.store = store
    }
}

/// Blocks to be read from the store for one session.
struct BlockRead {
    var session: SessionID
    /// The index of the first one in the session's block table.
    var firstIndex: Int
    /// In the order of the table; never empty.
    var blocks: [StoredBlock]
}

/// Which blocks are being read from the store.
struct BlockReads {
    /// Bounds, together with `maxBytes`, the memory for contents that have no block yet.
    static let maxReads = 4
    /// A read has at most this many bytes, or one block.
    static let maxBytes = 16 << 20

    /// The name of the first block of each read that has not been restored to its session. Sessions that need the same
    /// block wait for it.
    var firstNames: Set<String> = []
}
