/// Whether and which tools an answer must call.
struct ToolChoice: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// The model decides.
        case auto
        /// At least one call, of any tool, and no text before it.
        case any
        /// That tool.
        case tool(String)
        /// No call, though the tools are described.
        case none
    }

    var kind = Kind.auto
    /// Whether one answer may call several.
    var allowsParallel = true

    /// Whether the answer begins with a call.
    var isForced: Bool {
        switch kind {
        case .any, .tool: true
        case .auto, .none: false
        }
    }
}
