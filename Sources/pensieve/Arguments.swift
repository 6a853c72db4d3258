/// The parsed arguments of a command: flags with their values, and positional arguments.
struct Arguments {
    var flags: [(name: String, text: String)] = []
    var positional: [String] = []
    var wantsHelp = false

    /// Parses `--name value`, `--name=value`, toggles, and `--`, which ends the flags; `-` alone is positional.
    /// - Parameters:
    ///   - command: the command's name, for messages.
    ///   - valued: flags that take a value; `toggles`: flags that take none (or `=true`, `=false`).
    /// - Throws: `ConfigurationError` that names the flag, with a suggestion if there is one.
    init(_ arguments: [String], of command: String, valued: [String], toggles: [String]) throws(ConfigurationError) {
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
                // A flag is not a value: `--model --mock` lacks one. `--model=--mock` is possible.
                let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
                guard let text = parts.count > 1 ? parts[1] : next else {
                    throw ConfigurationError("--\(name) needs a value; see pensieve \(command) --help")
                }
                if parts.count == 1 { rest.removeFirst() }
                flags.append((name, text))
            } else {
                throw .unknownFlag(parts[0], of: command, among: valued + toggles + ["help"])
            }
        }
    }

    /// Treats a positional model like `--model`.
    /// - Throws: `ConfigurationError` if there are several, or `--model` is given as well.
    mutating func takeModel(of command: String) throws(ConfigurationError) {
        guard let name = positional.first else { return }
        guard positional.count == 1 else {
            let shown = positional.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
            throw ConfigurationError(
                "which model? pensieve \(command) takes one, and there are \(shown); a name with spaces needs quotes"
            )
        }
        if let other = flags.last(where: { $0.name == "model" })?.text {
            throw ConfigurationError("which model, '\(name)' or --model '\(other)'? Leave one of them out")
        }
        flags.append(("model", name))
        positional = []
    }

    /// Removes and returns the integer value of a flag that is not a setting.
    /// - Throws: `ConfigurationError` for anything but an integer in the range.
    mutating func takeInteger(_ name: String, _ range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        guard let text = take(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw ConfigurationError(
                "--\(name): must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// Removes and returns a toggle that is not a setting.
    /// - Throws: `ConfigurationError` for a value that is not a boolean.
    mutating func takeToggle(_ name: String) throws(ConfigurationError) -> Bool {
        guard let text = take(name) else { return false }
        guard let value = Setting.boolean(text) else {
            throw ConfigurationError("--\(name): '\(text)' is neither true nor false")
        }
        return value
    }

    /// Removes and returns the value of a flag that is not a setting.
    mutating func take(_ name: String) -> String? {
        guard let text = flags.last(where: { $0.name == name })?.text else { return nil }
        flags.removeAll { $0.name == name }
        return text
    }
}
