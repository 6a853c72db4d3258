/// Why a model cannot be loaded: names the file, the tensor or field, and what was expected there.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
