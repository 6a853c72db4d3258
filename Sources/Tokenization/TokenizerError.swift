/// What is wrong with a tokenizer's file, in words that name the place.
package struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
