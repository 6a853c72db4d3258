import JSON

/// A `document` that consists of text.
struct DocumentBlock: Sendable, Equatable {
    var title: String?
    var context: String?
    var texts: [String]

    /// - Returns: an unreadable block for a document of another kind.
    static func read(_ block: JSONNode, _ unsupported: inout Unsupported) throws(JSONError) -> ContentBlock {
        let title = try block["title"].nullable?.string()
        let context = try block["context"].nullable?.string()
        try block["citations"].nullable?.checkObject()
        let source = block["source"]
        let type = try source["type"].string(oneOf: ["base64", "text", "content", "url", "file"])
        switch type {
        case "text":
            _ = try source["media_type"].string(oneOf: ["text/plain"])
            let text = try source["data"].string()
            return .document(DocumentBlock(title: title, context: context, texts: text.isEmpty ? [] : [text]))
        case "content":
            let blocks = try ContentBlock.list(source["content"], in: .document, &unsupported)
            let texts = blocks.compactMap { block in
                if case .text(let text) = block { text } else { nil }
            }
            return .document(DocumentBlock(title: title, context: context, texts: texts))
        case "base64": try MediaSource.checkBase64(source, mediaTypes: ["application/pdf"])
        case "url": _ = try source["url"].nonEmptyString()
        default: _ = try source["file_id"].nonEmptyString()
        }
        let what = type == "base64" ? "a PDF" : "a source of type '\(type)'"
        return .unreadable(
            reason: "document blocks with \(what) are not supported by this model, which reads text only"
        )
    }
}

/// A `search_result`.
struct SearchResultBlock: Sendable, Equatable {
    var source: String
    var title: String
    var texts: [String] = []

    init(_ block: JSONNode) throws(JSONError) {
        source = try block["source"].string()
        title = try block["title"].string()
        try block["citations"].nullable?.checkObject()
        for text in try block["content"].elements() {
            guard try text["type"].string() == "text" else {
                throw text["type"].error("only text blocks may be here")
            }
            texts.append(try TextBlock.read(text))
        }
    }
}

/// Checks of sources that this server cannot read: a malformed one is refused as malformed.
enum MediaSource {
    private static let imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"]

    static func checkImage(_ source: JSONNode) throws(JSONError) {
        switch try source["type"].string(oneOf: ["base64", "url", "file"]) {
        case "base64": try checkBase64(source, mediaTypes: imageTypes)
        case "url": _ = try source["url"].nonEmptyString()
        default: _ = try source["file_id"].nonEmptyString()
        }
    }

    static func checkBase64(_ source: JSONNode, mediaTypes: [String]) throws(JSONError) {
        _ = try source["media_type"].string(oneOf: mediaTypes)
        let data = source["data"]
        guard isBase64(try data.nonEmptyString()) else { throw data.error("Input should be valid base64") }
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
