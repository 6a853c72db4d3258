import Foundation

/// The time that `strftime_now` formats.
package struct TemplateClock: Sendable {
    private let seconds: Int
    private let microseconds: Int
    private let isUTC: Bool

    /// The system's time, in its time zone.
    package static var system: TemplateClock {
        let now = Date().timeIntervalSince1970
        let whole = now.rounded(.down)
        return TemplateClock(seconds: Int(whole), microseconds: Int((now - whole) * 1e6), isUTC: false)
    }

    /// A fixed time, in UTC.
    package init(secondsSince1970 seconds: Int) { self.init(seconds: seconds, microseconds: 0, isUTC: true) }

    private init(seconds: Int, microseconds: Int, isUTC: Bool) {
        self.seconds = seconds
        self.microseconds = microseconds
        self.isUTC = isUTC
    }

    private static let longestFormat = 1024
    private static let longestResult = 16384

    /// As Python's `datetime.now().strftime(format)`.
    func formatted(_ format: String) throws(TemplateError) -> String {
        guard format.utf8.count <= TemplateClock.longestFormat, !format.utf8.contains(0) else {
            throw .operation("strftime_now: the format is too long or holds a null")
        }
        if format.isEmpty { return "" }
        var time = time_t(seconds)
        var parts = tm()
        if isUTC { gmtime_r(&time, &parts) } else { localtime_r(&time, &parts) }
        var result = [CChar](repeating: 0, count: TemplateClock.longestResult)
        // The space keeps a result from being empty: then 0 can only mean that it does not fit.
        let length = strftime(&result, result.count, prepared(format) + " ", &parts)
        guard length > 0 else { throw .operation("strftime_now: the result is too long") }
        return String(decoding: result.prefix(length - 1).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// With the directives that Python answers itself replaced: `%f`, and `%z` and `%Z`, which are empty for a time
    /// without a zone.
    private func prepared(_ format: String) -> String {
        var result = ""
        var isDirective = false
        for character in format.unicodeScalars {
            guard isDirective else {
                if character == "%" { isDirective = true } else { result.unicodeScalars.append(character) }
                continue
            }
            isDirective = false
            switch character {
            case "f":
                let digits = String(microseconds)
                result += String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            case "z", "Z": break
            default:
                result += "%"
                result.unicodeScalars.append(character)
            }
        }
        return isDirective ? result + "%%" : result
    }
}
