import Foundation
import Synchronization

/// Pulls a model into the cache. Snapshots are linked only after all files are complete, so those made by this program
/// are never partial.
package struct ModelPull: Sendable {
    private let reference: ModelReference
    private let settings: HubSettings
    private let options: PullOptions
    private let cache: HubCache
    private let client: HubClient

    package init(_ reference: ModelReference, settings: HubSettings, options: PullOptions = PullOptions()) {
        self.reference = reference
        self.settings = settings
        self.options = options
        cache = HubCache(root: settings.cache)
        client = HubClient(settings: settings, stallSeconds: options.stallSeconds)
    }

    /// Downloads what the cache lacks of the model at the reference's current commit.
    /// - Parameters:
    ///   - progress: updated during the download.
    ///   - check: given a folder that has all files of a folder of safetensors but the weights, before these are fetched.
    ///   - chosen: called once the files to fetch are known.
    /// - Throws: `HubError`; what was received is kept for the next pull, except files whose hash is wrong.
    package func run(
        progress: PullProgress,
        check: (String) throws(HubError) -> Void = { _ in },
        chosen: (FileSelection) -> Void = { _ in }
    ) async throws(HubError) -> LocalModel {
        guard !settings.isOffline else {
            guard let model = cache.model(reference) else { throw offline }
            chosen(model.selection)
            return model
        }
        let listing = try await withRetries(2) { () throws(HubError) in try await client.listing(reference) }
        let selection = try FileSelection(listing.files, variant: reference.variant, of: reference.repository)
        chosen(selection)
        let files = try await describe(selection.files, of: listing)
        try cache.prepare(reference.repository)
        try checkSpace(for: files)
        try await fetch(files, progress) { (small) throws(HubError) in
            guard selection.format == .folder else { return }
            try cache.withFolder(of: small, of: reference.repository, check)
        }
        try cache.link(files, commit: listing.commit, of: reference.repository)
        try cache.setCommit(listing.commit, of: reference)
        return LocalModel(
            repository: reference.repository,
            commit: listing.commit,
            selection: selection,
            folder: cache.snapshot(listing.commit, of: reference.repository),
            bytes: files.map(\.size).saturatedSum
        )
    }

    private var offline: HubError {
        HubError(
            "\(reference) is not whole in \(settings.cache), and HF_HUB_OFFLINE forbids fetching it: unset it, or pull the "
                + "model first"
        )
    }

    /// Requests the size and hash of each file.
    private func describe(
        _ paths: [RepositoryPath],
        of listing: RepositoryListing
    ) async throws(HubError) -> [RemoteFile] {
        let files = try await inParallel(paths) { path throws(HubError) in
            try await withRetries(options.retries) { () throws(HubError) in
                try await client.metadata(of: path, in: reference, commit: listing.commit)
            }
        }
        for file in files {
            if let listed = listing.files[file.path] ?? nil, listed != file.size {
                throw HubError("\(file.path): the hub lists \(listed) bytes and then speaks of \(file.size)")
            }
        }
        return files
    }

    /// The weights last, so that a wrong model or format shows early.
    /// - Parameter check: is given the others, once they are there.
    private func fetch(
        _ files: [RemoteFile],
        _ progress: PullProgress,
        check: ([RemoteFile]) throws(HubError) -> Void
    ) async throws(HubError) {
        let files = files.sorted { ($0.size, $0.path) < ($1.size, $1.path) }
        progress.begin(files)
        let isWeights = files.map { $0.path.name.hasSuffix(".safetensors") || $0.path.name.hasSuffix(".gguf") }
        let numbered = Array(zip(files.indices, files))
        try await fetch(numbered.filter { !isWeights[$0.0] }, progress)
        try check(zip(files, isWeights).filter { !$0.1 }.map(\.0))
        try await fetch(numbered.filter { isWeights[$0.0] }, progress)
    }

    private func fetch(_ files: [(Int, RemoteFile)], _ progress: PullProgress) async throws(HubError) {
        _ = try await inParallel(files) { (index, file) throws(HubError) in
            try await FileDownload(
                client: client,
                cache: cache,
                reference: reference,
                file: file,
                options: options,
                report: { progress.update(index, $0) }
            ).run()
        }
    }

    /// Fails before the download if the disk is too small. Contents shared by several files count once.
    private func checkSpace(for files: [RemoteFile]) throws(HubError) {
        let contents = Dictionary(files.map { ($0.hash, $0) }) { first, _ in first }.values
        let missing = contents.filter { !cache.hasBlob($0, of: reference.repository) }.map { file in
            max(0, file.size - (FileSystem.size(cache.incomplete(file.hash, of: reference.repository)) ?? 0))
        }.saturatedSum
        guard missing > 0, let free = options.freeBytes(settings.cache), free - missing < options.reserveBytes else {
            return
        }
        throw HubError(
            "\(reference) needs \(Self.gigabytes(missing)) more in \(settings.cache), where \(Self.gigabytes(free)) are "
                + "free: remove models (pensieve models, pensieve remove), or set HF_HOME to a folder on a larger disk"
        )
    }

    private static func gigabytes(_ bytes: Int) -> String { String(format: "%.2f GB", Double(bytes) / 1e9) }

    /// Retries after transient errors.
    private func withRetries<Value: Sendable>(
        _ retries: Int,
        _ work: () async throws(HubError) -> Value
    ) async throws(HubError) -> Value {
        var failures = 0
        while true {
            do throws(HubError) {
                return try await work()
            } catch {
                failures += 1
                guard error.retryability != .permanent, failures <= retries, !Task.isCancelled else { throw error }
                try await options.pause(after: failures)
            }
        }
    }

    /// Processes a few items at a time; the first failure cancels the others.
    /// - Returns: the results in the order of the items.
    private func inParallel<Item: Sendable, Value: Sendable>(
        _ items: [Item],
        _ work: @escaping @Sendable (Item) async throws(HubError) -> Value
    ) async throws(HubError) -> [Value] {
        let results = await withTaskGroup(of: (Int, Result<Value, HubError>).self) { group in
            var results: [Int: Result<Value, HubError>] = [:]
            var pending = Array(items.enumerated())[...]
            func start() {
                guard let (index, item) = pending.popFirst() else { return }
                group.addTask {
                    do throws(HubError) {
                        return (index, .success(try await work(item)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<max(1, options.parallelFiles) { start() }
            while let (index, result) = await group.next() {
                results[index] = result
                if case .failure = result {
                    group.cancelAll()
                    return [result]
                }
                start()
            }
            return items.indices.compactMap { results[$0] }
        }
        var values: [Value] = []
        for result in results { values.append(try result.get()) }
        return values
    }
}

/// How a pull uses network and disk.
package struct PullOptions: Sendable {
    /// The number of concurrent downloads.
    package var parallelFiles = 4
    /// Bytes of one request, which may queue up in memory if the disk is slower than the network.
    package var rangeBytes = 32 << 20
    /// Consecutive failures, without a byte received in between, after which a file is given up.
    package var retries = 5
    /// The pause after the first failure; doubled with each further one.
    package var firstPauseSeconds = 0.5
    /// The time-out of a connection without any byte received.
    package var stallSeconds = 30.0
    /// Free bytes in the file system of a path; nil if unknown.
    package var freeBytes: @Sendable (String) -> Int? = FileSystem.freeBytes
    /// Bytes that must remain free on the disk.
    package var reserveBytes = 64 << 20

    package init() {}

    /// Exponential back-off.
    func pause(after failures: Int) async throws(HubError) {
        let factor = Double(1 << min(failures - 1, 6))
        do {
            try await Task.sleep(for: .seconds(firstPauseSeconds * factor))
        } catch {
            throw HubError("cancelled")
        }
    }
}

/// The progress of a pull's files: written by the downloads, read by the display.
package final class PullProgress: Sendable {
    package enum Phase: Sendable, Equatable {
        case waiting
        /// Another process is downloading the same content.
        case locked
        case receiving
        /// The connection broke; the download will be retried.
        case retrying(String)
        case checking
        case finished
    }

    package struct File: Sendable, Equatable {
        package let path: RepositoryPath
        package let size: Int
        package var received = 0
        /// The part of `received` that was there before this pull.
        package var found = 0
        package var phase = Phase.waiting
    }

    private let state = Mutex<[File]>([])

    package init() {}

    /// In the order of the pull; empty until the files are known.
    package var files: [File] { state.withLock { $0 } }

    func begin(_ files: [RemoteFile]) {
        state.withLock { $0 = files.map { File(path: $0.path, size: $0.size) } }
    }

    func update(_ index: Int, _ change: (inout File) -> Void) {
        state.withLock { files in
            if files.indices.contains(index) { change(&files[index]) }
        }
    }
}
