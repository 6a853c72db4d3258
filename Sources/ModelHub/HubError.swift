#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a model cannot be pulled, found or removed, in a sentence that says what to do.
package struct HubError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    /// The same request may well succeed a moment later: the connection broke, the hub is busy.
    let isPassing: Bool

    package init(_ description: String) { self.init(description, isPassing: false) }

    init(_ description: String, isPassing: Bool) {
        self.description = description
        self.isPassing = isPassing
    }

    static func passing(_ description: String) -> HubError { HubError(description, isPassing: true) }

    /// A failed system call on a file.
    static func file(_ path: String, _ action: String, _ code: Int32) -> HubError {
        HubError("\(path): cannot be \(action): \(String(cString: strerror(code)))")
    }
}

extension String {
    /// Text from outside, fit for a line of a terminal: control characters are left out, and the length is bounded.
    package var printable: String { printable(upTo: 200) }

    package func printable(upTo count: Int) -> String {
        let shown = unicodeScalars.lazy.filter { $0.properties.generalCategory != .control }
        return String(String.UnicodeScalarView(shown.prefix(count)))
    }
}
