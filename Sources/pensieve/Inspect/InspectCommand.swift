import Console
import Foundation
import Inference
import ModelFiles

/// `pensieve inspect MODEL`: describes a model and the memory it needs.
enum InspectCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        var arguments = try Arguments(raw, of: "inspect", valued: ["kv-type"], toggles: ["json"])
        if arguments.wantsHelp {
            Terminal.print(HubHelp.inspect)
            return 0
        }
        guard arguments.positional.count <= 1 else {
            throw ConfigurationError("which model? pensieve inspect MODEL")
        }
        var configuration = Configuration()
        if let type = arguments.take("kv-type"), let setting = Setting.named("kv-type") {
            try setting.apply(type, to: &configuration, origin: "--kv-type")
        }
        let report = try await report(
            on: arguments.positional.first,
            configuration.kvType.flatMap(KVType.init) ?? .standard
        )
        if arguments.flags.contains(where: { $0.name == "json" && $0.text == "true" }) {
            Terminal.print(try prettyJSON(report))
        } else {
            Terminal.print(report.text)
        }
        return 0
    }

    private static func report(on name: String?, _ type: KVType) async throws -> ModelReport {
        guard let name else {
            return try ModelReport(
                name: BuiltinFiles.modelID,
                path: nil,
                source: .memory(BuiltinFiles.all),
                kvType: type
            )
        }
        let location = try await ModelLocation.find(name, fetches: false)
        let source = try location.source
        return try ModelReport(
            name: location.id ?? source.folderName ?? name,
            path: location.path,
            source: source,
            kvType: type
        )
    }
}
