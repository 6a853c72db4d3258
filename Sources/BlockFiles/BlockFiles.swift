import Dispatch
package import EngineContract
import Foundation
import Hashing
package import Scheduling
import Synchronization

/// KV blocks in a folder, a file for each, bounded in size.
///
/// Files are named by a hash over everything that their contents depend on. Each is written beside its place and renamed,
/// ends with a hash over the whole, and is believed only if every byte of its head is as expected and the hash is right:
/// one that is torn, changed, of another model or of another form is removed. Several processes may share a folder; one
/// that finds a file gone computes the block.
///
/// Work on files is done on a queue of its own, never on the cooperative pool.
package final class BlockFiles: BlockStore {
    private let folder: String
    private let form: BlockForm
    private let maxBytes: Int
    private let index: Mutex<FileIndex>
    private let queue = DispatchQueue(label: "pensieve.block-files", qos: .utility)

    /// Looks at what is in the folder, which is made if there is none.
    /// - Parameters:
    ///   - maxBytes: of all files of blocks in the folder together, whatever model they are of.
    ///   - identity: everything that the contents of blocks depend on besides tokens.
    ///   - contentBytes: in each block.
    /// - Throws: `BlockFilesError` if the folder cannot be used.
    package init(
        folder: String,
        maxBytes: Int,
        identity: String,
        blockTokens: Int,
        contentBytes: Int
    ) throws(BlockFilesError) {
        self.folder = folder
        self.maxBytes = maxBytes
        form = BlockForm(identity: identity, blockTokens: blockTokens, contentBytes: contentBytes)
        do {
            // What people asked is nobody else's business.
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw BlockFilesError("\(folder): the folder cannot be made: \(error.localizedDescription)")
        }
        guard access(folder, R_OK | W_OK | X_OK) == 0 else {
            throw BlockFilesError("\(folder): the folder cannot be used: \(String(cString: strerror(errno)))")
        }
        index = Mutex(FileIndex(folder: folder))
        makeRoom(for: 0)
    }

    package var capacity: Int { maxBytes / form.fileBytes }

    package func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String { form.name(after: parent, tokens) }

    package func contains(_ name: String) -> Bool { index.withLock { $0.contains(name) } }

    package func use(_ name: String) -> Bool {
        guard index.withLock({ $0.use(name) }) else { return false }
        // For the next process, which knows files by their times.
        return utimensat(AT_FDCWD, path(name), nil, 0) == 0
    }

    package func read(_ blocks: [StoredBlock]) async -> [[UInt8]] {
        await onQueue { [self] in
            var result: [[UInt8]] = []
            for block in blocks {
                guard let contents = read(block) else { break }
                result.append(contents)
            }
            return result
        }
    }

    package func write(_ block: StoredBlock, _ contents: [UInt8]) async -> Bool {
        await onQueue { [self] in
            guard contents.count == form.contentBytes, form.fileBytes <= maxBytes else { return false }
            makeRoom(for: form.fileBytes)
            guard BlockFile.write(form.head(of: block), contents, to: path(block.name)) else { return false }
            index.withLock { $0.add(block.name, bytes: form.fileBytes) }
            return true
        }
    }

    private func onQueue<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { @Sendable in continuation.resume(returning: work()) }
        }
    }

    /// A block's contents; nil, and no file any more, if it is not what it should be.
    private func read(_ block: StoredBlock) -> [UInt8]? {
        let path = path(block.name)
        guard let contents = BlockFile.read(path, head: form.head(of: block), contentBytes: form.contentBytes) else {
            unlink(path)
            index.withLock { $0.remove(block.name) }
            return nil
        }
        _ = use(block.name)
        return contents
    }

    /// Removes files that were not used for longest until there is room for another.
    private func makeRoom(for bytes: Int) {
        while let name = index.withLock({ $0.removeOldest(ifOver: maxBytes - bytes) }) { unlink(path(name)) }
    }

    private func path(_ name: String) -> String { folder + "/" + name + FileIndex.ending }
}

/// Why a folder for blocks cannot be used.
package struct BlockFilesError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
