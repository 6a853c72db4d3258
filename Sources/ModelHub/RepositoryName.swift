import Console

/// The name of a model on a hub, `ORG/NAME`, and of its folder in the cache.
package struct RepositoryName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `HubError` unless the text is what a hub allows: it becomes part of paths and addresses.
    package init(_ text: String) throws(HubError) {
        guard Self.isValid(text) else {
            throw HubError(
                "'\(text.printable)' is not the name of a model: ORG/NAME of letters, digits, '-', '_' and '.' is expected"
            )
        }
        description = text
    }

    /// The model that a folder of the cache belongs to; nil for anything but models.
    package init?(folder: String) {
        guard folder.hasPrefix(Self.prefix) else { return nil }
        let text = String(folder.dropFirst(Self.prefix.count).replacing("--", with: "/"))
        guard Self.isValid(text) else { return nil }
        description = text
    }

    /// As in `models--ORG--NAME`.
    package var folder: String { Self.prefix + description.replacing("/", with: "--") }

    private static let prefix = "models--"

    package static func < (left: Self, right: Self) -> Bool {
        let (a, b) = (left.description.lowercased(), right.description.lowercased())
        return (a, left.description) < (b, right.description)
    }

    /// The rules of `huggingface_hub`: one or two parts, up to 96 characters in all, no `--` and no `..`.
    private static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), text.utf8.count <= 96, !text.contains("--"), !text.contains("..") else {
            return false
        }
        return parts.allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            return part.utf8.allSatisfy(isNameCharacter) && ![first, last].contains { $0 == 0x2d || $0 == 0x2e }
        } && !text.hasSuffix(".git")
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
        default: false
        }
    }
}
