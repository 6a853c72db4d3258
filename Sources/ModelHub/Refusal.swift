import Console
import Foundation

/// An answer that brings no file, turned into a sentence that says what to do.
struct Refusal {
    let head: HTTPHead
    let reference: ModelReference
    let file: RepositoryPath?
    let settings: HubSettings

    private var name: String { reference.repository.description }
    private var hub: String { settings.endpoint.absoluteString }
    /// The file, or the whole model.
    private var subject: String { file.map { "\($0) of \(name)" } ?? name }
    private var said: String { head["x-error-message"].map { " (it says: \($0.printable))" } ?? "" }

    var error: HubError {
        // The hub sends on to servers that only keep bytes, by addresses that expire.
        guard head.url.origin == settings.endpoint.origin else {
            let host = head.url.host ?? "the file server"
            return HubError(
                "\(host) answered \(subject) with status \(head.status)",
                head.status < 500 ? .expired : .passing
            )
        }
        return refusal
    }

    private var refusal: HubError {
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
            HubError.passing("the hub asks for patience, as it had too many requests\(said): try again in some minutes")
        case (500..., _): HubError.passing("the hub has trouble (status \(head.status))\(said): try again later")
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
