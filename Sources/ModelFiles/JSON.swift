import FoundationEssentials

/// Decodes a JSON file of a model.
func decodeJSON<Value: Decodable>(
    _ type: Value.Type,
    from file: FileBytes,
    label: String
) throws(ModelError) -> Value {
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
