import Platform

/// What the system says about its memory.
package enum SystemMemory {
    /// Bytes that can be had without swapping: `MemAvailable` of /proc/meminfo, or 1 GiB if it cannot be read, and no more
    /// than the process's control group leaves.
    package static func freeBytes() -> Int { min(machineBytes(), ControlGroup().freeBytes ?? .max) }

    /// Bytes that the machine has, used or not, and no more than the process's control group may have; more than any has
    /// if that cannot be read.
    package static func totalBytes() -> Int { min(bytes("MemTotal:") ?? .max, ControlGroup().limitBytes ?? .max) }

    private static func machineBytes() -> Int { bytes("MemAvailable:") ?? 1 << 30 }

    private static func bytes(_ name: String) -> Int? {
        for line in (SystemFile.read("/proc/meminfo") ?? "").split(separator: "\n") where line.hasPrefix(name) {
            let fields = line.split(separator: " ")
            if fields.count >= 2, let kibibytes = Int(fields[1]) { return kibibytes * 1024 }
        }
        return nil
    }
}

/// Files of the kernel, which say nothing of their length.
enum SystemFile {
    /// The first 16 KiB; nil if there is no such file.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = Platform.read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
