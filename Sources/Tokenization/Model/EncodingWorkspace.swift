import Synchronization

/// The working memory of one encoding, and the words it has seen.
struct EncodingWorkspace {
    var merging = BytePairMerger.Workspace()
    /// A word in the byte alphabet.
    var spelling: [UInt8] = []
    var words = WordCache()
    var path = UnigramModel.Path()

    /// Releases what only a very long piece needed.
    mutating func shrink() {
        merging.shrink()
        if spelling.capacity > 1 << 16 { spelling = [] }
        path.shrink()
    }
}

/// Workspaces of finished encodings, reused because their word caches are warm.
final class WorkspacePool: Sendable {
    /// The most workspaces that are kept; further concurrent encodings begin with an empty one.
    private static let most = 4

    private let idle = Mutex<[EncodingWorkspace]>([])

    func withWorkspace<Failure: Error>(
        _ body: (inout EncodingWorkspace) throws(Failure) -> Void
    ) throws(Failure) {
        var workspace = idle.withLock { $0.popLast() } ?? EncodingWorkspace()
        try body(&workspace)
        workspace.shrink()
        idle.withLock { [workspace] in if $0.count < Self.most { $0.append(workspace) } }
    }
}
