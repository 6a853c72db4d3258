import Foundation

/// The removal of a model from the cache without its shared contents. Planned first, so that the user can be asked,
/// then run.
package struct CacheRemoval: Sendable {
    private let cache: HubCache
    private let repository: RepositoryName
    /// Links in snapshots and files in `refs`, or these two folders.
    private var entries: [String] = []
    /// Blobs that no remaining snapshot uses.
    private var blobs: [String] = []
    /// Whether the model's folder is removed as a whole.
    private var isWhole = false

    /// Removes all revisions of a model.
    /// - Throws: `HubError` if the cache does not have it.
    package init(all repository: RepositoryName, in cache: HubCache) throws(HubError) {
        (self.cache, self.repository) = (cache, repository)
        guard FileSystem.isFolder(cache.folder(repository)) else { throw Self.missing("\(repository)", cache) }
        isWhole = true
        entries = ["refs", "snapshots"].map { "\(cache.folder(repository))/\($0)" }
        blobs = FileSystem.names(in: cache.folder(repository) + "/blobs").map(blobPath)
    }

    /// Removes one revision, or one quantisation of it.
    /// - Throws: `HubError` if the cache does not have it.
    package init(_ reference: ModelReference, in cache: HubCache) throws(HubError) {
        (self.cache, self.repository) = (cache, reference.repository)
        guard let commit = cache.commit(of: reference), FileSystem.isFolder(cache.snapshot(commit, of: repository))
        else {
            throw Self.missing("\(reference)", cache)
        }
        let snapshot = cache.snapshot(commit, of: repository)
        let all = Self.links(below: snapshot)
        var chosen = all
        if let variant = reference.variant {
            let sizes = cache.files(commit: commit, of: repository)
            let names = try FileSelection(sizes, variant: variant, of: repository).files.map { "\(snapshot)/\($0)" }
            chosen = all.filter { names.contains($0) }
        }
        entries = chosen
        if chosen.count == all.count {
            let references = cache.references(of: repository)[commit] ?? []
            entries += references.map { "\(cache.folder(repository))/refs/\($0)" }
        }
        let kept = Set(Self.links(below: cache.folder(repository) + "/snapshots")).subtracting(entries)
        let used = Set(kept.compactMap(Self.contentName))
        blobs = Set(chosen.compactMap(Self.contentName)).subtracting(used).sorted().map(blobPath)
    }

    /// Bytes that will be freed, without contents that the cache shares between models.
    package var bytes: Int {
        let folder = cache.folder(repository)
        let paths = isWhole ? FileSystem.descendants(of: folder).map { "\(folder)/\($0)" } : blobs + entries
        return paths.filter { FileSystem.linkTarget($0) == nil && !FileSystem.isFolder($0) }
            .reduce(0) { $0 + (FileSystem.sizeOfEntry($1) ?? 0) }
    }

    /// Removes links before blobs, so that no link is ever dangling.
    /// - Returns: the bytes freed.
    /// - Throws: `HubError` if another process is downloading the model, or the disk refuses.
    package func run() throws(HubError) -> Int {
        let locks = try lockAll()
        defer { withExtendedLifetime(locks) {} }
        let shared = blobs.compactMap { SharedContent(link: $0, cache: cache) }
        var freed = bytes
        for path in entries { try remove(path) }
        for path in blobs { try remove(path) }
        if isWhole {
            try remove(cache.folder(repository))
            try remove(cache.locks(repository))
        } else {
            removeEmptyFolders(below: cache.folder(repository) + "/snapshots")
        }
        for content in shared { freed += try content.removeIfUnused() }
        return freed
    }

    private static func missing(_ name: String, _ cache: HubCache) -> HubError {
        HubError("\(name) is not in \(cache.root); pensieve models lists what is")
    }

    private func blobPath(_ name: String) -> String { "\(cache.folder(repository))/blobs/\(name)" }

    /// All entries below a folder except folders.
    private static func links(below folder: String) -> [String] {
        FileSystem.descendants(of: folder).map { "\(folder)/\($0)" }.filter { !FileSystem.isFolder($0) }
    }

    /// The name of the blob that a snapshot's link points to.
    private static func contentName(_ link: String) -> String? {
        guard let target = FileSystem.linkTarget(link) else { return nil }
        let parts = target.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == "blobs" else { return nil }
        return parts.last.map(String.init)
    }

    private func lockAll() throws(HubError) -> [FileLock] {
        let folder = cache.locks(repository)
        var locks: [FileLock] = []
        for name in FileSystem.names(in: folder) where name.hasSuffix(".lock") {
            guard let lock = try FileLock.attempt("\(folder)/\(name)") else {
                throw HubError("\(repository) is being downloaded by another process; wait for it, or end it first")
            }
            locks.append(lock)
        }
        return locks
    }

    private func remove(_ path: String) throws(HubError) {
        guard FileSystem.sizeOfEntry(path) != nil else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw HubError("\(path): cannot be removed: \((error as NSError).localizedDescription)")
        }
    }

    /// Removes folders that are empty now; `rmdir` fails for others.
    private func removeEmptyFolders(below folder: String) {
        let folders = FileSystem.descendants(of: folder).map { "\(folder)/\($0)" }.filter(FileSystem.isFolder)
        for path in folders.sorted(by: { $0.utf8.count > $1.utf8.count }) { rmdir(path) }
    }
}

/// A content that newer versions of `huggingface_hub` store once for all models: `blobs/ab/ab12…` of the cache, to
/// which models' blobs are links.
private struct SharedContent {
    private let path: String
    private let cache: HubCache

    /// Nil unless the blob is such a link.
    init?(link: String, cache: HubCache) {
        guard let target = FileSystem.linkTarget(link), let name = target.split(separator: "/").last, name.count == 64,
            ContentHash(entityTag: String(name)) != nil, target == "../../blobs/\(name.prefix(2))/\(name)"
        else { return nil }
        path = "\(cache.root)/blobs/\(name.prefix(2))/\(name)"
        self.cache = cache
    }

    /// Removes the content if no repository's blob points to it, holding the lock that is taken for new links.
    /// - Returns: the bytes freed.
    func removeIfUnused() throws(HubError) -> Int {
        guard let size = FileSystem.size(path), let lock = try FileLock.attempt(path + ".lock") else { return 0 }
        defer { withExtendedLifetime(lock) {} }
        let name = path.split(separator: "/").suffix(2).joined(separator: "/")
        let isUsed = FileSystem.names(in: cache.root).contains { folder in
            FileSystem.names(in: "\(cache.root)/\(folder)/blobs").contains { blob in
                FileSystem.linkTarget("\(cache.root)/\(folder)/blobs/\(blob)")?.hasSuffix(name) == true
            }
        }
        guard !isUsed, unlink(path) == 0 else { return 0 }
        unlink(path + ".refs")
        return size
    }
}
