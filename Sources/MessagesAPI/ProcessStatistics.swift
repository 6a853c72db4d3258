import Foundation
import Platform

/// What the kernel says of this process, in /proc, when asked.
struct ProcessStatistics: Sendable {
    var residentBytes: Int
    var virtualBytes: Int
    /// User and system.
    var cpuSeconds: Double
    /// Since 1970.
    var startTime: Double
    var openDescriptors: Int
    /// How many there may be.
    var maxDescriptors: Double

    /// Nil where there is no such thing as /proc.
    static func read() -> ProcessStatistics? {
        guard let stat = ProcessStat.read() else { return nil }
        return ProcessStatistics(
            residentBytes: stat.residentBytes,
            virtualBytes: stat.virtualBytes,
            cpuSeconds: stat.cpuSeconds,
            startTime: startTime,
            openDescriptors: openDescriptorCount,
            maxDescriptors: Double(DescriptorLimit.current ?? 0)
        )
    }

    /// Resident memory in hundredths of the machine's; nil where it cannot be measured.
    static var memoryPercent: Double? {
        let total = Double(ProcessInfo.processInfo.physicalMemory)
        guard let stat = ProcessStat.read(), total > 0 else { return nil }
        return Double(stat.residentBytes) / total * 100
    }

    /// Worked out once, so that a clock that is set does not move it: the kernel counts from the machine's own start.
    private static let startTime: Double = {
        guard let stat = ProcessStat.read(), let sinceBoot = secondsSinceBoot() else { return 0 }
        return Date().timeIntervalSince1970 - (sinceBoot - stat.startAfterBoot)
    }()

    private static var openDescriptorCount: Int {
        // Since Linux 6.2 the folder's size is their number.
        var information = stat()
        if stat("/proc/self/fd", &information) == 0, information.st_size > 0 { return Int(information.st_size) }
        // The reading itself has one open.
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 1) - 1
    }
}

/// The fields of /proc/self/stat that are of use here (proc(5)).
private struct ProcessStat {
    var cpuSeconds: Double
    var startAfterBoot: Double
    var virtualBytes: Int
    var residentBytes: Int

    static func read() -> ProcessStat? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/self/stat"),
            // The program's name, in parentheses, may hold anything.
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // From the third field on.
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .map { Int($0) ?? 0 }
        guard fields.count > 21 else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return ProcessStat(
            cpuSeconds: Double(fields[11] + fields[12]) / ticks,
            startAfterBoot: Double(fields[19]) / ticks,
            virtualBytes: fields[20],
            residentBytes: fields[21] * Int(sysconf(Int32(_SC_PAGESIZE)))
        )
    }
}
