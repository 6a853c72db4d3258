import Foundation

/// A model's folder in the cache, filled by this program or another.
package struct CachedRepository: Sendable {
    package let name: RepositoryName
    package let revisions: [CachedRevision]
    /// Bytes of incomplete downloads.
    package let incompleteBytes: Int
}

/// A commit of a model of which the cache has at least a part.
package struct CachedRevision: Sendable {
    package let commit: String
    /// The branches and tags that pointed to it when they were last resolved.
    package let references: [String]
    /// What can be loaded: a folder, or each quantisation.
    package let models: [LocalModel]
    /// Bytes of all its files.
    package let bytes: Int

    /// The name of the revision: `main`, another reference, or the commit.
    package var reference: String {
        let main = references.first { $0 == ModelReference.defaultRevision }
        return main ?? references.first ?? commit
    }
}

extension HubCache {
    /// All models in the cache, sorted by name.
    package func repositories() -> [CachedRepository] {
        FileSystem.names(in: root).compactMap { RepositoryName(folder: $0) }.sorted().map(repository)
    }

    package func repository(_ name: RepositoryName) -> CachedRepository {
        let folder = folder(name)
        let references = references(of: name)
        let incomplete = FileSystem.names(in: folder + "/blobs").filter { $0.hasSuffix(".incomplete") }
        let commits = FileSystem.names(in: folder + "/snapshots").filter(RepositoryListing.isCommit)
        return CachedRepository(
            name: name,
            revisions: commits.map { revision($0, of: name, references: references[$0] ?? []) },
            incompleteBytes: incomplete.map { FileSystem.size("\(folder)/blobs/\($0)") ?? 0 }.saturatedSum
        )
    }

    private func revision(_ commit: String, of name: RepositoryName, references: [String]) -> CachedRevision {
        let sizes = files(commit: commit, of: name)
        var models: [LocalModel] = []
        if let model = model(commit, variant: nil, of: name), model.selection.format == .folder { models.append(model) }
        let firstParts = sizes.keys.sorted().filter { GGUFName($0)?.part == 1 }
        models += firstParts.compactMap { model(commit, variant: $0.description, of: name) }
        return CachedRevision(
            commit: commit,
            references: references,
            models: models,
            bytes: sizes.values.reduce(0) { $0 + ($1 ?? 0) }
        )
    }

    /// The references of a model by commit.
    func references(of name: RepositoryName) -> [String: [String]] {
        let folder = folder(name) + "/refs"
        var references: [String: [String]] = [:]
        for path in FileSystem.descendants(of: folder) {
            guard FileSystem.size("\(folder)/\(path)") != nil, let text = try? ModelReference("\(name)@\(path)"),
                let commit = commit(of: text)
            else { continue }
            references[commit, default: []].append(path)
        }
        return references.mapValues { $0.sorted() }
    }
}
