extension JSONNode {
    /// The value as JSON without white space, on one line: numbers as they are written, and of members with one name the
    /// last, in the place of the first. "null" for an absent value.
    package var compact: [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(source.count)
        writeCompact(into: &output)
        return output
    }

    private func writeCompact(into output: inout [UInt8]) {
        if let text = try? numberText() {
            output += text
        } else if let text = try? string() {
            JSONValue.string(text).write(into: &output)
        } else if let truth = try? bool() {
            output += (truth ? "true" : "false").utf8
        } else if let elements = try? elements() {
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.writeCompact(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        } else if let members = try? members() {
            Self.writeCompact(members, into: &output)
        } else {
            output += "null".utf8
        }
    }

    private static func writeCompact(_ members: JSONMembers, into output: inout [UInt8]) {
        var last: [(name: [UInt8], value: JSONNode)] = []
        var places: [[UInt8]: Int] = [:]
        for member in members {
            let name = member.nameBytes
            if let place = places[name] {
                last[place].value = member.value
            } else {
                places[name] = last.count
                last.append((name, member.value))
            }
        }
        output.append(UInt8(ascii: "{"))
        for (index, member) in last.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            JSONValue.string(String(decoding: member.name, as: UTF8.self)).write(into: &output)
            output.append(UInt8(ascii: ":"))
            member.value.writeCompact(into: &output)
        }
        output.append(UInt8(ascii: "}"))
    }
}
