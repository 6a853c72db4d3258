import Console
import Foundation
import ModelHub

/// `pensieve models`: lists the models in the cache, which other programs share.
enum ModelsCommand {
    static func run(_ raw: [String]) throws -> Int32 {
        let arguments = try Arguments(raw, of: "models", valued: [], toggles: ["json"])
        if arguments.wantsHelp {
            Terminal.print(HubHelp.models)
            return 0
        }
        if let extra = arguments.positional.first {
            throw ConfigurationError("'\(extra)' is not a flag; pensieve models lists all there is")
        }
        let cache = HubCache(root: try HubModels.settings().cache)
        let rows = cache.repositories().flatMap(Row.rows)
        if arguments.flags.contains(where: { $0.name == "json" && $0.text == "true" }) {
            Terminal.print(try prettyJSON(rows))
        } else if rows.isEmpty {
            Terminal.error("There are no models in \(cache.root); pensieve pull ORG/NAME fetches one.")
        } else {
            Terminal.print(table(rows))
        }
        return 0
    }

    private static func table(_ rows: [Row]) -> String {
        let cells =
            [["MODEL", "SIZE", "QUANTISATION", "ARCHITECTURE"]]
            + rows.map {
                [$0.model, Format.bytes($0.bytes), $0.note ?? $0.quantization ?? "-", $0.architecture ?? "-"]
            }
        return TextTable.lines(cells).joined(separator: "\n")
    }
}

/// One row of the table.
private struct Row: Encodable {
    /// As `--model` takes it.
    var model: String
    var bytes: Int
    var quantization: String?
    var architecture: String?
    var commit: String?
    var path: String?
    /// Why the model cannot be served as it is.
    var note: String?

    static func rows(_ repository: CachedRepository) -> [Row] {
        var rows = repository.revisions.flatMap { revision in
            revision.models.isEmpty && revision.bytes > 0
                ? [Row(incomplete: revision, of: repository)] : revision.models.map { Row($0, revision) }
        }
        if repository.incompleteBytes > 0 {
            let note = "unfinished; pull again"
            rows.append(Row(model: "\(repository.name)", bytes: repository.incompleteBytes, note: note))
        }
        return rows
    }

    private init(model: String, bytes: Int, note: String?) {
        self.model = model
        self.bytes = bytes
        self.note = note
    }

    private init(incomplete revision: CachedRevision, of repository: CachedRepository) {
        self.init(
            model: "\(repository.name)\(Self.suffix(revision))",
            bytes: revision.bytes,
            note: "not whole, or of another form"
        )
        commit = revision.commit
    }

    private init(_ model: LocalModel, _ revision: CachedRevision) {
        let summary = ModelSummary(model)
        var variant = ""
        if case .gguf(let label) = model.selection.format {
            variant = ":" + (label ?? model.selection.entry.description)
        }
        self.model = "\(model.repository)\(Self.suffix(revision))\(variant)"
        bytes = model.bytes
        quantization = summary.quantization
        architecture = summary.architecture
        commit = model.commit
        path = model.path
    }

    private static func suffix(_ revision: CachedRevision) -> String {
        revision.reference == ModelReference.defaultRevision ? "" : "@\(revision.reference)"
    }
}
