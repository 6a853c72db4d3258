import Synchronization

/// Working memory that encodings leave for those after them: what they learnt of words is worth keeping.
final class WorkspacePool: Sendable {
    /// As many encodings at once as keep theirs; further ones begin with nothing and leave nothing.
    private static let most = 4

    private let spare = Mutex<[EncodingWorkspace]>([])

    func withWorkspace<Failure: Error>(
        _ body: (inout EncodingWorkspace) throws(Failure) -> Void
    ) throws(Failure) {
        var workspace = spare.withLock { $0.popLast() } ?? EncodingWorkspace()
        try body(&workspace)
        workspace.shrink()
        spare.withLock { [workspace] in if $0.count < Self.most { $0.append(workspace) } }
    }
}
