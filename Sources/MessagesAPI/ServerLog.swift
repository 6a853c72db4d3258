import Foundation
import JSON

/// The lines that a server writes: what it says of itself and, if asked to, one for each request.
package struct ServerLog: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        /// Messages as they are; requests as `name=value` pairs (logfmt).
        case text
        /// One object on each line, whatever the line is about.
        case json
    }

    package enum Level: String, Sendable { case info, warning }

    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line without its end; must be quick.
    package init(_ format: Format = .text, write: @escaping @Sendable (String) -> Void) {
        self.format = format
        self.write = write
    }

    /// Says something about the server itself.
    package func say(_ message: String, _ level: Level = .info) { write(ServerLog.line(message, level, format)) }

    package static func line(_ message: String, _ level: Level, _ format: Format) -> String {
        guard format == .json else { return level == .info ? message : "pensieve: \(level.rawValue): \(message)" }
        let fields: [(String, JSONValue)] = [
            ("time", .string(LogLine.time(.now))), ("level", .string(level.rawValue)), ("message", .string(message)),
        ]
        return LogLine(fields).json
    }

    func add(_ line: LogLine) { write(format == .json ? line.json : line.text) }
}

/// Named values of one line; those that are null are left out.
struct LogLine: Sendable {
    private let fields: [JSONValue.Member]

    init(_ fields: [(name: String, value: JSONValue)]) {
        self.fields = fields.filter { $0.value != .null }.map { JSONValue.Member(name: $0.name, value: $0.value) }
    }

    var json: String { String(decoding: JSONValue.object(fields).bytes, as: UTF8.self) }

    var text: String { fields.map { "\($0.name)=\(LogLine.text($0.value))" }.joined(separator: " ") }

    /// A value without the quotes that only some need.
    private static func text(_ value: JSONValue) -> String {
        guard case .string(let text) = value, !text.isEmpty, text.unicodeScalars.allSatisfy(isPlain) else {
            return String(decoding: value.bytes, as: UTF8.self)
        }
        return text
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar > " " && scalar != "\"" && scalar != "=" && scalar != "\\" && !scalar.properties.isWhitespace
    }

    /// RFC 3339, to the millisecond.
    static func time(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// Of a text of a client's.
    static let maxBytes = 200

    /// A text of a client's, fit for a line: cut, and without what could steer a terminal that shows the log.
    static func clean(_ text: String) -> String {
        var result = ""
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= maxBytes else { return result + "…" }
            result.unicodeScalars.append(isInert(scalar) ? scalar : "\u{FFFD}")
        }
        return result
    }

    private static func isInert(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
        default: true
        }
    }
}
