import Glibc

/// What the system says about its memory.
enum SystemMemory {
    /// Bytes that can be had without swapping: `MemAvailable` of /proc/meminfo, or 1 GiB if it cannot be read.
    static func freeBytes() -> Int {
        let text = procFile("/proc/meminfo") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            let fields = line.split(separator: " ")
            if fields.count >= 2, let kibibytes = Int(fields[1]) { return kibibytes * 1024 }
        }
        return 1 << 30
    }

    /// The start of a file of the kernel, which says nothing of its length.
    private static func procFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
