import Dispatch
package import EngineContract

/// An engine without a model: the next token is a function of the whole prefix.
///
/// The prefix is read back through the session's block table, so that a mistake in the accounting of blocks shows as a
/// wrong token or an error. For tests, and for `--mock`.
package actor ScriptedEngine: InferenceEngine {
    package nonisolated let description: EngineDescription

    private let executor = QueueExecutor(label: "pensieve.scripted-engine")
    private let stepDuration: Duration?
    private let script: @Sendable (_ prefix: [Token]) -> Token
    private var memory: ScriptedMemory

    /// - Parameter stepDuration: how long each step takes; nil: as quick as it can be.
    package init(
        description: EngineDescription,
        stepDuration: Duration? = nil,
        script: @escaping @Sendable (_ prefix: [Token]) -> Token
    ) {
        self.description = description
        self.stepDuration = stepDuration
        self.script = script
        memory = ScriptedMemory(blockSize: description.blockSize, blockCount: description.blockCount)
    }

    /// A queue of its own: a step that takes its time must not occupy the cooperative pool.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package func step(_ step: Step) throws(EngineError) -> StepResult {
        if let stepDuration { executor.block(for: stepDuration) }
        return try memory.run(step, script: script)
    }
}

/// Runs an actor on a Dispatch queue, outside the cooperative pool.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { @Sendable in unowned.runSynchronously(on: executor) }
    }

    /// Blocks the calling thread. Only for code that runs on this executor.
    func block(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !nanoseconds.overflow else { return }
        let deadline = DispatchTime.now() + .nanoseconds(nanoseconds.partialValue + Int(attoseconds / 1_000_000_000))
        _ = DispatchSemaphore(value: 0).wait(timeout: deadline)
    }
}
