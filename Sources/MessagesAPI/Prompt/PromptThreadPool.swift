/// Parses bodies and makes prompts of them outside the cooperative pool, whose few threads also serve all sockets.
///
/// Three threads by body size, one job at a time on each: memory for parsed bodies stays bounded, and a huge body does not
/// delay those of ordinary size. The two for larger bodies leave the cores to everything else, so that a flood of such bodies
/// slows no running answer. On each thread, clients take turns.
final class PromptThreadPool: Sendable {
    private static let smallBytes = 16 << 10
    private static let mediumBytes = 1 << 20
    /// About a tenth of a core's time when everything else wants all of it.
    private static let niceness: Int32 = 10

    private let small = WorkerThread(name: "prompts", niceness: 0)
    private let medium = WorkerThread(name: "medium-prompts", niceness: niceness)
    private let large = WorkerThread(name: "large-prompts", niceness: niceness)

    /// Runs `work` when it is the client's turn.
    /// - Returns: nil if the task was cancelled while the work waited.
    /// - Throws: what `work` throws; `APIError.overloaded` if too many wait and this client has most of them.
    func run<Value: Sendable>(
        client: String,
        bytes: Int,
        _ work: @escaping @Sendable () throws(APIError) -> Value
    ) async throws(APIError) -> Value? {
        let thread = bytes <= Self.smallBytes ? small : bytes <= Self.mediumBytes ? medium : large
        let ticket = thread.makeTicket()
        let result: Result<Value, APIError>? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let job = WorkerThread.Job {
                    continuation.resume(returning: Result { () throws(APIError) in try work() })
                } drop: { reason in
                    switch reason {
                    case .clientLeft: continuation.resume(returning: nil)
                    case .queueFull: continuation.resume(returning: .failure(.overloaded(retryAfterSeconds: 2)))
                    }
                }
                thread.submit(job, ticket: ticket, client: client, bytes: bytes)
            }
        } onCancel: {
            thread.cancel(ticket, client: client)
        }
        return try result?.get()
    }
}
