import CKernels
package import ModelFiles

/// What a machine can do at most, by loops that only read or only multiply: what a model's speed is held against.
package struct MachineLimits: Sendable {
    /// Bytes that the threads together read from memory in a second.
    package let readBytesPerSecond: Double
    /// Multiplications and additions of 8-bit integers that they do in a second, by the instructions that matmul uses.
    package let int8OperationsPerSecond: Double

    /// Measures for about half a second, on threads of its own.
    /// - Parameter options: an engine's, of which the threads and kernels are used.
    /// - Throws: `ModelError` if there is no thread for it, or this CPU cannot run the kernels.
    package static func measure(_ options: EngineOptions) async throws(ModelError) -> MachineLimits {
        guard let executor = try? ThreadExecutor(name: "limits") else {
            throw ModelError("the machine's limits cannot be measured: no thread can be started")
        }
        return try await LimitProbe(executor: executor).measure(options)
    }
}

/// Does the work on a thread of its own.
private actor LimitProbe {
    /// Far more than any cache holds; less only where memory is short.
    private static let mostBytes = 512 << 20
    private static let rounds = 20_000
    /// What `ck_probe_dots` does in a round of one thread.
    private static let operationsPerRound = 16_384
    private static let repeats = 5

    private let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(executor: ThreadExecutor) { self.executor = executor }

    func measure(_ options: EngineOptions) throws(ModelError) -> MachineLimits {
        let compute = try Compute(
            variant: options.variant(),
            threads: options.threads ?? SystemCores.count,
            precise: false
        )
        let buffer = FloatBuffer()
        let mebibytes = min(Self.mostBytes, SystemMemory.freeBytes() / 4) >> 20
        let byteCount = max(1, mebibytes) << 20
        let count = byteCount / MemoryLayout<Float>.size
        let memory = buffer.ensureCapacity(count)
        // Memory never written is one page of zeros, which a cache holds.
        memory.update(repeating: 1, count: count)
        var sink: UInt32 = 0
        let read = withExtendedLifetime(buffer) {
            Self.best { sink ^= ck_probe_read(compute.handle, memory, byteCount) }
        }
        let dots = Self.best { ck_probe_dots(compute.handle, Int32(Self.rounds)) }
        return MachineLimits(
            readBytesPerSecond: Double(byteCount) / read,
            int8OperationsPerSecond: Double(Self.operationsPerRound * Self.rounds * compute.threads) / dots
        )
    }

    /// The seconds of the fastest of several runs, after one that touches memory and wakes threads.
    private static func best(_ body: () -> Void) -> Double {
        body()
        let seconds = (0..<repeats).map { _ in
            let begin = ContinuousClock.now
            body()
            return (ContinuousClock.now - begin) / .seconds(1)
        }
        return max(seconds.min() ?? 1, 1e-9)
    }
}
