import Foundation
import Synchronization

/// A blob that is being downloaded, hashed while it is written.
final class IncompleteFile: Sendable {
    private struct State {
        var count = 0
        var hasher: ContentHasher
    }

    let path: String
    private let file: RemoteFile
    private let descriptor: Int32
    private let state: Mutex<State>

    /// Opens the file, or creates it.
    /// - Throws: `HubError` for a failed file operation, as the other methods.
    init(path: String, of file: RemoteFile) throws(HubError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .file(path, "opened", errno) }
        self.path = path
        self.file = file
        state = Mutex(State(hasher: file.hash.hasher(size: file.size)))
    }

    deinit { close(descriptor) }

    var count: Int { state.withLock { $0.count } }

    /// Continues an earlier download, whose bytes are hashed first; a file that is too long is emptied.
    func resume() throws(HubError) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw .file(path, "read", errno) }
        guard information.st_size <= file.size else { return try restart() }
        let end = Int(information.st_size)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while count < end {
            let read = pread(descriptor, &buffer, min(buffer.count, end - count), off_t(count))
            guard read > 0 else { throw .file(path, "read", errno) }
            state.withLock { state in
                buffer.withUnsafeBytes { state.hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<read])) }
                state.count += read
            }
        }
    }

    /// Starts again with an empty file.
    func restart() throws(HubError) {
        guard ftruncate(descriptor, 0) == 0 else { throw .file(path, "emptied", errno) }
        state.withLock { $0 = State(hasher: file.hash.hasher(size: file.size)) }
    }

    /// Adds the next bytes.
    /// - Throws: `HubError` if they exceed the file's size or the disk is full; earlier bytes are kept.
    func append(_ data: Data) throws(HubError) {
        let offset = count
        guard data.count <= file.size - offset else {
            throw HubError("\(file.path): more bytes come than the \(file.size) that the hub promised")
        }
        var written = 0
        while written < data.count {
            let result = data.withUnsafeBytes { bytes in
                pwrite(
                    descriptor,
                    bytes.baseAddress.map { $0 + written },
                    bytes.count - written,
                    off_t(offset + written)
                )
            }
            guard result > 0 else {
                if result < 0, errno == EINTR { continue }
                throw writeFailure(errno, missing: file.size - offset - written)
            }
            written += result
        }
        state.withLock { state in
            data.withUnsafeBytes { state.hasher.update($0) }
            state.count += data.count
        }
    }

    /// Flushes the file to disk and returns the hash of its bytes.
    func finish() throws(HubError) -> String {
        guard fsync(descriptor) == 0 else { throw .file(path, "written", errno) }
        return state.withLock { state in
            var hasher = state.hasher
            return hasher.finish()
        }
    }

    private func writeFailure(_ code: Int32, missing: Int) -> HubError {
        guard code == ENOSPC || code == EDQUOT else { return .file(path, "written", code) }
        return HubError(
            "the disk is full: \(file.path) needs \(missing) bytes more in \(FileSystem.folder(of: path)). "
                + "What has come is kept: free some space and pull again"
        )
    }
}
