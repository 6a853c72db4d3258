import Platform

/// How many connections the limit on open descriptors allows, with enough kept back for the rest of the process.
///
/// A process without a free descriptor does not only fail to accept: libdispatch opens one now and then, to look at its
/// threads and for the first timer of each clock, and ends the process where it gets none.
struct DescriptorBudget: Equatable {
    /// Kept back for everything but connections: files, pipes, libdispatch.
    static let reserve = 64
    /// The fewest connections, refusals included, that a server is worth starting for.
    static let minConnections = 32
    /// Beyond the limit, so many clients at a time are told so.
    static let maxRefusals = 64

    /// Connections that are served at a time.
    let connections: Int
    /// Connections that are told that the server is full, at a time.
    let refusals: Int

    /// - Parameters:
    ///   - limit: the limit on open descriptors.
    ///   - open: those that are open before the first connection.
    ///   - wanted: the connections to serve, if the limit allows.
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

    /// The budget of this process, whose soft limit is raised to the hard one: each connection is a descriptor.
    init(wanted: Int) throws(HTTPServerError) {
        try self.init(limit: DescriptorLimit.raise() ?? 1024, open: Self.countOpen(), wanted: wanted)
    }

    /// The descriptors of this process; where /proc is not there, more than a server has when it starts.
    private static func countOpen() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 64 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Two entries are the folder itself and its parent, one descriptor is this listing.
        return max(0, count - 3)
    }
}
