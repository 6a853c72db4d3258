import Dispatch
package import EngineContract
import Foundation
import Hashing
package import Scheduling
import Synchronization

/// KV blocks, and states at the end of some, on disk: one file for each in a folder of bounded size, evicted in LRU order.
///
/// A file's name is a hash over everything that its contents depend on. Each file is written under a temporary name and
/// renamed, and ends with a hash over the whole. It is used only if its head is as expected and the hash matches; a
/// file that is torn, modified, or of another model or format is removed. Several processes may share a folder: a
/// process that misses a file computes the block.
///
/// Files are read and written on a queue of their own, never on the cooperative pool.
package final class BlockFiles: BlockStore {
    private let folder: String
    private let format: BlockFileFormat
    private let maxBytes: Int
    private let index: Mutex<BlockFileIndex>
    private let queue = DispatchQueue(label: "pensieve.block-files", qos: .utility)

    /// Creates the folder if necessary, and indexes its files.
    /// - Parameters:
    ///   - maxBytes: the most bytes of all such files in the folder, of whatever model.
    ///   - identity: everything that the contents of blocks and states depend on besides tokens.
    ///   - blockBytes: the size of a block's contents.
    ///   - stateBytes: the size of a state; 0 if the model has none.
    /// - Throws: `BlockFilesError` if the folder cannot be used.
    package init(
        folder: String,
        maxBytes: Int,
        identity: String,
        blockTokens: Int,
        blockBytes: Int,
        stateBytes: Int = 0
    ) throws(BlockFilesError) {
        self.folder = folder
        self.maxBytes = maxBytes
        format = BlockFileFormat(
            identity: identity,
            blockTokens: blockTokens,
            blockBytes: blockBytes,
            stateBytes: stateBytes
        )
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

    package var capacity: Int { maxBytes }

    package func bytes(of part: StoredPart) -> Int { format.fileBytes(part) }

    package func name(after parent: String?, _ tokens: ArraySlice<Token>) -> String {
        format.name(after: parent, tokens)
    }

    package func contains(_ part: StoredPart, of name: String) -> Bool {
        index.withLock { $0.contains(BlockFileIndex.file(part, of: name)) }
    }

    package func use(_ part: StoredPart, of name: String) async -> Bool {
        await onQueue { [self] in markUsed(part, of: name) }
    }

    private func markUsed(_ part: StoredPart, of name: String) -> Bool {
        let file = BlockFileIndex.file(part, of: name)
        guard index.withLock({ $0.use(file) }) else { return false }
        // Modification times give the next process the order of use.
        return utimensat(AT_FDCWD, path(file), nil, 0) == 0
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
            let bytes = format.fileBytes(block.part)
            guard contents.count == format.contentBytes(block.part), !contents.isEmpty, bytes <= maxBytes else {
                return false
            }
            makeRoom(for: bytes)
            let file = BlockFileIndex.file(block.part, of: block.name)
            guard BlockFile.write(format.head(of: block), contents, to: path(file)) else { return false }
            index.withLock { $0.add(file, bytes: bytes) }
            return true
        }
    }

    private func onQueue<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { @Sendable in continuation.resume(returning: work()) }
        }
    }

    /// A block's contents; nil if its file is not valid, which is then removed, or cannot be read, and is then left alone.
    private func read(_ block: StoredBlock) -> [UInt8]? {
        let file = BlockFileIndex.file(block.part, of: block.name)
        let (head, bytes) = (format.head(of: block), format.contentBytes(block.part))
        let reading = BlockFile.read(path(file), head: head, contentBytes: bytes)
        if case .contents(let contents) = reading {
            _ = markUsed(block.part, of: block.name)
            return contents
        }
        guard case .wrong = reading else {
            index.withLock { $0.hide(file) }
            return nil
        }
        unlink(path(file))
        index.withLock { $0.remove(file) }
        return nil
    }

    /// Removes least recently used files until `bytes` more fit.
    private func makeRoom(for bytes: Int) {
        while let file = index.withLock({ $0.removeOldest(ifOver: maxBytes - bytes) }) { unlink(path(file)) }
    }

    private func path(_ file: String) -> String { folder + "/" + file }
}

/// Why a folder for block files cannot be used.
package struct BlockFilesError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
