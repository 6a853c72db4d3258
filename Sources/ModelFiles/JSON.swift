import FoundationEssentials

/// Many times what a configuration takes: decoding needs some forty times the file's size.
package let maxConfigurationBytes = 1 << 20

/// Decodes a JSON file of a model, one of the short ones.
func decodeJSON<Value: Decodable>(
    _ type: Value.Type,
    from file: FileBytes,
    label: String
) throws(ModelError) -> Value {
    guard file.count <= maxConfigurationBytes else {
        throw ModelError("\(label): \(file.count) bytes long; at most \(maxConfigurationBytes) are expected")
    }
    do {
        return try JSONDecoder().decode(type, from: Data(file.bytes))
    } catch let DecodingError.keyNotFound(key, _) {
        throw ModelError("\(label): \"\(key.stringValue)\" is missing")
    } catch let DecodingError.typeMismatch(type, context), let DecodingError.valueNotFound(type, context) {
        throw ModelError("\(label): \(path(context.codingPath)) is not of the expected type \(type)")
    } catch let DecodingError.dataCorrupted(context) where !context.codingPath.isEmpty {
        throw ModelError("\(label): \(path(context.codingPath)): \(context.debugDescription)")
    } catch {
        throw ModelError("\(label): not valid JSON")
    }
}

private func path(_ keys: [any CodingKey]) -> String {
    keys.isEmpty ? "the top level" : "\"" + keys.map(\.stringValue).joined(separator: ".") + "\""
}
