import Synchronization

/// Names in the log what of tools' schemas is not enforced: each place once, as clients send the same tools with every
/// request.
final class IgnoredKeywords: Sendable {
    private static let mostNamed = 1000

    private let named = Mutex<Set<String>>([])

    /// - Parameter paths: places in request bodies.
    func note(_ paths: [String], in log: ServerLog?) {
        for path in paths {
            let path = LogLine.clean(path)
            let isNew = named.withLock { $0.count < Self.mostNamed && $0.insert(path).inserted }
            if isNew { log?.say("not enforced in a tool's arguments: \(path)") }
        }
    }
}
