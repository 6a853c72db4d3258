import Foundation

/// The model cache that all programs on the machine share, in the layout of `huggingface_hub`:
///
///     .locks/models--ORG--NAME/HASH.lock
///     models--ORG--NAME/
///       blobs/HASH                     contents, named by their hash
///       blobs/HASH.incomplete          an incomplete download
///       refs/main                      the commit that a branch or tag pointed to when it was last resolved
///       snapshots/COMMIT/config.json   -> ../../blobs/HASH
package struct HubCache: Sendable {
    package let root: String

    package init(root: String) { self.root = root }

    package func folder(_ repository: RepositoryName) -> String { "\(root)/\(repository.folder)" }

    func blob(_ hash: ContentHash, of repository: RepositoryName) -> String {
        "\(folder(repository))/blobs/\(hash.hexadecimal)"
    }

    func incomplete(_ hash: ContentHash, of repository: RepositoryName) -> String {
        blob(hash, of: repository) + ".incomplete"
    }

    func locks(_ repository: RepositoryName) -> String { "\(root)/.locks/\(repository.folder)" }

    func lock(_ hash: ContentHash, of repository: RepositoryName) -> String {
        "\(locks(repository))/\(hash.hexadecimal).lock"
    }

    func snapshot(_ commit: String, of repository: RepositoryName) -> String {
        "\(folder(repository))/snapshots/\(commit)"
    }

    /// Whether a blob is complete; blobs are verified before they get their name.
    func hasBlob(_ file: RemoteFile, of repository: RepositoryName) -> Bool {
        FileSystem.size(blob(file.hash, of: repository)) == file.size
    }

    /// Creates the folders of a model.
    /// - Throws: `HubError` for a failed file operation, as the next three.
    func prepare(_ repository: RepositoryName) throws(HubError) {
        for name in ["blobs", "refs", "snapshots"] { try FileSystem.makeFolder("\(folder(repository))/\(name)") }
        try FileSystem.makeFolder(locks(repository))
        let tag = root + "/CACHEDIR.TAG"
        if FileSystem.sizeOfEntry(tag) == nil { try FileSystem.write(Self.cacheTag, to: tag, by: root) }
    }

    /// Makes backup programs skip the folder (bford.info/cachedir).
    private static let cacheTag = """
        Signature: 8a477f597d28d172789f06886806bc55
        # This folder holds downloads that can be had again.

        """

    /// Links blobs under their names in the snapshot of a commit.
    func link(_ files: [RemoteFile], commit: String, of repository: RepositoryName) throws(HubError) {
        for file in files {
            let path = snapshot(commit, of: repository) + "/" + file.path.description
            let up = String(repeating: "../", count: file.path.components.count + 1)
            let target = up + "blobs/" + file.hash.hexadecimal
            try FileSystem.makeFolder(FileSystem.folder(of: path))
            if FileSystem.linkTarget(path) != target { try FileSystem.link(target, at: path, by: folder(repository)) }
        }
    }

    /// Gives `body` a folder with files that were fetched, under their names; it is no snapshot, and gone afterwards.
    func withFolder(
        of files: [RemoteFile],
        of repository: RepositoryName,
        _ body: (String) throws(HubError) -> Void
    ) throws(HubError) {
        let folder = "\(self.folder(repository))/.draft-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for file in files {
            let path = folder + "/" + file.path.description
            let target = URL(fileURLWithPath: blob(file.hash, of: repository)).path
            try FileSystem.makeFolder(FileSystem.folder(of: path))
            guard symlink(target, path) == 0 else { throw .file(path, "made a link", errno) }
        }
        try body(folder)
    }

    /// Records which commit a revision points to.
    func setCommit(_ commit: String, of reference: ModelReference) throws(HubError) {
        guard reference.revision != commit, self.commit(of: reference) != commit else { return }
        let path = "\(folder(reference.repository))/refs/\(reference.revision)"
        try FileSystem.makeFolder(FileSystem.folder(of: path))
        try FileSystem.write(commit, to: path, by: folder(reference.repository))
    }

    /// The commit that a revision pointed to when it was last resolved; nil if it never was.
    package func commit(of reference: ModelReference) -> String? {
        if RepositoryListing.isCommit(reference.revision) { return reference.revision }
        let path = "\(folder(reference.repository))/refs/\(reference.revision)"
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return RepositoryListing.isCommit(text) ? text : nil
    }

    /// The complete files of a snapshot, with their sizes.
    func files(commit: String, of repository: RepositoryName) -> [RepositoryPath: Int?] {
        let folder = snapshot(commit, of: repository)
        var files: [RepositoryPath: Int?] = [:]
        for name in FileSystem.descendants(of: folder) {
            guard let path = try? RepositoryPath(name), let size = FileSystem.size("\(folder)/\(name)") else {
                continue
            }
            files[path] = .some(size)
        }
        return files
    }
}
