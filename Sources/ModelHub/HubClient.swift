import Console
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The requests to a hub that a download needs.
struct HubClient: Sendable {
    private let settings: HubSettings
    private let http: HTTPClient

    private static let maxRedirections = 5

    init(settings: HubSettings, stallSeconds: Double) {
        self.settings = settings
        http = HTTPClient(stallSeconds: stallSeconds)
    }

    /// The commit that a revision points to, and its files.
    /// - Throws: `HubError` for a failed request or a malformed listing.
    func listing(_ reference: ModelReference) async throws(HubError) -> RepositoryListing {
        let url = try address(["api", "models"], reference.repository, ["revision", reference.revision], "blobs=true")
        let body = Mutex(Data())
        let receiver = HTTPClient.Receiver(
            begin: { $0.status == 200 },
            receive: { piece throws(HubError) in
                let count = body.withLock { body in
                    body.append(piece)
                    return body.count
                }
                guard count <= RepositoryListing.maxBytes else {
                    throw HubError("the hub's listing of \(reference.repository) does not end")
                }
            }
        )
        let head = try await send("GET", url, receiver: receiver)
        guard head.status == 200 else { throw error(head, for: reference, file: nil) }
        return try RepositoryListing(json: body.withLock { $0 })
    }

    /// The size and the hash of a file.
    /// - Throws: `HubError` for a failed request, or if the hub does not name commit, hash and size.
    func metadata(
        of path: RepositoryPath,
        in reference: ModelReference,
        commit: String
    ) async throws(HubError) -> RemoteFile {
        let url = try address([], reference.repository, ["resolve", commit] + path.components, nil)
        // For a large file the hub redirects to its storage, and the redirection already has all metadata.
        let head = try await send("HEAD", url, isFinal: { $0.hasMetadata })
        guard head.status == 200 || head.hasMetadata else {
            throw error(head, for: reference, file: path)
        }
        guard head["x-repo-commit"] == commit else {
            throw HubError("\(path): the hub's answer is not for commit \(commit); does HF_ENDPOINT name a hub?")
        }
        guard let hash = ContentHash(entityTag: head["x-linked-etag"] ?? head["etag"] ?? "") else {
            throw HubError("\(path): the hub names no hash for it, so it could not be checked")
        }
        let text = head["x-linked-size"] ?? (head.location == nil ? head["content-length"] : nil)
        guard let size = text.flatMap({ Int($0) }), size >= 0 else {
            throw HubError("\(path): the hub names no size for it, so it could not be checked")
        }
        return RemoteFile(path: path, size: size, hash: hash, address: url)
    }

    /// Receives bytes of a file: those of `range`, or all of them if the server does not support ranges; the receiver
    /// learns from the status which of the two.
    /// - Parameter location: the file's URL at the hub, or the URL that it redirected to before.
    /// - Returns: the URL that served the bytes, for further ranges.
    /// - Throws: `HubError` for a failed request; what the receiver throws.
    func bytes(
        _ range: Range<Int>,
        of file: RemoteFile,
        from location: URL,
        in reference: ModelReference,
        receiver: HTTPClient.Receiver
    ) async throws(HubError) -> URL {
        let fields = ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"]
        let head = try await send("GET", location, fields, receiver: receiver)
        guard head.status == 206 || head.status == 200 else { throw error(head, for: reference, file: file.path) }
        return head.url
    }

    /// A URL below the endpoint; each path component is percent-encoded.
    private func address(
        _ prefix: [String],
        _ repository: RepositoryName,
        _ suffix: [String],
        _ query: String?
    ) throws(HubError) -> URL {
        var allowed = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\0"..."\u{7f}"))
        allowed.insert(charactersIn: "-._~")
        let parts = prefix + repository.description.split(separator: "/").map(String.init) + suffix
        let encoded = parts.map { $0.addingPercentEncoding(withAllowedCharacters: allowed) ?? "" }
        let text = settings.endpoint.absoluteString + "/" + encoded.joined(separator: "/")
        guard let url = URL(string: text + (query.map { "?" + $0 } ?? "")) else {
            throw HubError("\(text.printable) is no address")
        }
        return url
    }

    /// Sends a request and follows redirections. The token is sent to the endpoint only, not to other servers.
    private func send(
        _ method: String,
        _ first: URL,
        _ fields: [String: String] = [:],
        isFinal: (HTTPHead) -> Bool = { _ in false },
        receiver: HTTPClient.Receiver = .ignoring
    ) async throws(HubError) -> HTTPHead {
        var url = first
        for _ in 0...Self.maxRedirections {
            var request = URLRequest(url: url)
            request.httpMethod = method
            for (name, value) in fields { request.setValue(value, forHTTPHeaderField: name) }
            // Compressed bytes would have other sizes and ranges.
            request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
            request.setValue("pensieve", forHTTPHeaderField: "User-Agent")
            if let token = settings.token, url.origin == settings.endpoint.origin {
                request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
            }
            let head = try await http.send(request, receiver: receiver)
            guard let next = head.location, !isFinal(head) else { return head }
            guard next.scheme == "https" || next.scheme == "http" && url.scheme == "http" else {
                throw HubError("\(url.host ?? "the hub") redirects to an address without encryption; that is refused")
            }
            url = next
        }
        throw HubError("\(first.host ?? "the hub") redirects in circles")
    }

    private func error(_ head: HTTPHead, for reference: ModelReference, file: RepositoryPath?) -> HubError {
        ErrorResponse(head: head, reference: reference, file: file, settings: settings).error
    }
}

extension HTTPHead {
    /// Whether a redirection has all of a file's metadata.
    fileprivate var hasMetadata: Bool {
        location != nil && self["x-linked-etag"] != nil && self["x-repo-commit"] != nil
    }
}

extension URL {
    /// Scheme, host and port (RFC 6454).
    var origin: String {
        let port = port ?? (scheme?.lowercased() == "https" ? 443 : 80)
        return "\(scheme?.lowercased() ?? "")://\(host?.lowercased() ?? ""):\(port)"
    }
}
