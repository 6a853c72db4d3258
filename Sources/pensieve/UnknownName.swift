import Console

/// Errors about names that this program does not have: each says what is meant most likely, and where all names are.
extension ConfigurationError {
    static func unknownFlag(_ flag: String, of command: String, among known: [String]) -> ConfigurationError {
        let what = "unknown flag '\(flag)'"
        let page = "pensieve \(command) --help lists the flags"
        if let advice = OtherPrograms.advice(on: flag, among: known) {
            return ConfigurationError("\(what): \(advice); \(page)")
        }
        // Of one letter nothing can be guessed.
        guard flag.count > 2, let nearest = nearestName(to: flag, among: known.map { "--" + $0 }) else {
            return ConfigurationError("\(what); \(page)")
        }
        return ConfigurationError("\(what); did you mean '\(nearest)'? \(page)")
    }

    /// - Parameter path: the configuration file that has the key.
    static func unknownKey(_ key: String, in path: String) -> ConfigurationError {
        let what = "\(path): unknown key '\(key)'"
        let known = Setting.all.map(\.name)
        if let name = OtherPrograms.name(for: key, among: known) ?? nearestName(to: key, among: known) {
            return ConfigurationError("\(what); did you mean '\(name.replacing("-", with: "_"))'?")
        }
        return ConfigurationError("\(what); pensieve start --help lists the settings; a key is a flag's name with '_'")
    }

    static func unknownVariable(_ name: String, among known: [String]) -> ConfigurationError {
        let advice = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
        return ConfigurationError(
            "unknown environment variable '\(name)'; " + (advice ?? "pensieve start --help lists the settings")
        )
    }

    static func unknownCommand(_ name: String) -> ConfigurationError {
        ConfigurationError("unknown command '\(name)'" + OtherPrograms.advice(onCommand: name))
    }
}
