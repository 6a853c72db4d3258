package import JSON

/// A tool that a model may call.
package struct ToolDefinition: Sendable {
    package var name: String
    package var description: String?
    /// The JSON Schema of the arguments: an object.
    package var inputSchema: JSONNode
    /// Whether the schema must be enforced in full (`strict`).
    package var isStrict: Bool

    package init(name: String, description: String?, inputSchema: JSONNode, isStrict: Bool = false) {
        self.name = name
        self.description = description
        self.inputSchema = inputSchema
        self.isStrict = isStrict
    }
}
