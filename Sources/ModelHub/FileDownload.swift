import Console
import Foundation

/// The download of one file into the cache's blobs: locked, resumable, in ranges, verified.
struct FileDownload: Sendable {
    let client: HubClient
    let cache: HubCache
    let reference: ModelReference
    let file: RemoteFile
    let options: PullOptions
    /// Updates the progress.
    let report: @Sendable ((inout PullProgress.File) -> Void) -> Void

    private var repository: RepositoryName { reference.repository }

    /// Returns when the verified blob is in the cache.
    /// - Throws: `HubError`; what was received is kept for the next pull, unless its hash is wrong.
    func run() async throws(HubError) {
        if !cache.hasBlob(file, of: repository) {
            let path = cache.lock(file.hash, of: repository)
            let lock = try await FileLock.acquire(path) { report { $0.phase = .locked } }
            // Another process may have downloaded the file while it held the lock.
            if !cache.hasBlob(file, of: repository) { try await fetch() }
            withExtendedLifetime(lock) {}
        }
        report { [size = file.size] in
            if $0.phase == .waiting || $0.phase == .locked { $0.found = size }
            $0.received = size
            $0.phase = .finished
        }
    }

    private func fetch() async throws(HubError) {
        let partial = try IncompleteFile(path: cache.incomplete(file.hash, of: repository), of: file)
        do throws(HubError) {
            try await complete(partial)
        } catch {
            if partial.count == 0 { unlink(partial.path) }
            throw error
        }
        try FileSystem.rename(partial.path, to: cache.blob(file.hash, of: repository))
    }

    /// Receives all bytes of the file, and verifies them.
    private func complete(_ partial: IncompleteFile) async throws(HubError) {
        try await FileSystem.runBlocking { () throws(HubError) in try partial.resume() }
        var isOfOneRun = partial.count == 0
        report { [count = partial.count] in
            ($0.found, $0.received, $0.phase) = (count, count, .receiving)
        }
        while true {
            try await receive(into: partial)
            report { $0.phase = .checking }
            let found = try await FileSystem.runBlocking { () throws(HubError) in try partial.finish() }
            if found == file.hash.hexadecimal { return }
            // Bytes of an earlier run may be corrupt: retry once from the start. If all are of this run, the server's
            // are wrong.
            guard !isOfOneRun else { throw try mismatch(found, partial) }
            try partial.restart()
            isOfOneRun = true
            report { ($0.found, $0.received, $0.phase) = (0, 0, .receiving) }
        }
    }

    /// Empties the file, so that it is not resumed.
    private func mismatch(_ found: String, _ partial: IncompleteFile) throws(HubError) -> HubError {
        try partial.restart()
        return HubError(
            "\(file.path): what came hashes to \(found), but the hub promised \(file.hash.hexadecimal). Nothing is kept: "
                + "pull again, and tell the model's owner if it stays so"
        )
    }

    /// Receives range after range until the file is complete, with retries.
    private func receive(into partial: IncompleteFile) async throws(HubError) {
        var location = file.address
        var failures = 0
        while partial.count < file.size {
            let start = partial.count
            do throws(HubError) {
                let range = start..<min(file.size, start + options.rangeBytes)
                location = try await client.bytes(
                    range,
                    of: file,
                    from: location,
                    in: reference,
                    receiver: receiver(range, partial)
                )
                guard partial.count > start else { throw HubError.transient("\(file.path): an answer without bytes") }
                failures = 0
            } catch {
                guard !Task.isCancelled else { throw HubError("cancelled") }
                let wasRedirected = location != file.address
                location = file.address
                if wasRedirected, error.retryability == .withNewURL { continue }
                if partial.count > start { failures = 0 }
                failures += 1
                guard error.retryability != .permanent, failures <= options.retries else { throw error }
                report { $0.phase = .retrying(error.description) }
                try await options.pause(after: failures)
            }
            report { $0.phase = .receiving }
        }
    }

    private func receiver(_ range: Range<Int>, _ partial: IncompleteFile) -> HTTPClient.Receiver {
        HTTPClient.Receiver(
            begin: { [file] head throws(HubError) in
                switch head.status {
                case 206: try Self.check(head["content-range"], is: range, of: file)
                case 200:
                    if let length = head["content-length"], length != "\(file.size)" {
                        throw Self.wrongSize(length, file)
                    }
                    if partial.count > 0 { try partial.restart() }
                default: return false
                }
                return true
            },
            receive: { [report] piece throws(HubError) in
                try partial.append(piece)
                report { [count = partial.count] in $0.received = count }
            }
        )
    }

    /// `bytes 0-99/1000`; the total may be `*`.
    private static func check(_ text: String?, is range: Range<Int>, of file: RemoteFile) throws(HubError) {
        let parts = (text ?? "").split { " -/".contains($0) }
        guard parts.count == 4, parts[0].lowercased() == "bytes", Int(parts[1]) == range.lowerBound else {
            throw HubError("\(file.path): the server sends another range than it was asked for")
        }
        guard parts[3] == "*" || Int(parts[3]) == file.size else { throw wrongSize(String(parts[3]), file) }
    }

    private static func wrongSize(_ found: String, _ file: RemoteFile) -> HubError {
        HubError(
            "\(file.path): the server has \(found.printable) bytes where the hub promised \(file.size): "
                + "pull again, and tell the model's owner if it stays so"
        )
    }
}
