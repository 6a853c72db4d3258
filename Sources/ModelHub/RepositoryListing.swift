import Foundation
import JSON

/// The hub's listing of a repository at a revision.
struct RepositoryListing: Sendable {
    /// 40 hexadecimal digits.
    let commit: String
    /// The files, with sizes where the hub gives them.
    let files: [RepositoryPath: Int?]

    static let maxBytes = 64 << 20
    private static let maxFiles = 200_000

    /// Parses the JSON of `/api/models/ORG/NAME/revision/REVISION`.
    /// - Throws: `HubError` for anything but a listing, or if it has an unsafe file name.
    init(json: Data) throws(HubError) {
        var listed: [(name: String, size: Int?)] = []
        do throws(JSONError) {
            let answer = try JSONDocument(Array(json)).root
            commit = try answer["sha"].string()
            for file in try answer["siblings"].elements() {
                listed.append((try file["rfilename"].string(), try file["size"].nullable?.int()))
            }
        } catch {
            throw HubError("the hub's answer is no listing of a repository; does HF_ENDPOINT name a hub?")
        }
        guard Self.isCommit(commit), listed.count <= Self.maxFiles else {
            throw HubError("the hub's listing is not one: it needs a commit, and at most \(Self.maxFiles) files")
        }
        var files: [RepositoryPath: Int?] = [:]
        for file in listed { files[try RepositoryPath(file.name)] = .some(file.size) }
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
