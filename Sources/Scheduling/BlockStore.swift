package import EngineContract

/// Keeps KV blocks, and states at the end of some, beyond the process. What is asynchronous takes time.
package protocol BlockStore: Sendable {
    /// How many bytes there is room for.
    var capacity: Int { get }

    /// How many of them a part takes.
    func bytes(of part: StoredPart) -> Int

    /// The name of a block that holds these tokens behind those of its parent; nil: at the beginning. Unlike the keys of
    /// the prefix cache it is the same in every process, and no two blocks have it.
    func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String

    /// Whether a part of the block with this name is there, as far as that is known without reading it.
    func contains(_ part: StoredPart, of name: String) -> Bool

    /// Counts a part of the block with this name as used just now.
    /// - Returns: whether it is there.
    func use(_ part: StoredPart, of name: String) async -> Bool

    /// The contents of blocks in order, up to the first that cannot be read or is damaged.
    func read(_ blocks: [StoredBlock]) async -> [[UInt8]]

    /// Keeps a block, in place of what was used least recently if there is no room.
    /// - Returns: whether it could be written.
    func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool
}

/// What there is to keep of a block.
package enum StoredPart: Sendable, CaseIterable {
    /// Keys and values.
    case block
    /// The state at the block's end, in models with recurrent layers.
    case state
}

/// A part of a block, which is named by its contents.
package struct StoredBlock: Sendable, Equatable {
    package var name: String
    package var parent: String?
    package var tokens: [Token]
    package var part: StoredPart

    package init(name: String, parent: String?, tokens: [Token], part: StoredPart = .block) {
        self.name = name
        self.parent = parent
        self.tokens = tokens
        self.part = part
    }

    /// The state at the block's end.
    var state: StoredBlock { StoredBlock(name: name, parent: parent, tokens: tokens, part: .state) }
}

/// A part of a cached block: where it is, and what a store knows it by.
struct CachedPart {
    enum Place {
        case block(BlockIndex)
        case state(StateSlot)
    }

    var place: Place
    var description: StoredBlock
}

/// A block store, and the engine whose blocks it keeps.
package struct StoredBlocks: Sendable {
    let engine: any BlockTransfer
    let store: any BlockStore

    package init(engine: any BlockTransfer, store: any BlockStore) {
        self.engine = engine
        self.store = store
    }

    /// Keeps a part of a cached block, unless it is kept already.
    /// - Returns: whether it is kept now.
    func save(_ part: CachedPart) async -> Bool {
        if await use(part.description) { return true }
        guard let contents = await contents(of: part) else { return false }
        return await store.write(part.description, contents)
    }

    /// The same of contents that were copied before; nil: they are in the store, if it has not removed them since.
    func saveCopy(_ contents: [UInt8]?, of block: StoredBlock) async {
        if await use(block) { return }
        if let contents { _ = await store.write(block, contents) }
    }

    private func use(_ block: StoredBlock) async -> Bool { await store.use(block.part, of: block.name) }

    /// A copy of what the engine has of a part; nil if that fails.
    func contents(of part: CachedPart) async -> [UInt8]? {
        switch part.place {
        case .block(let block): try? await engine.contents(of: block)
        case .state(let slot): try? await engine.contents(ofState: slot)
        }
    }
}

/// What is to be read from the store for one session: blocks that follow each other, or one state.
struct BlockRead: Equatable {
    var session: SessionID
    /// How many blocks of the session's table come before the blocks, or before the end that the state is at.
    var blocksBefore: Int
    /// Never empty.
    var blocks: [StoredBlock]

    var isOfState: Bool { blocks.first?.part == .state }
}

/// What is being read from the store.
struct BlockReads {
    /// Bounds, together with `maxBytes`, the memory for contents that have no block yet. States, which may be large, are read
    /// one at a time.
    static let maxReads = 4
    /// A read of blocks has at most this many bytes, or one block.
    static let maxBytes = 16 << 20

    /// The name of the first block of each read of blocks that has not been restored to its session. Sessions that need the
    /// same block wait for it.
    var firstNames: Set<String> = []
    var isReadingState = false
    /// The reads that sessions waited for in vain and that have not ended: no session waits for the store meanwhile.
    var overdueCount = 0
}
