/// An incremental parser of server-sent events as the HTML standard defines them: lines end in LF, CRLF or CR, those
/// that begin with a colon are comments, and an empty line ends an event.
package struct EventParser: Sendable {
    package struct Event: Sendable, Equatable {
        /// Empty if the event has no name.
        package var name: String
        package var data: String

        package init(name: String, data: String) {
            self.name = name
            self.data = data
        }
    }

    /// The longest line of an event; real ones are far shorter.
    private static let maxLineBytes = 2 << 20

    private var line: [UInt8] = []
    private var endedInCR = false
    private var name = ""
    private var data: [String] = []

    package init() {}

    /// - Throws: `ProtocolViolation` for a line without end.
    package mutating func push(_ bytes: [UInt8]) throws(ProtocolViolation) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            let isSecondOfCRLF = byte == 10 && endedInCR
            endedInCR = byte == 13
            if isSecondOfCRLF { continue }
            guard byte == 10 || byte == 13 else {
                line.append(byte)
                continue
            }
            if let event = parse(String(decoding: line, as: UTF8.self)) { events.append(event) }
            line.removeAll(keepingCapacity: true)
        }
        guard line.count <= Self.maxLineBytes else { throw ProtocolViolation("an event without end") }
        return events
    }

    private mutating func parse(_ line: String) -> Event? {
        if line.isEmpty {
            defer { (name, data) = ("", []) }
            // Without data there is no event.
            return data.isEmpty ? nil : Event(name: name, data: data.joined(separator: "\n"))
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(parts[1].hasPrefix(" ") ? parts[1].dropFirst() : parts[1]) : ""
        switch parts[0] {
        case "event": name = value
        case "data": data.append(value)
        default: break
        }
        return nil
    }
}
