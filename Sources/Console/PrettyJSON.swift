import Foundation

/// A value as JSON for programs and people: a member on each line, in the order of the names.
/// - Throws: what encoding the value throws, and for numbers that are not finite.
package func prettyJSON(_ value: some Encodable, inSnakeCase: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    if inSnakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
