import Synchronization

/// How far the files of a pull are: written by the downloads, read by whoever shows it.
package final class PullProgress: Sendable {
    package enum Phase: Sendable, Equatable {
        case waiting
        /// Another process is downloading the same content.
        case locked
        case receiving
        /// The connection broke; it will be tried again.
        case retrying(String)
        case checking
        case finished
    }

    package struct File: Sendable, Equatable {
        package let path: RepositoryPath
        package let size: Int
        package var received = 0
        /// Of `received`, what was there when the pull began.
        package var found = 0
        package var phase = Phase.waiting
    }

    private let state = Mutex<[File]>([])

    package init() {}

    /// In the order of the pull; empty until the hub has said what there is.
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
