import JSON

/// Checks of blocks that are not plain text: they are refused in the end, but a malformed one is refused as malformed.
enum MediaBlock {
    private static let imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"]

    static func check(_ block: JSONNode, type: String) throws(JSONError) {
        switch type {
        case "image": try checkSource(block["source"], types: ["base64", "url", "file"], mediaTypes: imageTypes)
        case "document":
            _ = try block["title"].nullable?.string()
            _ = try block["context"].nullable?.string()
            let types = ["base64", "text", "content", "url", "file"]
            try checkSource(block["source"], types: types, mediaTypes: ["application/pdf"])
        case "search_result":
            _ = try block["source"].string()
            _ = try block["title"].string()
            for text in try block["content"].elements() { _ = try TextBlock.read(text) }
        case "tool_reference": _ = try block["tool_name"].string()
        default: break
        }
    }

    private static func checkSource(_ source: JSONNode, types: [String], mediaTypes: [String]) throws(JSONError) {
        switch try source["type"].string(oneOf: types) {
        case "base64":
            _ = try source["media_type"].string(oneOf: mediaTypes)
            let data = source["data"]
            guard isBase64(try data.nonEmptyString()) else { throw data.error("Input should be valid base64") }
        case "text":
            _ = try source["media_type"].string(oneOf: ["text/plain"])
            _ = try source["data"].string()
        case "url": _ = try source["url"].nonEmptyString()
        case "file": _ = try source["file_id"].nonEmptyString()
        default: if source["content"].kind != .string { try ContentBlock.checkResult(source["content"]) }
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
