import Foundation
import ModelFiles
import ModelHub

/// Where a model's files are, and what it is served as.
struct ModelLocation: Sendable {
    /// A folder, or a GGUF file.
    let path: String
    /// As in `ORG/NAME`; nil is the folder's own name.
    let id: String?

    var source: ModelSource {
        get throws(ModelError) { try .at(path) }
    }

    /// Finds what a user calls a model: a path, else a model of the hub.
    /// - Parameter fetches: whether a model that is not in the cache may be fetched.
    /// - Throws: `HubError` if it is neither and cannot become one.
    static func find(_ name: String, fetches: Bool = true) async throws -> ModelLocation {
        guard !FileManager.default.fileExists(atPath: name), let reference = try? ModelReference(name) else {
            return ModelLocation(path: name, id: nil)
        }
        let settings = try HubModels.settings()
        if let model = HubCache(root: settings.cache).model(reference) { return ModelLocation(model) }
        guard fetches else {
            throw HubError("\(name) is no folder here and not in \(settings.cache): pensieve pull \(name) fetches it")
        }
        do {
            return ModelLocation(try await HubModels.pull(reference, settings: settings))
        } catch let error as HubError {
            throw HubError("\(name) is no folder here, and the hub does not give it: \(error)")
        }
    }

    private init(path: String, id: String?) {
        self.path = path
        self.id = id
    }

    init(_ model: LocalModel) {
        self.init(path: model.path, id: model.name)
    }
}

extension LocalModel {
    /// `ORG/NAME`, and which quantisation of it if there may be several.
    var name: String {
        switch selection.form {
        case .folder: repository.description
        case .gguf(let quantization): "\(repository):\(quantization ?? selection.entry.description)"
        }
    }
}
