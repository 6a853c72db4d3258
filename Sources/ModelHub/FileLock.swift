import Foundation

/// An advisory lock on a file, as the `filelock` package takes it, so that a download by Python waits for ours and ours for
/// its. The kernel gives it back when the process ends, in whatever way.
final class FileLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Takes the lock if it is free; nil if another has it.
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
        // A file that was deleted meanwhile guards no name.
        guard fstat(descriptor, &information) == 0, information.st_nlink > 0 else {
            close(descriptor)
            return nil
        }
        return FileLock(descriptor: descriptor)
    }

    /// Takes the lock as soon as it is free.
    /// - Parameter waiting: called once, if another has it.
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
