import JSON

/// Writes JSON anew: in the layout that templates write, and in the syntaxes that are not quite JSON.
///
/// Numbers and the order of members stay as they are. Documents are bounded in depth, and so is the recursion.
struct ArgumentText {
    enum Style {
        case json(JSONLayout)
        case python
        /// Names without quotes, and a text for quotes.
        case bare(String)
    }

    private let style: Style
    private(set) var bytes: [UInt8] = []

    static func json(_ node: JSONNode, _ layout: JSONLayout) -> String { text(node, .json(layout)) }

    static func text(_ node: JSONNode, _ style: Style) -> String {
        var text = ArgumentText(style: style)
        text.write(node)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    private init(style: Style) { self.style = style }

    private var comma: String {
        switch style {
        case .json(.spaced), .python: ", "
        case .json(.compact), .bare: ","
        }
    }

    private var colon: String {
        switch style {
        case .json(.spaced), .python: ": "
        case .json(.compact), .bare: ":"
        }
    }

    private mutating func write(_ node: JSONNode) {
        switch node.kind {
        case .null: word(python: "None", "null")
        case .bool:
            if (try? node.bool()) == true { word(python: "True", "true") } else { word(python: "False", "false") }
        case .integer, .number: bytes += (try? node.numberText()) ?? []
        case .string: write(string: (try? node.bytes()) ?? [])
        case .array:
            bytes.append(UInt8(ascii: "["))
            for (index, element) in ((try? Array(node.elements())) ?? []).enumerated() {
                if index > 0 { bytes += comma.utf8 }
                write(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object:
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in ((try? Array(node.members())) ?? []).enumerated() {
                if index > 0 { bytes += comma.utf8 }
                write(name: member.nameBytes)
                bytes += colon.utf8
                write(member.value)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private mutating func word(python: String, _ json: String) {
        if case .python = style { bytes += python.utf8 } else { bytes += json.utf8 }
    }

    private mutating func write(name: [UInt8]) {
        if case .bare = style { bytes += name } else { write(string: name) }
    }

    private mutating func write(string: [UInt8]) {
        if case .bare(let quote) = style {
            bytes += quote.utf8
            // Zero may be the stand-in for the quote.
            bytes += string.filter { $0 != 0 }
            bytes += quote.utf8
        } else {
            JSONText.appendString(string, to: &bytes)
        }
    }
}
