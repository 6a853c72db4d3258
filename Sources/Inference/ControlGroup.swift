import CKernels

/// What the process may use of the machine by its control groups (version 2), through which containers are limited.
struct ControlGroup {
    /// The folders of the process's group and of those around it, whose limits hold as well.
    private let folders: [String]

    /// - Parameters:
    ///   - root: where the groups are mounted.
    ///   - membership: the text of /proc/self/cgroup.
    init(root: String = "/sys/fs/cgroup", membership: String? = SystemFile.read("/proc/self/cgroup")) {
        let line = (membership ?? "").split(separator: "\n").first { $0.hasPrefix("0::/") }
        let names = line?.dropFirst("0::/".count).split(separator: "/") ?? []
        folders = names.indices.map { "/" + names[...$0].joined(separator: "/") }.reversed().map { root + $0 } + [root]
    }

    /// The cores' worth of time that the process may have, rounded up; nil if that is not limited.
    var cores: Int? {
        folders.compactMap { folder in
            // "200000 100000": so many microseconds in each period of so many.
            let fields = SystemFile.read(folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
            guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]), quota > 0, period > 0
            else {
                return nil
            }
            return (quota - 1) / period + 1
        }.min()
    }

    /// Bytes that the process may have besides those that it and its siblings have; nil if that is not limited. What
    /// only keeps files at hand, such as a model just downloaded, gives way and does not count.
    var freeBytes: Int? {
        folders.compactMap { folder in
            guard let limit = number(folder + "/memory.max"), let used = number(folder + "/memory.current") else {
                return nil
            }
            let files = (SystemFile.read(folder + "/memory.stat") ?? "").split(separator: "\n").reduce(0) { sum, line in
                let fields = line.split(separator: " ")
                guard fields.count == 2, ["active_file", "inactive_file"].contains(fields[0]) else { return sum }
                return sum + (Int(fields[1]) ?? 0)
            }
            return min(limit, max(0, limit - used + files))
        }.min()
    }

    /// Bytes that the process and its siblings may have together; nil if that is not limited.
    var limitBytes: Int? { folders.compactMap { number($0 + "/memory.max") }.min() }

    private func number(_ path: String) -> Int? {
        SystemFile.read(path)?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }.flatMap {
            $0 < 0 ? nil : $0
        }
    }
}

/// The machine's cores.
package enum SystemCores {
    /// How many of them this process may use.
    package static var count: Int { max(1, min(Int(ck_core_count()), ControlGroup().cores ?? .max)) }
}
