import Foundation
import MessagesAPI

/// Parses and checks a setting's value from text (flags, environment) or from a configuration file. All functions that
/// throw throw a `ConfigurationError` that names the origin of the value.
extension Setting {
    func apply(
        _ text: String,
        to configuration: inout Configuration,
        origin: String
    ) throws(ConfigurationError) {
        switch kind {
        case .host, .path, .choice, .optionalChoice, .origins:
            try apply(.text(text), to: &configuration, origin: origin)
        case .toggle, .onOff:
            guard let value = Self.boolean(text) else {
                throw ConfigurationError("\(origin): '\(text)' is neither true nor false")
            }
            try apply(.boolean(value), to: &configuration, origin: origin)
        case .bytes, .optionalBytes:
            try apply(.text(text), to: &configuration, origin: origin)
        case .integer, .optionalInteger, .number, .optionalNumber:
            guard let value = Self.decimal(text) else {
                throw ConfigurationError("\(origin): '\(text)' is not a number")
            }
            try apply(.number(value), to: &configuration, origin: origin)
        }
    }

    func apply(
        _ value: Scalar,
        to configuration: inout Configuration,
        origin: String
    ) throws(ConfigurationError) {
        switch kind {
        case .host(let path): configuration[keyPath: path] = Self.withoutBrackets(try Self.text(value, origin))
        case .path(let path): configuration[keyPath: path] = Self.expand(try Self.text(value, origin))
        case .integer(let path, let range): configuration[keyPath: path] = try Self.integer(value, range, origin)
        case .optionalInteger(let path, let range):
            configuration[keyPath: path] = try Self.integer(value, range, origin)
        case .bytes(let path, let range): configuration[keyPath: path] = try Self.bytes(value, range, origin)
        case .optionalBytes(let path, let range): configuration[keyPath: path] = try Self.bytes(value, range, origin)
        case .number(let path, let range): configuration[keyPath: path] = try Self.number(value, range, origin)
        case .optionalNumber(let path, let range): configuration[keyPath: path] = try Self.number(value, range, origin)
        case .choice(let path, let names): configuration[keyPath: path] = try Self.choice(value, names, origin)
        case .optionalChoice(let path, let names): configuration[keyPath: path] = try Self.choice(value, names, origin)
        case .origins(let path): configuration[keyPath: path] = try Self.origins(value, origin)
        case .toggle(let path), .onOff(let path):
            guard case .boolean(let flag) = value else { throw ConfigurationError("\(origin): must be true or false") }
            configuration[keyPath: path] = flag
        }
    }

    private static func text(_ value: Scalar, _ origin: String) throws(ConfigurationError) -> String {
        guard case .text(let text) = value else { throw ConfigurationError("\(origin): must be a string") }
        guard !text.isEmpty else { throw ConfigurationError("\(origin): must not be empty") }
        return text
    }

    private static func choice(_ value: Scalar, _ names: [String], _ origin: String) throws(ConfigurationError)
        -> String
    {
        let name = try Self.text(value, origin)
        guard names.contains(name) else {
            throw ConfigurationError("\(origin): '\(name)' is none of \(names.joined(separator: ", "))")
        }
        return name
    }

    private static func number(
        _ value: Scalar,
        _ range: ClosedRange<Double>,
        _ origin: String
    ) throws(ConfigurationError) -> Double {
        guard case .number(let number) = value else { throw ConfigurationError("\(origin): must be a number") }
        guard range.contains(number) else { throw outside(number, range, origin, Format.number) }
        return number
    }

    /// A list, or a text with origins separated by commas.
    private static func origins(_ value: Scalar, _ place: String) throws(ConfigurationError) -> [String] {
        let items: [String]
        switch value {
        case .list(let list): items = list
        case .text(let text): items = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        case .boolean, .number: throw ConfigurationError("\(place): must be a string or a list of strings")
        }
        guard !items.isEmpty || value == .list([]) else { throw ConfigurationError("\(place): must not be empty") }
        var origins: [String] = []
        for item in items {
            guard let origin = item == "*" ? "*" : WebOrigin(item)?.description else {
                throw ConfigurationError(
                    "\(place): '\(item)' is no origin: scheme, host and port alone, as in https://chat.example:8443, "
                        + "or * for all"
                )
            }
            origins.append(origin)
        }
        return origins
    }

    private static func integer(
        _ value: Scalar,
        _ range: ClosedRange<Int>,
        _ origin: String
    ) throws(ConfigurationError) -> Int {
        guard case .number(let number) = value, let integer = Int(exactly: number) else {
            throw ConfigurationError("\(origin): must be a whole number")
        }
        guard range.contains(integer) else { throw outside(integer, range, origin) { "\($0)" } }
        return integer
    }

    /// A number of bytes, or a text such as "512M" or "4 GiB" (powers of 1,024).
    private static func bytes(
        _ value: Scalar,
        _ range: ClosedRange<Int>,
        _ origin: String
    ) throws(ConfigurationError) -> Int {
        let wrong = ConfigurationError("\(origin): must be a size such as 512M, 4G or a number of bytes")
        let number: Double
        var factor = 1.0
        switch value {
        case .number(let plain): number = plain
        case .text(let text):
            let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let parsed = decimal(String(digits)) else { throw wrong }
            number = parsed
            switch text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).lowercased() {
            case "", "b": break
            case "k", "kb", "kib": factor = 1024
            case "m", "mb", "mib": factor = 1_048_576
            case "g", "gb", "gib": factor = 1_073_741_824
            case "t", "tb", "tib": factor = 1_099_511_627_776
            default: throw wrong
            }
        case .boolean, .list: throw wrong
        }
        guard let bytes = Int(exactly: (number * factor).rounded()) else { throw wrong }
        guard range.contains(bytes) else { throw outside(bytes, range, origin, Format.bytes) }
        return bytes
    }

    private static func outside<Bound>(
        _ value: Bound,
        _ range: ClosedRange<Bound>,
        _ origin: String,
        _ format: (Bound) -> String
    ) -> ConfigurationError {
        ConfigurationError(
            "\(origin): \(format(value)) is outside \(format(range.lowerBound)) to \(format(range.upperBound))"
        )
    }

    /// A decimal number; not hexadecimal or "inf", which `Double` would accept as well.
    static func decimal(_ text: String) -> Double? {
        text.allSatisfy { "0123456789.eE+-".contains($0) } ? Double(text) : nil
    }

    private static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2 ? String(host.dropFirst().dropLast()) : host
    }

    private static func expand(_ path: String) -> String {
        path == "~" || path.hasPrefix("~/") ? NSHomeDirectory() + path.dropFirst(1) : path
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }
}
