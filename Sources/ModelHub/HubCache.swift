import Foundation

/// The cache that all programs on the machine share, in the layout of the `huggingface_hub` package:
///
///     .locks/models--ORG--NAME/HASH.lock
///     models--ORG--NAME/
///       blobs/HASH                     contents, named by their hash
///       blobs/HASH.incomplete          what has come so far
///       refs/main                      the commit that a branch or tag stood for when it was last asked for
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

    /// Whether a content is there whole. What has its name has been checked.
    func hasBlob(_ file: RemoteFile, of repository: RepositoryName) -> Bool {
        FileSystem.size(blob(file.hash, of: repository)) == file.size
    }

    /// Makes the folders of a model.
    func prepare(_ repository: RepositoryName) throws(HubError) {
        for name in ["blobs", "refs", "snapshots"] { try FileSystem.makeFolder("\(folder(repository))/\(name)") }
        try FileSystem.makeFolder(locks(repository))
        let tag = root + "/CACHEDIR.TAG"
        if FileSystem.sizeOfEntry(tag) == nil { try FileSystem.write(Self.cacheTag, to: tag, by: root) }
    }

    /// Tells programs that make backups to leave the folder out (bford.info/cachedir).
    private static let cacheTag = """
        Signature: 8a477f597d28d172789f06886806bc55
        # This folder holds downloads that can be had again.

        """

    /// Puts checked contents under their names in the snapshot of a commit.
    func link(_ files: [RemoteFile], commit: String, of repository: RepositoryName) throws(HubError) {
        for file in files {
            let path = snapshot(commit, of: repository) + "/" + file.path.description
            let up = String(repeating: "../", count: file.path.components.count + 1)
            let target = up + "blobs/" + file.hash.hexadecimal
            try FileSystem.makeFolder(FileSystem.folder(of: path))
            if FileSystem.linkTarget(path) != target { try FileSystem.link(target, at: path, by: folder(repository)) }
        }
    }

    /// Remembers which commit a revision stands for.
    func setCommit(_ commit: String, of reference: ModelReference) throws(HubError) {
        guard reference.revision != commit, self.commit(of: reference) != commit else { return }
        let path = "\(folder(reference.repository))/refs/\(reference.revision)"
        try FileSystem.makeFolder(FileSystem.folder(of: path))
        try FileSystem.write(commit, to: path, by: folder(reference.repository))
    }

    /// The commit that a revision stood for when it was last asked for; nil if it never was.
    package func commit(of reference: ModelReference) -> String? {
        if RepositoryListing.isCommit(reference.revision) { return reference.revision }
        let path = "\(folder(reference.repository))/refs/\(reference.revision)"
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return RepositoryListing.isCommit(text) ? text : nil
    }

    /// The files of a snapshot that are there whole, with their sizes.
    func files(commit: String, of repository: RepositoryName) -> [RepositoryPath: Int?] {
        let folder = snapshot(commit, of: repository)
        var files: [RepositoryPath: Int?] = [:]
        for name in FileSystem.everything(below: folder) {
            guard let path = try? RepositoryPath(name), let size = FileSystem.size("\(folder)/\(name)") else {
                continue
            }
            files[path] = .some(size)
        }
        return files
    }
}
