import Foundation
import Inference
import ModelFiles

/// `pensieve validate --config FILE`: checks a configuration file, and the key file and the model that it names.
enum ValidateCommand {
    static func run(_ raw: [String]) throws -> Int32 {
        var arguments = try Arguments(raw, of: "validate", valued: ["config"], toggles: [])
        if arguments.wantsHelp {
            Terminal.print(Help.validate)
            return 0
        }
        let paths = arguments.positional + [arguments.take("config")].compactMap { $0 }
        guard let path = paths.first, paths.count == 1 else {
            throw ConfigurationError("which file? pensieve validate --config FILE")
        }
        var configuration = Configuration()
        try configuration.apply(file: path)
        try APIKeys.check(configuration)
        if let warning = APIKeys.warning(configuration) { Terminal.warning(warning) }
        configuration.machineWarnings().forEach(Terminal.warning)
        let generation = try generation(configuration)
        generation?.warnings.forEach(Terminal.warning)
        Terminal.print("\(path) is valid. The settings (* where not the default):")
        Terminal.print(table(configuration))
        if let generation {
            Terminal.print("Answers where a request does not say: \(configuration.sampling(generation).text)")
        }
        return 0
    }

    /// The sampling parameters that the model recommends; nil if it is not local.
    private static func generation(_ configuration: Configuration) throws -> GenerationConfiguration? {
        if configuration.mock { return nil }
        if let draft = configuration.draftModel { try Model.check(draft) }
        if let model = configuration.model { return try Model.check(model)?.generation }
        return try ModelConfiguration(source: .memory(BuiltinFiles.all)).generation
    }

    private static func table(_ configuration: Configuration) -> String {
        let defaults = Configuration()
        return Setting.all.compactMap { setting in
            guard let text = setting.currentText(in: configuration) else { return nil }
            let isDefault = text == setting.currentText(in: defaults)
            let key = setting.key.padding(toLength: 24, withPad: " ", startingAt: 0)
            return "\(isDefault ? " " : "*") \(key) \(text)"
        }.joined(separator: "\n")
    }
}
