import Foundation
import Synchronization

/// A download on its way to its name: what has come so far, hashed as it comes.
final class IncompleteFile: Sendable {
    private struct State {
        var count = 0
        var hasher: ContentHasher
    }

    let path: String
    private let file: RemoteFile
    private let descriptor: Int32
    private let state: Mutex<State>

    /// Opens the file, or makes it.
    init(path: String, of file: RemoteFile) throws(HubError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .file(path, "opened", errno) }
        self.path = path
        self.file = file
        state = Mutex(State(hasher: file.hash.hasher(size: file.size)))
    }

    deinit { close(descriptor) }

    var count: Int { state.withLock { $0.count } }

    /// Takes over what an earlier download left, and hashes it; what is longer than the whole file is worth nothing.
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

    /// Begins anew, from nothing.
    func restart() throws(HubError) {
        guard ftruncate(descriptor, 0) == 0 else { throw .file(path, "emptied", errno) }
        state.withLock { $0 = State(hasher: file.hash.hasher(size: file.size)) }
    }

    /// Adds the next bytes.
    /// - Throws: `HubError` if they are more than the file has, or the disk is full; what was there is kept.
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

    /// The hash of all bytes, which are on the disk then.
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
