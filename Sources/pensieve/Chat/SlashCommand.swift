/// What a user says to the program rather than to the model.
enum SlashCommand: Equatable {
    case system(String?)
    case model(String?)
    case reset
    case help
    case exit
    case unknown(String)

    static let list = """
        /system TEXT   sets the system prompt; "" takes it out; alone it is shown
        /model NAME    goes on with another model; alone, what there is
        /reset         forgets the conversation, but not the system prompt
        /help          this list
        /exit          ends, as Ctrl-D does
        A line that ends in \\ goes on in the next one, and between two \"\"\" may stand
        any lines. Ctrl-C stops an answer.
        """

    /// - Returns: nil for what is meant for the model.
    init?(_ text: String) {
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        guard text.hasPrefix("/"), let first = parts.first else { return nil }
        let name = first.dropFirst()
        // A path, or a fraction, is none.
        guard name.allSatisfy({ $0.isASCII && $0.isLetter || $0 == "?" }), !name.isEmpty else { return nil }
        let rest = parts.count > 1 ? Self.trimmed(parts[1]) : ""
        switch name.lowercased() {
        case "system", "sys": self = .system(rest.isEmpty ? nil : rest == "\"\"" ? "" : rest)
        case "model", "models": self = .model(rest.isEmpty ? nil : rest)
        case "reset", "clear", "new": self = .reset
        case "help", "h", "?": self = .help
        case "exit", "quit", "q", "bye": self = .exit
        default: self = .unknown(String(first))
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
