/// A call of a tool in an assistant's turn.
package struct ToolCall: Sendable, Equatable {
    /// The client's name for it, which the result repeats.
    package var id: String
    package var name: String
    /// A JSON object, as text.
    package var arguments: String
    /// Whether the arguments are the very text that the model wrote: then they are not to be written anew.
    package var isSampled = false

    package init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}
