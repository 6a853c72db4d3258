package import JSON

/// A call of a tool in an assistant's turn.
package struct ToolCall: Sendable, Equatable {
    /// The client's name for it, which the result repeats.
    package var id: String
    package var name: String
    /// A JSON object, as text.
    package var arguments: String
    /// Whether the arguments are the very text that the model wrote: then they are not to be written anew.
    package var isSampled = false

    /// The bounds of `arguments`, as wide as those of requests.
    package static let limits = JSONLimits(depth: 256)

    package init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// The arguments as a value; nil if they are no JSON.
    package var value: JSONNode? { (try? JSONDocument(Array(arguments.utf8), limits: Self.limits))?.root }
}
