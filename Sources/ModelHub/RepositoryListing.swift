import Foundation

/// The hub's listing of a repository at a revision.
struct RepositoryListing: Sendable {
    /// 40 hexadecimal digits.
    let commit: String
    /// The files, with sizes where the hub gives them.
    let files: [RepositoryPath: Int?]

    static let maxBytes = 64 << 20
    private static let maxFiles = 200_000

    private struct Answer: Decodable {
        var sha: String
        var siblings: [File]

        struct File: Decodable {
            var rfilename: String
            var size: Int?
        }
    }

    /// Parses the JSON of `/api/models/ORG/NAME/revision/REVISION`.
    /// - Throws: `HubError` for anything but a listing, or if it has an unsafe file name.
    init(json: Data) throws(HubError) {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: json) else {
            throw HubError("the hub's answer is no listing of a repository; does HF_ENDPOINT name a hub?")
        }
        guard Self.isCommit(answer.sha), answer.siblings.count <= Self.maxFiles else {
            throw HubError("the hub's listing is not one: it needs a commit, and at most \(Self.maxFiles) files")
        }
        commit = answer.sha
        var files: [RepositoryPath: Int?] = [:]
        for file in answer.siblings { files[try RepositoryPath(file.rfilename)] = .some(file.size) }
        self.files = files
    }

    static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// One file of a repository at a commit, as the hub describes it.
struct RemoteFile: Sendable {
    let path: RepositoryPath
    let size: Int
    let hash: ContentHash
    /// Its URL at the hub, which may redirect.
    let address: URL
}
