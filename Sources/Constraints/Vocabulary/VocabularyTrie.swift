/// Texts as a tree by their bytes, its nodes in the order of a walk that visits children right after their parent.
struct VocabularyTrie: Sendable {
    struct Node: Sendable {
        /// The token whose text ends here; -1 if none does.
        var token: Int32
        /// The index behind the last node below this one.
        var end: Int32
        /// Bytes from the root to this node, its own included.
        var depth: UInt16
        var byte: UInt8
    }

    private(set) var nodes: [Node] = []
    /// The length of the longest text.
    private(set) var depth = 0

    /// - Parameters:
    ///   - tokens: in the order of their texts, each text once.
    ///   - text: the text of a token.
    init(_ tokens: [Int32], _ text: (Int32) -> UnsafeBufferPointer<UInt8>) {
        nodes.reserveCapacity(tokens.count * 2)
        // The nodes on the way to the last text, by depth.
        var path: [Int] = []
        var last = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        for token in tokens {
            let bytes = text(token)
            var shared = 0
            while shared < min(last.count, bytes.count), last[shared] == bytes[shared] { shared += 1 }
            while path.count > shared { nodes[path.removeLast()].end = Int32(nodes.count) }
            for index in shared..<bytes.count {
                path.append(nodes.count)
                nodes.append(Node(token: -1, end: 0, depth: UInt16(index + 1), byte: bytes[index]))
            }
            nodes[nodes.count - 1].token = token
            depth = max(depth, bytes.count)
            last = bytes
        }
        while let index = path.popLast() { nodes[index].end = Int32(nodes.count) }
    }
}
