import Dispatch
import Synchronization

/// Runs work in proportion to a body's size outside the cooperative pool, whose few threads also serve all sockets.
///
/// Two lanes, one job at a time in each: memory for parsed bodies stays bounded, and a huge body does not hold up those
/// of ordinary size.
final class HeavyWork: Sendable {
    private static let smallBytes = 64 << 10
    private static let mediumBytes = 1 << 20

    private let medium = DispatchQueue(label: "pensieve.requests")
    private let large = DispatchQueue(label: "pensieve.large-requests")

    /// Runs `work` here if it is for a small body, else on a queue.
    /// - Returns: nil if the client left while the work waited its turn.
    func run<Value: Sendable>(
        bytes: Int,
        _ work: @escaping @Sendable () throws(APIError) -> Value
    ) async throws(APIError) -> Value? {
        if bytes <= HeavyWork.smallBytes { return try work() }
        let queue = bytes <= HeavyWork.mediumBytes ? medium : large
        let flag = CancellationFlag()
        let result: Result<Value, APIError>? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { @Sendable in
                    guard !flag.isSet else { return continuation.resume(returning: nil) }
                    let result = Result { () throws(APIError) in try work() }
                    continuation.resume(returning: result)
                }
            }
        } onCancel: {
            flag.set()
        }
        return try result?.get()
    }
}

private final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
