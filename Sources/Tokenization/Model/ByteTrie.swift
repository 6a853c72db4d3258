/// A prefix tree over bytes, built at once.
///
/// A node's children stand side by side, in the order of their bytes.
struct ByteTrie: Sendable {
    private struct Node {
        var firstChild: UInt32 = 0
        var childCount: UInt16 = 0
        var byte: UInt8 = 0
        var value: Int32 = -1
    }

    private var nodes = [Node()]

    /// - Parameter entries: no two with the same bytes; values from 0 on. Empty ones are left out.
    init(_ entries: [(bytes: [UInt8], value: Int32)]) {
        let sorted = entries.filter { !$0.bytes.isEmpty }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        // Each node waits with the entries that go through it; level by level, so that children come together.
        var level = [(node: 0, entries: sorted[...])]
        var depth = 0
        while !level.isEmpty {
            var nextLevel: [(node: Int, entries: ArraySlice<(bytes: [UInt8], value: Int32)>)] = []
            for (node, entries) in level {
                nodes[node].firstChild = UInt32(truncatingIfNeeded: nodes.count)
                var rest = entries
                while let first = rest.first {
                    let byte = first.bytes[depth]
                    let end = rest.firstIndex { $0.bytes[depth] != byte } ?? rest.endIndex
                    var child = Node(byte: byte)
                    var deeper = rest[..<end]
                    if first.bytes.count == depth + 1 {
                        child.value = first.value
                        deeper = deeper.dropFirst()
                    }
                    nodes.append(child)
                    nodes[node].childCount += 1
                    if !deeper.isEmpty { nextLevel.append((nodes.count - 1, deeper)) }
                    rest = rest[end...]
                }
            }
            level = nextLevel
            depth += 1
        }
    }

    var isEmpty: Bool { nodes.count == 1 }

    /// Calls the body with the end and value of each entry that the bytes begin with, the shortest first.
    @inline(__always)
    func forEachPrefix(of text: [UInt8], _ range: Range<Int>, _ body: (_ end: Int, _ value: Int32) -> Void) {
        var node = 0
        for index in range {
            guard let child = child(of: node, text[index]) else { return }
            node = child
            if nodes[node].value >= 0 { body(index + 1, nodes[node].value) }
        }
    }

    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var low = Int(nodes[node].firstChild)
        var high = low + Int(nodes[node].childCount)
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].byte < byte { low = middle + 1 } else { high = middle }
        }
        return low < Int(nodes[node].firstChild) + Int(nodes[node].childCount) && nodes[low].byte == byte ? low : nil
    }
}
