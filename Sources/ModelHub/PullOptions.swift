/// How a pull uses the network and the disk.
package struct PullOptions: Sendable {
    /// Files that come at the same time.
    package var parallelFiles = 4
    /// Bytes of one request: what may have to wait in memory when the disk is slower than the network.
    package var rangeBytes = 32 << 20
    /// Failures in a row, without a byte between them, until a file is given up.
    package var retries = 5
    /// The pause after the first of them; it doubles with each.
    package var firstPauseSeconds = 0.5
    /// How long a connection may be silent.
    package var stallSeconds = 30.0
    /// Free bytes of the file system of a path; nil if they cannot be had.
    package var freeBytes: @Sendable (String) -> Int? = FileSystem.freeBytes
    /// Bytes that stay free for everybody else.
    package var reserveBytes = 64 << 20

    package init() {}

    func pause(after failures: Int) async throws(HubError) {
        let factor = Double(1 << min(failures - 1, 6))
        do {
            try await Task.sleep(for: .seconds(firstPauseSeconds * factor))
        } catch {
            throw HubError("cancelled")
        }
    }
}
