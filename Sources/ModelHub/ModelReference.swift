import Console

/// What a user calls a model of a hub: `ORG/NAME`, `ORG/NAME@revision`, `ORG/NAME:QUANT`.
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
    package let repository: RepositoryName
    /// A branch, a tag or a commit.
    package let revision: String
    /// Which of a repository's GGUF files: `Q4_K_M`, or a file's name.
    package let variant: String?

    package static let defaultRevision = "main"

    /// - Throws: `HubError` for a text that no hub would understand, or that could leave the cache's folder.
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

    /// Whether a text can only be meant as a model of a hub or as a relative path.
    package static func isPlausible(_ text: String) -> Bool { (try? ModelReference(text)) != nil }

    /// A revision also names a file below `refs`.
    private static func isRevision(_ text: String) -> Bool {
        guard let path = try? RepositoryPath(text), text.utf8.count <= 200 else { return false }
        return !path.components.contains { $0.hasPrefix(".") || $0.hasSuffix(".lock") }
            && !text.contains { " ~^:?*[".contains($0) }
    }
}
