/// The content of JSON strings, as it is: without quotes and escapes.
///
/// An expression for strings in JSON, each character in its one spelling, is turned into one for their content byte by
/// byte: the derivative by a byte is the derivative by its spelling, and the content ends where a quote ends the string.
extension RegexPool {
    /// The contents of the strings that an expression matches, quotes and all.
    mutating func content(of strings: RegexID) -> RegexID {
        rest(ofContent: derivative(of: strings, Self.quote))
    }

    /// What is left of a content when `strings` is left of its JSON.
    mutating func rest(ofContent strings: RegexID) -> RegexID {
        guard strings != Self.nothing else { return Self.nothing }
        let end = derivative(of: strings, Self.quote)
        return intern(
            RegexNode(
                kind: .content,
                isDoubtful: true,
                depth: self[strings].depth,
                a: strings,
                tag: self[end].isNullable ? 0 : -1
            ),
            []
        )
    }

    /// What must follow a byte.
    private mutating func derivative(of id: RegexID, _ byte: UInt8) -> RegexID {
        edges(of: id).first { $0.low <= byte && byte <= $0.high }?.target ?? Self.nothing
    }

    mutating func contentEdges(_ node: RegexNode) -> [RegexEdge] {
        var targets = [RegexID](repeating: Self.nothing, count: 256)
        for edge in edges(of: node.a) {
            for byte in edge.low...edge.high { targets[Int(byte)] = edge.target }
        }
        for byte in UInt8.min...UInt8.max where byte < 0x20 || byte == Self.quote || byte == UInt8(ascii: "\\") {
            let spelling = Self.jsonString([byte]).dropFirst().dropLast()
            var target = node.a
            for part in spelling { target = derivative(of: target, part) }
            targets[Int(byte)] = target
        }
        var result: [RegexEdge] = []
        for byte in UInt8.min...UInt8.max {
            let target = rest(ofContent: targets[Int(byte)])
            if target != Self.nothing { append(RegexEdge(low: byte, high: byte, target: target), to: &result) }
        }
        return result
    }
}
