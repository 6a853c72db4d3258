import Console

/// A user's reference to a model on a hub: `ORG/NAME`, `ORG/NAME@revision`, `ORG/NAME:QUANT`.
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
    package let repository: RepositoryName
    /// A branch, a tag or a commit.
    package let revision: String
    /// Which of a repository's GGUF files: `Q4_K_M`, or a file's name.
    package let variant: String?

    package static let defaultRevision = "main"

    /// - Throws: `HubError` for a text that is not valid on a hub or could leave the cache's folder.
    package init(_ text: String) throws(HubError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let named = (parts.first ?? "").split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        repository = try RepositoryName(String(named.first ?? ""))
        guard repository.description.contains("/") else {
            throw HubError("'\(text.printable)' lacks its owner: ORG/NAME is expected")
        }
        revision = named.count > 1 ? String(named[1]) : Self.defaultRevision
        guard Self.isRevision(revision) else {
            throw HubError("'\(revision.printable)' cannot be a revision: a branch, a tag or a commit is expected")
        }
        variant = parts.count > 1 ? String(parts[1]) : nil
        if let variant, variant.isEmpty || (try? RepositoryPath(variant)) == nil {
            throw HubError("'\(text.printable)': after the colon a quantisation is expected, such as Q4_K_M")
        }
    }

    package var description: String {
        let suffix = variant.map { ":" + $0 } ?? ""
        return revision == Self.defaultRevision ? "\(repository)\(suffix)" : "\(repository)@\(revision)\(suffix)"
    }

    /// Whether a text is a valid reference; it may be a relative path as well.
    package static func isPlausible(_ text: String) -> Bool { (try? ModelReference(text)) != nil }

    /// A revision also names a file below `refs`.
    private static func isRevision(_ text: String) -> Bool {
        guard let path = try? RepositoryPath(text), text.utf8.count <= 200 else { return false }
        return !path.components.contains { $0.hasPrefix(".") || $0.hasSuffix(".lock") }
            && !text.contains { " ~^:?*[".contains($0) }
    }
}

/// The name of a repository on a hub, `ORG/NAME`, and of its folder in the cache.
package struct RepositoryName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `HubError` unless a hub allows the name: it becomes part of paths and URLs.
    package init(_ text: String) throws(HubError) {
        guard Self.isValid(text) else {
            throw HubError(
                "'\(text.printable)' is not the name of a model: ORG/NAME of letters, digits, '-', '_' and '.' is expected"
            )
        }
        description = text
    }

    /// The repository of a folder in the cache; nil for other folders.
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

    /// The rules of `huggingface_hub`: one or two components, up to 96 characters in total, no `--` and no `..`.
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

/// The path of a file in a repository. Paths from a server are not trusted: this type holds only relative paths that
/// stay below the folder they are appended to and are safe to print on a terminal.
package struct RepositoryPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String
    /// The components between slashes, split by bytes as in a file system.
    package let components: [String]

    /// - Throws: `HubError` for an absolute path, `.` or `..`, an empty component, a backslash, a control character, or
    ///   components that are too long for a file system.
    package init(_ text: String) throws(HubError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        components = parts.map { String(Substring($0)) }
        let isSafe =
            text.utf8.count <= 1024
            && components.allSatisfy { !["", ".", ".."].contains($0) && $0.utf8.count <= 255 }
            && text.unicodeScalars.allSatisfy { scalar in
                scalar != "\\" && !Self.hidden.contains(scalar.properties.generalCategory)
            }
        guard isSafe else {
            throw HubError("the hub lists a file named '\(text.printable)'; such a name is refused")
        }
        description = text
    }

    package var name: String { components[components.count - 1] }
    package var isAtTop: Bool { components.count == 1 }

    package static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    /// Categories that control a terminal or are invisible.
    private static let hidden: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
}
