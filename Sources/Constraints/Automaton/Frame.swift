/// What encloses a lexeme: an object, array or sequence in progress, and what encloses that.
struct Frame: Hashable, Sendable {
    enum Kind: UInt8, Sendable {
        /// The whole answer is behind.
        case end
        /// The next member is at or behind `position`, or not in the set `position` if members come in any order; `count`
        /// members are behind, if the rule counts them.
        case object
        /// `position` elements are behind, as far as the rule tells them apart.
        case array
        /// The next part is at `position`.
        case sequence
        /// What follows the lexeme depends on how it ends: the rule names the sequences.
        case branch
    }

    var kind: Kind
    var layout: SchemaOptions.Layout = .free
    /// Arrays and objects around, this one included.
    var depth: Int32 = 0
    var rule: Int32 = 0
    var position: Int32 = 0
    var count: Int32 = 0
    var parent: Int32 = 0
}

/// One way in which the text so far can be read: a lexeme in progress, and the frame in which it stands.
struct Configuration: Hashable, Sendable {
    var lexeme: RegexID
    var frame: Int32

    /// The whole answer is behind.
    static let end = Configuration(lexeme: RegexPool.empty, frame: 0)
}

/// How much texts may add to an automaton before those that go on get a new one.
package struct TableLimits: Sendable {
    package var nodes: Int
    package var frames: Int

    package init(nodes: Int = 200_000, frames: Int = 200_000) {
        self.nodes = nodes
        self.frames = frames
    }
}

/// Frames, each stored once.
struct FramePool: Sendable {
    private(set) var frames: [Frame] = [Frame(kind: .end)]
    private var ids: [Frame: Int32] = [Frame(kind: .end): 0]

    var count: Int { frames.count }

    subscript(id: Int32) -> Frame { frames[Int(id)] }

    /// Sets of members, for objects in any order.
    private(set) var sets: [[UInt64]] = [[]]
    private var setIDs: [[UInt64]: Int32] = [[]: 0]

    /// A set and one member more.
    mutating func set(_ id: Int32, with member: Int) -> Int32 {
        var set = sets[Int(id)]
        while set.count <= member / 64 { set.append(0) }
        set[member / 64] |= 1 << UInt64(member % 64)
        return self.id(ofSet: set)
    }

    mutating func id(ofSet set: [UInt64]) -> Int32 {
        if let known = setIDs[set] { return known }
        let new = Int32(sets.count)
        sets.append(set)
        setIDs[set] = new
        return new
    }

    mutating func id(_ frame: Frame) -> Int32 {
        if let id = ids[frame] { return id }
        let id = Int32(frames.count)
        frames.append(frame)
        ids[frame] = id
        return id
    }
}
