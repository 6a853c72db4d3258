import Foundation
import JSON
import ModelFiles

/// A complete model in the cache.
package struct LocalModel: Sendable, Equatable {
    package let repository: RepositoryName
    package let commit: String
    package let selection: FileSelection
    /// The folder of the snapshot.
    package let folder: String
    package let bytes: Int

    /// The path to load: the folder, or the GGUF file (the first one of a split model).
    package var path: String {
        switch selection.format {
        case .folder: folder
        case .gguf: folder + "/" + selection.entry.description
        }
    }
}

extension HubCache {
    /// The model of a reference if the cache has all of it; makes no request.
    package func model(_ reference: ModelReference) -> LocalModel? {
        guard let commit = commit(of: reference) else { return nil }
        return model(commit, variant: reference.variant, of: reference.repository)
    }

    /// A model of one snapshot if the cache has all of it.
    func model(_ commit: String, variant: String?, of repository: RepositoryName) -> LocalModel? {
        let sizes = files(commit: commit, of: repository)
        guard let selection = try? FileSelection(sizes, variant: variant, of: repository) else { return nil }
        let folder = snapshot(commit, of: repository)
        if selection.format == .folder, !Self.isComplete(sizes, in: folder) { return nil }
        let bytes = selection.files.map { (sizes[$0] ?? 0) ?? 0 }.saturatedSum
        return LocalModel(repository: repository, commit: commit, selection: selection, folder: folder, bytes: bytes)
    }

    /// Of indices with a hundred thousand tensors.
    private static let mostIndexBytes = 16 << 20

    /// Without an index: whether all shards are there by their names.
    private static func hasAllShards(_ names: Set<String>) -> Bool {
        ShardName.areComplete(names.compactMap { ShardName($0, suffix: ".safetensors") })
    }

    /// Whether a snapshot is complete: other programs fetch single files, or stop in between. It needs
    /// `model.safetensors` or every shard, by the index or by their names, and a tokenizer.
    private static func isComplete(_ sizes: [RepositoryPath: Int?], in folder: String) -> Bool {
        let names = Set(sizes.keys.map(\.description))
        guard names.contains("tokenizer.json") else { return false }
        guard !names.contains("model.safetensors") else { return true }
        guard let file = FileHandle(forReadingAtPath: folder + "/model.safetensors.index.json") else {
            return Self.hasAllShards(names)
        }
        guard let data = try? file.read(upToCount: mostIndexBytes),
            let shards = try? JSONDocument(Array(data), limits: .file).root["weight_map"].members()
        else { return false }
        return shards.allSatisfy { (try? $0.value.string()).map(names.contains) ?? false }
    }
}
