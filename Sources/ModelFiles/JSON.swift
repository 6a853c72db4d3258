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
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: PythonNumbers.infinity,
            negativeInfinity: "-" + PythonNumbers.infinity,
            nan: PythonNumbers.nan
        )
        return try decoder.decode(type, from: Data(PythonNumbers.quoted(file.bytes)))
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

/// The numbers that Python writes and JSON does not know: `Infinity`, `-Infinity` and `NaN`.
package enum PythonNumbers {
    static let infinity = "Infinity"
    static let nan = "NaN"
    private static let words = [nan, infinity, "-" + infinity].map { Array($0.utf8) }

    /// JSON in which these numbers are strings.
    package static func quoted(_ json: some Collection<UInt8>) -> [UInt8] {
        Array(json).withUnsafeBytes(quoted)
    }

    static func quoted(_ json: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(json.count + 64)
        var (index, isString) = (0, false)
        while index < json.count {
            let byte = json[index]
            if isString, byte == UInt8(ascii: "\\"), index + 1 < json.count {
                result += json[index...(index + 1)]
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\"") { isString.toggle() }
            if !isString, "NI-".utf8.contains(byte), let word = words.first(where: { json[index...].starts(with: $0) })
            {
                result += [UInt8(ascii: "\"")] + word + [UInt8(ascii: "\"")]
                index += word.count
                continue
            }
            result.append(byte)
            index += 1
        }
        return result
    }
}
