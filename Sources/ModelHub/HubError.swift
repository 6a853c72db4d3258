import Platform

/// Why a model cannot be pulled, found or removed, in a sentence that says what to do.
package struct HubError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    let outlook: Outlook

    /// What another try is worth.
    enum Outlook: Sendable {
        case none
        /// The same request may well succeed a moment later: the connection broke, the hub is busy.
        case passing
        /// An address that the hub has signed is good no longer; asked again, it signs a new one.
        case expired
    }

    package init(_ description: String) { self.init(description, .none) }

    init(_ description: String, _ outlook: Outlook) {
        self.description = description
        self.outlook = outlook
    }

    static func passing(_ description: String) -> HubError { HubError(description, .passing) }

    /// A failed system call on a file.
    static func file(_ path: String, _ action: String, _ code: Int32) -> HubError {
        HubError("\(path): cannot be \(action): \(String(cString: strerror(code)))")
    }
}
