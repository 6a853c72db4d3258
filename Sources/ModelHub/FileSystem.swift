import Dispatch
import Foundation

/// The few things a cache asks of a file system, with errors as sentences.
enum FileSystem {
    /// Makes a folder and what is missing above it.
    static func makeFolder(_ path: String) throws(HubError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            let reason = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError) ?? error as NSError
            throw HubError("\(path): the folder cannot be made: \(reason.localizedDescription)")
        }
    }

    static func folder(of path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) }

    /// What a symbolic link says; nil if the path is none.
    static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Size of the regular file that a path leads to, through links; nil if there is none.
    static func size(_ path: String) -> Int? {
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(information.st_size)
    }

    /// Size of what lies at the path itself; nil if there is nothing.
    static func sizeOfEntry(_ path: String) -> Int? {
        var information = stat()
        return lstat(path, &information) == 0 ? Int(information.st_size) : nil
    }

    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder in order; none if there is no such folder.
    static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    }

    /// The paths below a folder, relative to it, links not followed; none if there is no such folder.
    static func everything(below folder: String) -> [String] {
        FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    }

    /// Gives a file its name, in place of whatever had it.
    static func rename(_ source: String, to destination: String) throws(HubError) {
        guard Foundation.rename(source, destination) == 0 else { throw .file(source, "renamed", errno) }
    }

    /// Writes a small file whole or not at all.
    /// - Parameter folder: where the draft is, on the same disk; what is left of a killed program disturbs nobody there.
    static func write(_ text: String, to path: String, by folder: String) throws(HubError) {
        let draft = draft(in: folder)
        guard FileManager.default.createFile(atPath: draft, contents: Data(text.utf8)) else {
            throw .file(draft, "written", errno)
        }
        try rename(draft, to: path)
    }

    /// Makes a symbolic link whole or not at all, in place of whatever had its name.
    static func link(_ target: String, at path: String, by folder: String) throws(HubError) {
        let draft = draft(in: folder)
        guard symlink(target, draft) == 0 else { throw .file(path, "made a link", errno) }
        try rename(draft, to: path)
    }

    private static func draft(in folder: String) -> String { "\(folder)/.draft-\(UInt64.random(in: .min ... .max))" }

    /// Bytes that a user may still write in the file system of a path, or of the nearest folder above it that exists.
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

    /// Does what may take long away from the threads that tasks share.
    static func apart<Value: Sendable>(
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
