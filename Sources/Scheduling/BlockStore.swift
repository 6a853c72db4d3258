package import EngineContract

/// Where KV blocks outlive the process. Only `read` and `write` take time.
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

    /// The contents of blocks, as far as they can be read and are what they should be: those from the first on up to one
    /// that is not.
    func read(_ blocks: [StoredBlock]) async -> [[UInt8]]

    /// Keeps a block, in place of those that were not used for longest if there is no room.
    /// - Returns: whether that went well.
    func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool
}

/// A block by what is in it.
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

/// A store, and the engine whose blocks it keeps.
package struct StoredBlocks: Sendable {
    let engine: any BlockTransfer
    let store: any BlockStore

    package init(engine: any BlockTransfer, store: any BlockStore) {
        self.engine = engine
        self.store = store
    }
}

/// Stored blocks on their way to sessions.
struct BlockReads {
    /// What was read for a session, beginning at its block of this index.
    struct Arrival {
        var session: SessionID
        var firstIndex: Int
        var firstName: String
        var contents: [[UInt8]]
    }

    /// Bounds the memory for contents that no block has yet, together with `maxBytes`.
    static let maxReads = 4
    /// A read has about so many bytes, or one block.
    static let maxBytes = 16 << 20

    /// The first block of each read that goes on or has not been given to its session. Who needs the same block waits.
    var names: Set<String> = []
    var arrivals: [Arrival] = []
}
