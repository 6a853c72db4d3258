import Dispatch
package import EngineContract
import Foundation
import Hashing
package import Scheduling
import Synchronization

/// KV blocks on disk: one file for each in a folder of bounded size, evicted in LRU order.
///
/// A file's name is a hash over everything that its contents depend on. Each file is written under a temporary name and
/// renamed, and ends with a hash over the whole. It is used only if its head is as expected and the hash matches; a
/// file that is torn, modified, or of another model or format is removed. Several processes may share a folder: a
/// process that misses a file computes the block.
///
/// File operations run on a queue of their own, never on the cooperative pool.
package final class BlockFiles: BlockStore {
    private let folder: String
    private let format: BlockFileFormat
    private let maxBytes: Int
    private let index: Mutex<BlockFileIndex>
    private let queue = DispatchQueue(label: "pensieve.block-files", qos: .utility)

    /// Creates the folder if necessary, and indexes its files.
    /// - Parameters:
    ///   - maxBytes: the most bytes of all block files in the folder, of whatever model.
    ///   - identity: everything that the contents of blocks depend on besides tokens.
    ///   - contentBytes: the size of a block's contents.
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
        format = BlockFileFormat(identity: identity, blockTokens: blockTokens, contentBytes: contentBytes)
        do {
            // Readable by this user only: blocks reveal the prompts.
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
        index = Mutex(BlockFileIndex(folder: folder))
        makeRoom(for: 0)
    }

    package var capacity: Int { maxBytes / format.fileBytes }

    package func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        format.name(after: parent, tokens)
    }

    package func contains(_ name: String) -> Bool { index.withLock { $0.contains(name) } }

    package func use(_ name: String) -> Bool {
        guard index.withLock({ $0.use(name) }) else { return false }
        // Modification times give the next process the order of use.
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
            guard contents.count == format.contentBytes, format.fileBytes <= maxBytes else { return false }
            makeRoom(for: format.fileBytes)
            guard BlockFile.write(format.head(of: block), contents, to: path(block.name)) else { return false }
            index.withLock { $0.add(block.name, bytes: format.fileBytes) }
            return true
        }
    }

    private func onQueue<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { @Sendable in continuation.resume(returning: work()) }
        }
    }

    /// A block's contents; nil if its file is not valid, which is then removed.
    private func read(_ block: StoredBlock) -> [UInt8]? {
        let path = path(block.name)
        guard let contents = BlockFile.read(path, head: format.head(of: block), contentBytes: format.contentBytes)
        else {
            unlink(path)
            index.withLock { $0.remove(block.name) }
            return nil
        }
        _ = use(block.name)
        return contents
    }

    /// Removes least recently used files until `bytes` more fit.
    private func makeRoom(for bytes: Int) {
        while let name = index.withLock({ $0.removeOldest(ifOver: maxBytes - bytes) }) { unlink(path(name)) }
    }

    private func path(_ name: String) -> String { folder + "/" + name + BlockFileIndex.suffix }
}

/// Why a folder for block files cannot be used.
package struct BlockFilesError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
