import Foundation
import Synchronization

/// Many connections at once from one client that may say something and reads nothing; closed with the value's life.
package final class Flood: Sendable {
    private let descriptors: [Int32]

    /// Opens connections on a thread of its own, whether the server takes them or not.
    /// - Parameter count: how many, if this process may have as many descriptors.
    package static func open(port: Int, count: Int, saying text: String = "") async throws -> Flood {
        // Some are kept for the rest of the tests.
        let count = min(count, descriptorLimit() - 200)
        let descriptors: [Int32] = await withCheckedContinuation { continuation in
            Thread.detachNewThread { @Sendable in
                continuation.resume(returning: (0..<count).compactMap { _ in connection(port, text) })
            }
        }
        guard descriptors.count == count else {
            descriptors.forEach { close($0) }
            throw SupportError("no descriptors for \(count) connections")
        }
        return Flood(descriptors)
    }

    private init(_ descriptors: [Int32]) { self.descriptors = descriptors }

    deinit { descriptors.forEach { close($0) } }

    /// How many descriptors this process may have, once its soft limit is raised to the hard one.
    private static func descriptorLimit() -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(resource, &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }

    /// A connection that may not be there yet, or never: the server may have its reasons.
    private static func connection(_ port: Int, _ text: String) -> Int32? {
        let descriptor = makeSocket(AF_INET)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = connectIPv4(descriptor, port)
        guard !text.isEmpty else { return descriptor }
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // A server that does not accept for now makes the others wait too, but not for ever.
        if poll(&request, 1, 100) > 0 {
            _ = Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
        }
        return descriptor
    }
}
