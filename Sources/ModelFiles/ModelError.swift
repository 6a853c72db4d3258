package import JSON

/// Why a model cannot be loaded: names the file, the tensor or field, and what was expected there.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension FileBytes {
    /// Reads a JSON file of a model.
    /// - Parameter label: how messages name the file.
    /// - Throws: `ModelError` with what is wrong in the file, and where.
    package func json<Value>(
        _ limits: JSONLimits = .file,
        label: String,
        _ read: (JSONNode) throws(JSONError) -> Value
    ) throws(ModelError) -> Value {
        do throws(JSONError) {
            return try read(JSONDocument(array, limits: limits).root)
        } catch {
            throw ModelError("\(label): \(error)")
        }
    }
}
