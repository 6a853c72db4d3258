extension JSONNode {
    /// Whether two values are the same but for white space, the order of members, and how strings and numbers are written.
    ///
    /// Of members with one name the last counts. Numbers are the same if the `Double`s nearest to them are, as most readers
    /// of JSON know no others; integers also have to have the same digits.
    package func hasSameValue(as other: JSONNode) -> Bool {
        guard isPresent, other.isPresent else { return false }
        let (kind, otherKind) = (self.kind, other.kind)
        switch (kind, otherKind) {
        case (.integer, .integer):
            return (try? numberText().elementsEqual(other.numberText())) == true || hasSameNumber(as: other, 0)
        case (.integer, .number), (.number, .integer), (.number, .number): return hasSameNumber(as: other, nil)
        case (.null, .null): return true
        case (.bool, .bool): return (try? bool()) == (try? other.bool())
        case (.string, .string): return (try? bytes()) == (try? other.bytes())
        case (.array, .array):
            guard let mine = try? elements(), let others = try? other.elements() else { return false }
            return mine.elementsEqual(others) { $0.hasSameValue(as: $1) }
        case (.object, .object):
            guard let mine = try? lastMembers(), let others = try? other.lastMembers(), mine.count == others.count
            else { return false }
            return mine.allSatisfy { name, value in others[name].map(value.hasSameValue) ?? false }
        default: return false
        }
    }

    /// - Parameter zero: not nil for integers: only zeros of either sign are the same then.
    private func hasSameNumber(as other: JSONNode, _ zero: Double?) -> Bool {
        guard let value = try? double(), let otherValue = try? other.double() else { return false }
        return value == otherValue && (zero == nil || value == zero)
    }

    private func lastMembers() throws(JSONError) -> [[UInt8]: JSONNode] {
        var last: [[UInt8]: JSONNode] = [:]
        for member in try members() { last[member.nameBytes] = member.value }
        return last
    }
}
