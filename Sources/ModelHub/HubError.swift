import Console
import Foundation
import Platform

/// Why a model cannot be pulled, found or removed; the description says what to do.
package struct HubError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    let retryability: Retryability

    /// Whether a retry may succeed.
    enum Retryability: Sendable {
        case permanent
        /// The same request may succeed later: the connection broke, the hub is busy.
        case transient
        /// A signed URL has expired; the hub issues a new one.
        case withNewURL
    }

    package init(_ description: String) { self.init(description, .permanent) }

    init(_ description: String, _ retryability: Retryability) {
        self.description = description
        self.retryability = retryability
    }

    static func transient(_ description: String) -> HubError { HubError(description, .transient) }

    /// The error of a failed system call on a file.
    static func file(_ path: String, _ action: String, _ code: Int32) -> HubError {
        HubError("\(path): cannot be \(action): \(String(cString: strerror(code)))")
    }
}

/// An error response of the hub, and the `HubError` that it means to the user.
struct ErrorResponse {
    let head: HTTPHead
    let reference: ModelReference
    let file: RepositoryPath?
    let settings: HubSettings

    private var name: String { reference.repository.description }
    private var hub: String { settings.endpoint.absoluteString }
    /// The file, or the model as a whole.
    private var subject: String { file.map { "\($0) of \(name)" } ?? name }
    private var said: String { head["x-error-message"].map { " (it says: \($0.printable))" } ?? "" }

    var error: HubError {
        // The hub redirects to storage servers by signed URLs that expire.
        guard head.url.origin == settings.endpoint.origin else {
            let host = head.url.host ?? "the file server"
            return HubError(
                "\(host) answered \(subject) with status \(head.status)",
                head.status < 500 ? .withNewURL : .transient
            )
        }
        return hubError
    }

    private var hubError: HubError {
        switch (head.status, head["x-error-code"]) {
        case (401, "GatedRepo"), (403, "GatedRepo"): HubError(gated)
        case (401, _): HubError(unauthorised)
        case (403, _):
            HubError("the hub does not let this token read \(subject)\(said): use a token of an account that may")
        case (_, "RevisionNotFound"):
            HubError("\(name) has no revision '\(reference.revision)'; see \(hub)/\(name)/tree/main for its branches")
        case (404, "EntryNotFound"): HubError("\(name) has no file \(file?.description ?? "of this name")")
        case (404, _), (410, _):
            HubError("there is no \(subject) at \(hub): check the spelling, or set HF_TOKEN if it is private\(said)")
        case (429, _):
            HubError.transient(
                "the hub asks for patience, as it had too many requests\(said): try again in some minutes"
            )
        case (500..., _): HubError.transient("the hub has trouble (status \(head.status))\(said): try again later")
        default: HubError("the hub answered \(subject) with status \(head.status)\(said)")
        }
    }

    private var gated: String {
        let ask = "ask for access at \(hub)/\(name)"
        return settings.token == nil
            ? "\(name) is gated: \(ask), then set HF_TOKEN to a token of that account (\(hub)/settings/tokens)"
            : "\(name) is gated, and this token's account has no access: \(ask), then try again"
    }

    private var unauthorised: String {
        settings.token == nil
            ? "there is no public \(name) at \(hub): check the spelling, or, if it is private or gated, set HF_TOKEN to "
                + "a token of an account that may read it (\(hub)/settings/tokens)"
            : "the hub does not accept the token for \(name)\(said): check HF_TOKEN and the spelling"
    }
}
