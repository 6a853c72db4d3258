import Foundation

/// Formats numbers for display.
enum Format {
    static func bytes(_ count: Int) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(number((value * 10).rounded() / 10)) \(units[unit])"
    }

    /// Without a fraction if the value is whole.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// 16,384.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        let grouped = digits.enumerated().map { index, digit in
            (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digit)
        }
        return (value < 0 ? "-" : "") + grouped.joined()
    }

    /// 3.8 B, 4.9 M, 12,345.
    static func parameters(_ count: Int) -> String {
        switch count {
        case 1_000_000_000...: String(format: "%.1f B", Double(count) / 1e9)
        case 1_000_000...: String(format: "%.1f M", Double(count) / 1e6)
        default: Self.count(count)
        }
    }
}
