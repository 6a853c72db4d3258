import Inference

extension Configuration {
    /// What is asked for that this machine has not.
    func machineWarnings(
        cores: Int = SystemCores.count,
        memoryBytes: Int = SystemMemory.totalBytes()
    ) -> [String] {
        var warnings: [String] = []
        if let threads, threads > cores {
            warnings.append(
                "--threads \(threads): this program may use \(cores) \(cores == 1 ? "core" : "cores"); more threads than "
                    + "that wait for each other and are slower"
            )
        }
        if let kvMemoryBytes, kvMemoryBytes > memoryBytes {
            warnings.append(
                "--kv-memory \(Format.bytes(kvMemoryBytes)): there are \(Format.bytes(memoryBytes)) of memory; "
                    + "a server that uses more ends or makes the machine swap"
            )
        }
        return warnings
    }
}
