import Console
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The routes of a hub that a download needs.
struct HubClient: Sendable {
    private let settings: HubSettings
    private let http: HTTPClient

    private static let maxRedirections = 5

    init(settings: HubSettings, stallSeconds: Double) {
        self.settings = settings
        http = HTTPClient(stallSeconds: stallSeconds)
    }

    /// The commit that a revision stands for, and its files.
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
        guard head.status == 200 else { throw refusal(head, of: reference, file: nil) }
        return try RepositoryListing(json: body.withLock { $0 })
    }

    /// Size and hash of a file.
    func metadata(
        of path: RepositoryPath,
        in reference: ModelReference,
        commit: String
    ) async throws(HubError) -> RemoteFile {
        let url = try address([], reference.repository, ["resolve", commit] + path.components, nil)
        // For a large file the hub redirects to where the bytes are, and this answer already says all there is to know.
        let head = try await send("HEAD", url, isFinal: { $0.isComplete })
        guard head.status == 200 || head.isComplete else {
            throw refusal(head, of: reference, file: path)
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

    /// Receives bytes of a file: those of `range`, or all from the first if the server knows no ranges; the receiver sees
    /// which of the two it is.
    /// - Parameter location: the file's route, or where it led before.
    /// - Returns: the address that gave the bytes, good for the next ranges.
    func bytes(
        _ range: Range<Int>,
        of file: RemoteFile,
        from location: URL,
        in reference: ModelReference,
        receiver: HTTPClient.Receiver
    ) async throws(HubError) -> URL {
        let fields = ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"]
        let head = try await send("GET", location, fields, receiver: receiver)
        guard head.status == 206 || head.status == 200 else { throw refusal(head, of: reference, file: file.path) }
        return head.url
    }

    /// An address below the endpoint; each part is percent-encoded whole.
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

    /// Sends a request and follows redirections. The token goes to the endpoint alone: wherever else a redirection
    /// leads, it stays behind.
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
            // Compressed bytes would have another size, and ranges of their own.
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

    private func refusal(_ head: HTTPHead, of reference: ModelReference, file: RepositoryPath?) -> HubError {
        Refusal(head: head, reference: reference, file: file, settings: settings).error
    }
}

extension HTTPHead {
    /// Whether a redirection already says all that there is to know of a file.
    fileprivate var isComplete: Bool { location != nil && self["x-linked-etag"] != nil && self["x-repo-commit"] != nil }
}

extension URL {
    /// Scheme, host and port: what decides whether two addresses are of one server.
    var origin: String {
        let port = port ?? (scheme?.lowercased() == "https" ? 443 : 80)
        return "\(scheme?.lowercased() ?? "")://\(host?.lowercased() ?? ""):\(port)"
    }
}
