/// The edges of the nodes for which they have been computed.
struct EdgeStore: Sendable {
    /// Where a node's edges begin in `all`; -1 if they have not been computed.
    private var starts: [Int32] = []
    private var counts: [UInt16] = []
    private var all: [RegexEdge] = []

    var approximateBytes: Int {
        starts.capacity * 4 + counts.capacity * 2 + all.capacity * MemoryLayout<RegexEdge>.stride
    }

    mutating func addNode() {
        starts.append(-1)
        counts.append(0)
    }

    func has(_ id: RegexID) -> Bool { starts[Int(id)] >= 0 }

    /// The edges of a node that has them: a copy, since a slice would make the next addition copy the whole store.
    subscript(id: RegexID) -> [RegexEdge] {
        let start = Int(starts[Int(id)])
        return Array(all[start..<(start + Int(counts[Int(id)]))])
    }

    mutating func set(_ id: RegexID, _ edges: [RegexEdge]) {
        starts[Int(id)] = Int32(all.count)
        counts[Int(id)] = UInt16(edges.count)
        all += edges
    }
}

/// Derivatives.
extension RegexPool {
    /// What must follow each byte that can come first, in the order of the bytes, without overlap. Targets may still turn
    /// out to match nothing; `liveEdges(of:)` leaves those out.
    mutating func edges(of id: RegexID) -> [RegexEdge] {
        if edges.has(id) { return edges[id] }
        let computed = computeEdges(self[id])
        edges.set(id, computed)
        return computed
    }

    private mutating func computeEdges(_ node: RegexNode) -> [RegexEdge] {
        switch node.kind {
        case .nothing, .accept, .special: return []
        case .bytes:
            return byteSets[Int(node.a)].ranges.map {
                RegexEdge(low: $0.lowerBound, high: $0.upperBound, target: Self.empty)
            }
        case .sequence:
            let first = followed(edges(of: node.a), by: node.b)
            return self[node.a].isNullable ? unite([first, edges(of: node.b)]) : first
        case .union: return unite(operands(of: node).map { edges(of: $0) })
        case .intersection: return intersect(operands(of: node).map { edges(of: $0) })
        case .complement: return complemented(edges(of: node.a))
        case .repetition:
            let most = node.c == RegexNode.unlimited ? node.c : node.c - 1
            return followed(edges(of: node.a), by: repetition(node.a, max(0, node.b - 1), most))
        case .multiple: return multipleEdges(node)
        case .text: return textEdges(node)
        case .content: return contentEdges(node)
        }
    }

    private mutating func followed(_ edges: [RegexEdge], by rest: RegexID) -> [RegexEdge] {
        var result: [RegexEdge] = []
        result.reserveCapacity(edges.count)
        for edge in edges {
            let target = pair(edge.target, rest)
            if target != Self.nothing { append(RegexEdge(low: edge.low, high: edge.high, target: target), to: &result) }
        }
        return result
    }

    /// Adds an edge behind the others, as one with the last if it goes on from it.
    func append(_ edge: RegexEdge, to edges: inout [RegexEdge]) {
        if let last = edges.last, last.target == edge.target, Int(last.high) + 1 == Int(edge.low) {
            edges[edges.count - 1].high = edge.high
        } else {
            edges.append(edge)
        }
    }

    private mutating func unite(_ lists: [[RegexEdge]]) -> [RegexEdge] {
        let lists = lists.filter { !$0.isEmpty }
        if lists.count == 1 { return lists[0] }
        var result: [RegexEdge] = []
        for part in Segments(lists) where !part.targets.isEmpty {
            append(RegexEdge(low: part.low, high: part.high, target: union(part.targets)), to: &result)
        }
        return result
    }

    private mutating func intersect(_ lists: [[RegexEdge]]) -> [RegexEdge] {
        var result: [RegexEdge] = []
        for part in Segments(lists) where part.targets.count == lists.count {
            let target = intersection(part.targets)
            if target != Self.nothing { append(RegexEdge(low: part.low, high: part.high, target: target), to: &result) }
        }
        return result
    }

    private mutating func complemented(_ edges: [RegexEdge]) -> [RegexEdge] {
        var result: [RegexEdge] = []
        var next = 0
        for edge in edges {
            if next < Int(edge.low) {
                append(RegexEdge(low: UInt8(next), high: edge.low - 1, target: Self.everything), to: &result)
            }
            let target = complement(edge.target)
            if target != Self.nothing { append(RegexEdge(low: edge.low, high: edge.high, target: target), to: &result) }
            next = Int(edge.high) + 1
        }
        if next < 256 { append(RegexEdge(low: UInt8(next), high: 255, target: Self.everything), to: &result) }
        return result
    }

    private mutating func textEdges(_ node: RegexNode) -> [RegexEdge] {
        var result: [RegexEdge] = []
        for byte in UInt8.min...UInt8.max {
            let target = target(of: node, Int32(byte))
            if target != Self.nothing { append(RegexEdge(low: byte, high: byte, target: target), to: &result) }
        }
        return result
    }

    private mutating func multipleEdges(_ node: RegexNode) -> [RegexEdge] {
        let divisor = divisors[Int(node.a)]
        var result: [RegexEdge] = []
        if node.c < 0, divisor.decimals > 0 {
            let target = multiple(node.a, remainder: node.b, left: divisor.decimals)
            result.append(RegexEdge(low: UInt8(ascii: "."), high: UInt8(ascii: "."), target: target))
        }
        guard node.c != 0 else { return result }
        for digit in 0..<10 {
            let remainder = (Int(node.b) * 10 + digit) % Int(divisor.value)
            let target = multiple(node.a, remainder: Int32(remainder), left: max(-1, node.c - 1))
            let byte = UInt8(ascii: "0") + UInt8(digit)
            append(RegexEdge(low: byte, high: byte, target: target), to: &result)
        }
        return result
    }
}

/// The bytes cut where any edge of several lists begins or ends, with the targets of the edges over each part.
private struct Segments: Sequence, IteratorProtocol {
    struct Part {
        var low: UInt8
        var high: UInt8
        var targets: [RegexID]
    }

    private var parts: [Part] = []
    private var position = 0

    init(_ lists: [[RegexEdge]]) {
        var isStart = [Bool](repeating: false, count: 257)
        isStart[0] = true
        for edge in lists.joined() {
            isStart[Int(edge.low)] = true
            isStart[Int(edge.high) + 1] = true
        }
        var partOf = [UInt8](repeating: 0, count: 256)
        for byte in 0..<256 {
            if isStart[byte] {
                parts.append(Part(low: UInt8(byte), high: UInt8(byte), targets: []))
            } else {
                parts[parts.count - 1].high = UInt8(byte)
            }
            partOf[byte] = UInt8(parts.count - 1)
        }
        for edge in lists.joined() {
            for index in Int(partOf[Int(edge.low)])...Int(partOf[Int(edge.high)]) {
                parts[index].targets.append(edge.target)
            }
        }
    }

    mutating func next() -> Part? {
        guard position < parts.count else { return nil }
        position += 1
        return parts[position - 1]
    }
}
