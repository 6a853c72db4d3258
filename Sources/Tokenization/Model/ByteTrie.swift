/// A prefix tree over token strings, built at once, of eight bytes a node (Morrison's PATRICIA, 1968).
///
/// There is a node where a string ends and where strings branch, and none between: the bytes in between are compared
/// with a token's string once one is reached. A node's children stand side by side, in the order of the bytes that they
/// begin with.
struct ByteTrie: Sendable {
    private let tokenStrings: TokenStrings
    private var nodes: [Node] = []
    /// For each byte the node of the token strings that begin with it, or -1.
    private var roots = [Int32](repeating: -1, count: 256)

    private struct Node {
        /// From below: first child 23, their count 9, byte 8, whether a token ends here 1, token or depth 23 bits.
        private var bits: UInt64 = 0

        init(byte: UInt8, depth: Int) {
            bits = UInt64(byte) << 32 | UInt64(truncatingIfNeeded: depth) << 41
        }

        init(byte: UInt8, token: Int32) {
            bits = UInt64(byte) << 32 | 1 << 40 | UInt64(UInt32(bitPattern: token)) << 41
        }

        var firstChild: Int { Int(truncatingIfNeeded: bits & 0x7F_FFFF) }
        var childCount: Int { Int(truncatingIfNeeded: bits >> 23 & 0x1FF) }
        /// The one it begins with.
        var byte: UInt8 { UInt8(truncatingIfNeeded: bits >> 32) }
        var hasToken: Bool { bits >> 40 & 1 == 1 }
        /// The token that ends here, or else how many bytes lead here.
        var tokenOrDepth: Int32 { Int32(truncatingIfNeeded: bits >> 41) }

        mutating func setChildren(_ range: Range<Int>) {
            bits |= UInt64(range.lowerBound) | UInt64(range.count) << 23
        }
    }

    /// - Parameter tokenStrings: what it finds; of equal ones the last. Empty ones it does not. They are fewer than 2²², as
    ///   tokens are, and none is that long, so that they and their nodes can be numbered.
    init(_ tokenStrings: TokenStrings) {
        self.tokenStrings = tokenStrings
        var order = (0..<Int32(truncatingIfNeeded: tokenStrings.count)).filter {
            tokenStrings.isKnown($0) && tokenStrings.length($0) > 0
        }
        order.sort(by: tokenStrings.areInOrder)
        // As many as there may be; what is never touched takes no memory.
        nodes.reserveCapacity(2 * order.count)
        build(order)
    }

    private mutating func build(_ order: [Int32]) {
        var open: [(node: Int, depth: Int, tokens: Range<Int>)] = []
        addNodes(order, order.indices, depth: 0, &open)
        for node in nodes.indices { roots[Int(nodes[node].byte)] = Int32(truncatingIfNeeded: node) }
        while let (node, depth, tokens) = open.popLast() {
            let first = nodes.count
            addNodes(order, tokens, depth: depth, &open)
            nodes[node].setChildren(first..<nodes.count)
        }
    }

    /// Adds a node for each byte that token strings go on with, and leaves those open that have children.
    private mutating func addNodes(
        _ order: [Int32],
        _ tokens: Range<Int>,
        depth: Int,
        _ open: inout [(node: Int, depth: Int, tokens: Range<Int>)]
    ) {
        var rest = tokens
        while let first = rest.first {
            let byte = tokenStrings.byte(order[first], depth)
            let end = rest.first { tokenStrings.byte(order[$0], depth) != byte } ?? rest.upperBound
            let depth = tokenStrings.sharedLength(order[first], order[end - 1])
            // Token strings that end here come first.
            var deeper = first..<end
            while let token = deeper.first, tokenStrings.length(order[token]) == depth { deeper.removeFirst() }
            if deeper.lowerBound > first {
                nodes.append(Node(byte: byte, token: order[deeper.lowerBound - 1]))
            } else {
                nodes.append(Node(byte: byte, depth: depth))
            }
            if !deeper.isEmpty { open.append((nodes.count - 1, depth, deeper)) }
            rest = end..<rest.upperBound
        }
    }

    var isEmpty: Bool { nodes.isEmpty }

    /// Whether a string begins with a byte.
    @inline(__always)
    func begins(with byte: UInt8) -> Bool { roots[Int(byte)] >= 0 }

    /// Calls the body with the end and the token of each string that the bytes begin with, the shortest first.
    @inline(__always)
    func forEachPrefix(of text: [UInt8], _ range: Range<Int>, _ body: (_ end: Int, _ token: Int32) -> Void) {
        guard let first = range.first else { return }
        var next = Int(roots[Int(text[first])])
        // As many bytes as were compared.
        var known = 0
        while next >= 0 {
            let node = nodes[next]
            var depth = Int(node.tokenOrDepth)
            if node.hasToken {
                let token = node.tokenOrDepth
                depth = tokenStrings.length(token)
                guard depth <= range.count, tokenStrings.has(token, known..<depth, in: text, at: first + known) else {
                    return
                }
                known = depth
                body(first + depth, token)
            }
            guard depth < range.count else { return }
            next = child(of: node, text[first + depth])
        }
    }

    /// The token of a string, nil if it is none.
    func id(of text: [UInt8], _ range: Range<Int>) -> Int32? {
        var found: Int32?
        forEachPrefix(of: text, range) { end, token in if end == range.upperBound { found = token } }
        return found
    }

    func id(of text: [UInt8]) -> Int32? { id(of: text, text.indices) }

    @inline(__always)
    private func child(of node: Node, _ byte: UInt8) -> Int {
        var low = node.firstChild
        let end = low + node.childCount
        var high = end
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].byte < byte { low = middle + 1 } else { high = middle }
        }
        return low < end && nodes[low].byte == byte ? low : -1
    }
}
