import Dispatch
import Foundation

/// The file operations that the cache needs. Those that throw throw a `HubError` with path and reason.
enum FileSystem {
    /// Creates a folder with its parents.
    static func makeFolder(_ path: String) throws(HubError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            let reason = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError) ?? error as NSError
            throw HubError("\(path): the folder cannot be made: \(reason.localizedDescription)")
        }
    }

    static func folder(of path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) }

    /// The target of a symbolic link; nil if the path is not a link.
    static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// The size of the regular file at a path, following links; nil if there is none.
    static func size(_ path: String) -> Int? {
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(information.st_size)
    }

    /// The size of the entry at a path, without following links; nil if there is none.
    static func sizeOfEntry(_ path: String) -> Int? {
        var information = stat()
        return lstat(path, &information) == 0 ? Int(information.st_size) : nil
    }

    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder, sorted; empty if there is no such folder.
    static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    }

    /// All paths below a folder, relative to it, without following links; empty if there is no such folder.
    static func descendants(of folder: String) -> [String] {
        FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    }

    /// Renames a file, replacing any that has the name.
    static func rename(_ source: String, to destination: String) throws(HubError) {
        guard Foundation.rename(source, destination) == 0 else { throw .file(source, "renamed", errno) }
    }

    /// Writes a small file atomically.
    /// - Parameter folder: for the temporary file, on the same disk; a file left by a killed process does no harm
    ///   there.
    static func write(_ text: String, to path: String, by folder: String) throws(HubError) {
        let temporary = temporaryPath(in: folder)
        guard FileManager.default.createFile(atPath: temporary, contents: Data(text.utf8)) else {
            throw .file(temporary, "written", errno)
        }
        try rename(temporary, to: path)
    }

    /// Creates a symbolic link atomically, replacing any entry that has the name.
    static func link(_ target: String, at path: String, by folder: String) throws(HubError) {
        let temporary = temporaryPath(in: folder)
        guard symlink(target, temporary) == 0 else { throw .file(path, "made a link", errno) }
        try rename(temporary, to: path)
    }

    private static func temporaryPath(in folder: String) -> String {
        "\(folder)/.draft-\(UInt64.random(in: .min ... .max))"
    }

    /// Bytes available in the file system of a path, or of its nearest existing parent folder; nil if unknown.
    package static func freeBytes(_ path: String) -> Int? {
        var path = path
        var information = statvfs()
        while statvfs(path, &information) != 0 {
            guard errno == ENOENT, path != "/" else { return nil }
            path = folder(of: path)
            if path.isEmpty { path = "/" }
        }
        let (bytes, overflow) = UInt64(information.f_bavail).multipliedReportingOverflow(
            by: UInt64(information.f_frsize)
        )
        return overflow ? Int.max : Int(clamping: bytes)
    }

    /// Runs blocking work on a Dispatch queue, off the cooperative pool.
    /// - Throws: what the work throws.
    static func runBlocking<Value: Sendable>(
        _ work: @escaping @Sendable () throws(HubError) -> Value
    ) async throws(HubError) -> Value {
        let result = await withCheckedContinuation { (done: CheckedContinuation<Result<Value, HubError>, Never>) in
            DispatchQueue.global().async { @Sendable in
                do throws(HubError) {
                    done.resume(returning: .success(try work()))
                } catch {
                    done.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

/// An advisory file lock, compatible with Python's `filelock` package, so that downloads by `huggingface_hub` and by
/// this program wait for each other. The kernel releases it when the process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Takes the lock if it is free; nil if another process holds it.
    /// - Throws: `HubError` if the file cannot be opened or locked.
    static func attempt(_ path: String) throws(HubError) -> FileLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o664)
        guard descriptor >= 0 else { throw .file(path, "opened", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw .file(path, "locked", code) }
            return nil
        }
        var information = stat()
        // The file was deleted meanwhile: a lock on it excludes no one.
        guard fstat(descriptor, &information) == 0, information.st_nlink > 0 else {
            close(descriptor)
            return nil
        }
        return FileLock(descriptor: descriptor)
    }

    /// Waits for the lock.
    /// - Parameter waiting: called once if another process holds it.
    /// - Throws: `HubError` if the file cannot be opened or locked, or the task is cancelled.
    static func acquire(_ path: String, waiting: () -> Void) async throws(HubError) -> FileLock {
        var hasWaited = false
        while true {
            if let lock = try attempt(path) { return lock }
            if !hasWaited { waiting() }
            hasWaited = true
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw HubError("cancelled")
            }
        }
    }
}
