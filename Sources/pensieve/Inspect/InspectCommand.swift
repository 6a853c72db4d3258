import Foundation
import ModelFiles

/// `pensieve inspect MODEL`: what a model is and what it needs.
enum InspectCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        let arguments = try Arguments(raw, valued: [], toggles: ["json"])
        if arguments.wantsHelp {
            Terminal.print(HubHelp.inspect)
            return 0
        }
        guard arguments.positional.count <= 1 else {
            throw ConfigurationError("which model? pensieve inspect MODEL")
        }
        let report = try await report(on: arguments.positional.first)
        if arguments.flags.contains(where: { $0.name == "json" && $0.text == "true" }) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            Terminal.print(report.text)
        }
        return 0
    }

    private static func report(on name: String?) async throws -> ModelReport {
        guard let name else {
            return try ModelReport(name: BuiltinFiles.modelID, path: nil, source: .memory(BuiltinFiles.all))
        }
        let location = try await ModelLocation.find(name, fetches: false)
        let source = try location.source
        return try ModelReport(name: location.id ?? source.folderName ?? name, path: location.path, source: source)
    }
}
