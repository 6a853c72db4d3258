/// A command line taken apart: flags with their texts, and what is left.
struct Arguments {
    var flags: [(name: String, text: String)] = []
    var positional: [String] = []
    var wantsHelp = false

    /// Reads `--name value`, `--name=value`, toggles, and `--` after which nothing is a flag; `-` alone is no flag.
    /// - Parameters:
    ///   - valued: flags that take a value; `toggles`: flags that take none (or `=true`, `=false`).
    /// - Throws: `ConfigurationError` naming the flag, and the nearest known one if it is unknown.
    init(_ arguments: [String], valued: [String], toggles: [String]) throws(ConfigurationError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                positional += rest
                return
            }
            if argument == "-h" || argument == "--help" {
                wantsHelp = true
                continue
            }
            guard argument.hasPrefix("-"), argument.count > 1 else {
                positional.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : ""
            if toggles.contains(name) {
                flags.append((name, parts.count > 1 ? parts[1] : "true"))
            } else if valued.contains(name) {
                // Another flag is no value: `--model --mock` lacks one. Who means it can write `--model=--mock`.
                let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
                guard let text = parts.count > 1 ? parts[1] : next else {
                    throw ConfigurationError("--\(name) needs a value; see --help")
                }
                if parts.count == 1 { rest.removeFirst() }
                flags.append((name, text))
            } else {
                throw .unknown("flag", parts[0], among: (valued + toggles + ["help"]).map { "--" + $0 })
            }
        }
    }

    /// Takes a flag out that the command itself handles.
    mutating func take(_ name: String) -> String? {
        guard let text = flags.last(where: { $0.name == name })?.text else { return nil }
        flags.removeAll { $0.name == name }
        return text
    }
}
