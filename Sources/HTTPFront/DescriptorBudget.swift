import Dispatch
import Platform

/// The number of connections that the limit on open descriptors allows, with a reserve for the rest of the process.
///
/// A process without a free descriptor does not only fail to accept: libdispatch opens one now and then, to inspect its
/// threads and for the first timer of each clock, and ends the process if that fails.
struct DescriptorBudget: Equatable {
    /// Descriptors reserved for everything but connections: files, pipes, libdispatch.
    static let reserve = 64
    /// The fewest connections, refused ones included, with which a server starts.
    static let minConnections = 32
    /// The most connections that are answered 503 at a time.
    static let maxRefusals = 64

    /// The most connections that are served at a time.
    let connections: Int
    /// The most connections beyond those that are answered 503 at a time.
    let refusals: Int

    /// - Parameters:
    ///   - limit: the limit on open descriptors.
    ///   - open: descriptors that are open before the first connection.
    ///   - wanted: the configured number of connections.
    /// - Throws: `HTTPServerError` if the limit is too low.
    init(limit: Int, open: Int, wanted: Int) throws(HTTPServerError) {
        let available = limit - open - Self.reserve
        guard available >= Self.minConnections else {
            let needed = open + Self.reserve + Self.minConnections
            throw HTTPServerError(
                "the limit of \(limit) open files is too low: the server needs at least \(needed); raise it with "
                    + "ulimit -n, systemd's LimitNOFILE= or a container's --ulimit nofile="
            )
        }
        refusals = min(Self.maxRefusals, available / 4)
        connections = min(max(wanted, 1), available - refusals)
    }

    /// The budget of this process, after raising its soft limit to the hard limit.
    /// - Throws: `HTTPServerError` if the limit is too low.
    init(wanted: Int) throws(HTTPServerError) {
        try self.init(limit: DescriptorLimit.raise() ?? 1024, open: Self.countOpen(), wanted: wanted)
    }

    /// The number of open descriptors of this process; without /proc, an upper estimate.
    private static func countOpen() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 64 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Not counted: the entries `.` and `..`, and the descriptor of this listing.
        return max(0, count - 3)
    }
}

/// Makes libdispatch open its timer descriptors while there are free ones.
///
/// It opens one for each clock when that clock's first timer is set, and keeps it; without a free descriptor it ends
/// the process.
enum TimerDescriptors {
    static func open() async {
        let moment = Duration.milliseconds(1)
        try? await Task.sleep(for: moment, clock: .continuous)
        try? await Task.sleep(for: moment, clock: .suspending)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { continuation.resume() }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(wallDeadline: .now() + .milliseconds(1)) { continuation.resume() }
        }
    }
}
