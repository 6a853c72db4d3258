/// Checks of blocks that are not plain text: they are refused in the end, but a malformed one is refused as malformed.
enum MediaBlock {
    private static let imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"]

    static func check(_ block: JSON, type: String) throws(FieldError) {
        switch type {
        case "image":
            try block.required("source") { (source) throws(FieldError) in
                try checkSource(source, types: ["base64", "url", "file"], mediaTypes: imageTypes)
            }
        case "document":
            _ = try block.nullable("title") { (value) throws(FieldError) in try value.string() }
            _ = try block.nullable("context") { (value) throws(FieldError) in try value.string() }
            try block.required("source") { (source) throws(FieldError) in
                try checkSource(
                    source,
                    types: ["base64", "text", "content", "url", "file"],
                    mediaTypes: ["application/pdf"]
                )
            }
        case "search_result":
            _ = try block.required("source") { (value) throws(FieldError) in try value.string() }
            _ = try block.required("title") { (value) throws(FieldError) in try value.string() }
            try block.required("content") { (value) throws(FieldError) in
                _ = try value.array().each { (text) throws(FieldError) in
                    try text.checkObject()
                    return try TextBlock.read(text)
                }
            }
        case "tool_reference":
            _ = try block.required("tool_name") { (value) throws(FieldError) in try value.string() }
        default: break
        }
    }

    private static func checkSource(_ source: JSON, types: [String], mediaTypes: [String]) throws(FieldError) {
        try source.checkObject()
        switch try source.required("type", { (value) throws(FieldError) in try value.word(of: types) }) {
        case "base64":
            _ = try source.required("media_type") { (value) throws(FieldError) in try value.word(of: mediaTypes) }
            try source.required("data") { (value) throws(FieldError) in
                guard isBase64(try value.nonEmptyString()) else { throw FieldError("Input should be valid base64") }
            }
        case "text":
            _ = try source.required("media_type") { (value) throws(FieldError) in try value.word(of: ["text/plain"]) }
            _ = try source.required("data") { (value) throws(FieldError) in try value.string() }
        case "url": _ = try source.required("url") { (value) throws(FieldError) in try value.nonEmptyString() }
        case "file": _ = try source.required("file_id") { (value) throws(FieldError) in try value.nonEmptyString() }
        default:
            try source.required("content") { (value) throws(FieldError) in
                if case .string = value { return }
                _ = try value.array().each { (inner) throws(FieldError) in try ContentBlock(inner, in: .toolResult) }
            }
        }
    }

    /// The standard alphabet, padded to a multiple of four.
    private static func isBase64(_ text: String) -> Bool {
        let bytes = text.utf8
        let content = bytes.reversed().drop { $0 == UInt8(ascii: "=") }
        guard bytes.count.isMultiple(of: 4), bytes.count - content.count <= 2 else { return false }
        return content.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }
}
