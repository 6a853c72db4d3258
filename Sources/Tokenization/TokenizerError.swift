package import JSON

/// What is wrong with a tokenizer's file, with the place in it.
package struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// What is wrong in a JSON file.
    init(_ error: JSONError, in name: String) { self.init("\(name): \(error)") }
}

extension JSONNode {
    /// Reads a JSON file of a tokenizer.
    /// - Parameter name: the file's, for messages.
    /// - Throws: `TokenizerError` if it is no JSON, or `read` throws.
    package static func file<Value>(
        _ json: [UInt8],
        named name: String,
        _ read: (JSONNode) throws(JSONError) -> Value
    ) throws(TokenizerError) -> Value {
        do throws(JSONError) {
            return try read(JSONDocument(json, limits: .file).root)
        } catch {
            throw TokenizerError(error, in: name)
        }
    }

    /// The parts of a pipeline, `Sequence`s unfolded; none if the node is absent or null.
    func parts(_ name: String) throws(JSONError) -> [JSONNode] {
        guard let node = try nullable else { return [] }
        guard try node["type"].string() == "Sequence" else { return [node] }
        // Many times the length of any pipeline.
        let most = 1024
        var parts: [JSONNode] = []
        for part in try node[name].elements(atMost: most) {
            parts += try part.parts(name)
            guard parts.count <= most else { throw error(.tooMany(most: most)) }
        }
        return parts
    }
}
