import Console

/// The path of a file in a repository, as a hub lists it. What a server says is hostile until shown otherwise: this type
/// holds only relative paths that stay below the folder they are appended to, and that a terminal can show.
package struct RepositoryPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String
    /// Parts between slashes, which are told apart byte by byte, as a file system does.
    package let components: [String]

    /// - Throws: `HubError` for an absolute path, `.` or `..`, an empty component, a backslash, a control character, or
    ///   lengths that no file system takes.
    package init(_ text: String) throws(HubError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        components = parts.map { String(Substring($0)) }
        let isSafe =
            text.utf8.count <= 1024
            && components.allSatisfy { !["", ".", ".."].contains($0) && $0.utf8.count <= 255 }
            && text.unicodeScalars.allSatisfy { scalar in
                scalar != "\\" && !Self.hidden.contains(scalar.properties.generalCategory)
            }
        guard isSafe else {
            throw HubError("the hub lists a file named '\(text.printable)'; such a name is refused")
        }
        description = text
    }

    package var name: String { components[components.count - 1] }
    package var isAtTop: Bool { components.count == 1 }

    package static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    /// Categories that a terminal obeys or does not show.
    private static let hidden: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
}
