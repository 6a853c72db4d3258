import Foundation

/// `pensieve validate --config FILE`.
enum ValidateCommand {
    static func run(_ raw: [String]) throws(ConfigurationError) -> Int32 {
        var arguments = try Arguments(raw, valued: ["config"], toggles: [])
        if arguments.wantsHelp {
            Terminal.print(Help.validate)
            return 0
        }
        guard let path = arguments.take("config") ?? arguments.positional.first, arguments.positional.count <= 1 else {
            throw ConfigurationError("which file? pensieve validate --config FILE")
        }
        var configuration = Configuration()
        try configuration.apply(file: path)
        try Keys.check(configuration)
        Terminal.print("\(path) is valid:")
        for setting in Setting.all {
            guard let text = setting.currentText(in: configuration) else { continue }
            Terminal.print("  \(setting.key.padding(toLength: 24, withPad: " ", startingAt: 0)) \(text)")
        }
        return 0
    }
}
