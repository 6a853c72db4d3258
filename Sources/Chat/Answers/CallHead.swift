/// Finds the beginning of a call: its markers and the name of one of the request's tools.
struct CallHeads: Sendable {
    /// A call that has begun.
    struct Found {
        var syntax: Int
        var name: String
        /// Where its arguments begin.
        var end: Int
    }

    enum Match {
        case no
        case partial
        case whole(Found)
    }

    private struct Head: Sendable {
        let syntax: CallSyntax
        /// `sectionStart` and `callStart`.
        let opening: Marker
        let callStart: Marker
        let identifierStart: Marker?
        let nameEnd: Marker
        let callEnd: Marker
        let parameterStart: Marker?

        init(_ syntax: CallSyntax, _ specialTexts: [[UInt8]]) {
            self.syntax = syntax
            opening = Marker(syntax.sectionStart + syntax.callStart, specialTexts: specialTexts)
            callStart = Marker(syntax.callStart, specialTexts: specialTexts)
            identifierStart = syntax.identifier.map { Marker($0.start) }
            nameEnd = Marker(syntax.nameEnd)
            callEnd = Marker(syntax.callEnd)
            if case .parameters(let parameters) = syntax.arguments {
                parameterStart = Marker(parameters.start)
            } else {
                parameterStart = nil
            }
        }
    }

    private static let longestIdentifier = 64
    /// White space that may stand around a name, at most.
    private static let mostSpace = 64

    private let heads: [Head]
    private let names: [[UInt8]: String]
    private let longestName: Int
    /// Bytes that names are made of.
    private var nameBytes = [Bool](repeating: false, count: 256)
    /// Bytes with which a call may begin.
    private var firstBytes = [Bool](repeating: false, count: 256)

    /// - Parameter specialTexts: as `Marker` has them.
    init(_ syntaxes: [CallSyntax], tools: [ToolDefinition], specialTexts: [[UInt8]]) {
        heads = syntaxes.map { Head($0, specialTexts) }
        var names: [[UInt8]: String] = [:]
        for tool in tools { names[Array(tool.name.utf8)] = tool.name }
        self.names = names
        longestName = names.keys.map(\.count).max() ?? 0
        for name in names.keys { for byte in name { nameBytes[Int(byte)] = true } }
        for byte in UInt8.min...UInt8.max where byte.isWord && byte < 0x80 || byte == UInt8(ascii: "-") {
            nameBytes[Int(byte)] = true
        }
        for head in heads { if let first = head.opening.core.first { firstBytes[Int(first)] = true } }
    }

    var isEmpty: Bool { names.isEmpty || !firstBytes.contains(true) }

    func mayBegin(with byte: UInt8) -> Bool { firstBytes[Int(byte)] }

    /// A call at an index.
    /// - Parameter isAtBeginning: whether nothing but thinking was written before.
    func match(_ buffer: AnswerBuffer, at index: Int, isAtBeginning: Bool) -> Match {
        var result = Match.no
        for (number, head) in heads.enumerated() where !head.opening.isEmpty {
            guard isAtBeginning || !head.syntax.isWholeAnswer else { continue }
            switch match(buffer, number, head.opening, at: index) {
            case .no: continue
            case .partial: result = .partial
            case .whole(let found): return .whole(found)
            }
        }
        return result
    }

    /// Another call of a section, at an index.
    func matchNext(_ buffer: AnswerBuffer, at index: Int, of syntax: Int) -> Match {
        match(buffer, syntax, heads[syntax].callStart, at: index)
    }

    private func match(_ buffer: AnswerBuffer, _ number: Int, _ start: Marker, at index: Int) -> Match {
        let head = heads[number]
        guard case .whole(let opened) = start.match(buffer, at: index) else {
            return start.match(buffer, at: index) == .partial ? .partial : .no
        }
        let nameStart =
            start.spaceAfter.isEmpty && !start.isEmpty
            ? opened : buffer.endOfSpace(from: opened, atMost: Self.mostSpace)
        var nameEnd = nameStart
        while nameEnd < buffer.end, nameBytes[Int(buffer[nameEnd])] { nameEnd += 1 }
        guard nameEnd - nameStart <= longestName else { return .no }
        guard nameEnd < buffer.end || buffer.isFinal else { return .partial }
        guard let name = names[Array(buffer.bytes[nameStart..<nameEnd])] else { return .no }
        var place = nameEnd
        if let identifierStart = head.identifierStart {
            switch identifierStart.match(buffer, at: place) {
            case .partial: return .partial
            case .no: break
            case .whole(let start):
                place = start
                while place < buffer.end, buffer[place].isWord, place - start < Self.longestIdentifier { place += 1 }
            }
        }
        switch head.nameEnd.match(
            buffer,
            at: head.nameEnd.isEmpty ? place : buffer.endOfSpace(from: place, atMost: Self.mostSpace)
        ) {
        case .no: return .no
        case .partial: return .partial
        case .whole(let end): return found(buffer, number, name, end)
        }
    }

    /// Looks whether arguments begin after a name.
    private func found(_ buffer: AnswerBuffer, _ number: Int, _ name: String, _ end: Int) -> Match {
        let head = heads[number]
        let found = Match.whole(Found(syntax: number, name: name, end: end))
        let solid = buffer.endOfSpace(from: end, atMost: Self.mostSpace)
        switch head.syntax.arguments {
        case .python: return found
        case .json, .bare:
            guard solid < buffer.end else { return buffer.isFinal ? .no : .partial }
            return buffer[solid] == UInt8(ascii: "{") ? found : .no
        case .parameters:
            guard head.nameEnd.isEmpty, let start = head.parameterStart else { return found }
            let matches = [start, head.callEnd].map { $0.match(buffer, at: solid) }
            if matches.contains(where: { if case .whole = $0 { true } else { false } }) { return found }
            return matches.contains(.partial) ? .partial : .no
        }
    }
}
