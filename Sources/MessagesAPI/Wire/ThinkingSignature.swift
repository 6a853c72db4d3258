import Foundation

/// The signatures of thinking blocks. Clients send them back unread with the block, so they carry the text of thinking
/// that a client did not want to see: the model's next turn may need it.
enum ThinkingSignature {
    private static let tag = "pensieve1."

    /// - Parameter hidden: the text of a block that is sent without it.
    static func make(hiding hidden: String = "") -> String {
        tag + Data(hidden.utf8).base64EncodedString()
    }

    /// The text that a signature carries; nil for one of another server.
    static func text(in signature: String) -> String? {
        guard signature.hasPrefix(tag), let data = Data(base64Encoded: String(signature.dropFirst(tag.count))) else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }
}
