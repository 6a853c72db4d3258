import Foundation

/// A page in Prometheus's text format, family by family.
struct MetricsPage {
    private(set) var text = ""

    /// The names and meanings that all clients of Prometheus share.
    mutating func add(_ process: ProcessStatistics) {
        for (name, type, help, value) in [
            ("cpu_seconds_total", "counter", "User and system CPU time.", process.cpuSeconds),
            ("resident_memory_bytes", "gauge", "Resident memory.", Double(process.residentBytes)),
            ("virtual_memory_bytes", "gauge", "Virtual memory.", Double(process.virtualBytes)),
            ("open_fds", "gauge", "Open file descriptors.", Double(process.openDescriptors)),
            ("max_fds", "gauge", "How many file descriptors may be open.", process.maxDescriptors),
            ("start_time_seconds", "gauge", "When the process began, in seconds since 1970.", process.startTime),
        ] {
            head("process_\(name)", type, help)
            text += "process_\(name) \(MetricsPage.number(value))\n"
        }
    }

    /// A constant that tells something by its labels.
    mutating func add(_ name: String, _ type: String, _ help: String, _ labels: [(name: String, value: String)]) {
        let pairs = labels.map { "\($0.name)=\"\(MetricsPage.escaped($0.value))\"" }
        add(name, type, help, [("{\(pairs.joined(separator: ","))}", 1)])
    }

    /// A label's value: a model's name may hold anything.
    private static func escaped(_ value: String) -> String {
        value.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
        head("pensieve_\(name)", type, help)
        for sample in samples { text += "pensieve_\(name)\(sample.labels) \(MetricsPage.number(sample.value))\n" }
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
        add(name, type, help, [("", value)])
    }

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        head("pensieve_\(name)", "histogram", help)
        text += histogram.lines("pensieve_\(name)")
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }
}
