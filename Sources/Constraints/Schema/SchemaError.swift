import JSON

/// Why a schema cannot be enforced, and where.
package struct SchemaError: Error, Sendable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// The schema breaks the rules of JSON Schema.
        case malformed
        /// A keyword, or what it says, is beyond what can be enforced.
        case unsupported
        /// The bounds of time and memory do not suffice.
        case tooComplex
        /// No value would be valid.
        case unsatisfiable
    }

    package var reason: Reason
    /// Member names and indices from the schema's root on, such as `properties.a.oneOf`; empty for the root.
    /// Found by reading the text up to the place, and only when it is asked for.
    package var path: String { node.map { $0.error(message).path } ?? "" }
    /// What is wrong, in words that follow the path.
    package var message: String
    let node: JSONNode?

    package var description: String { (path.isEmpty ? "the schema" : path) + " " + message }

    init(_ reason: Reason, _ node: JSONNode?, _ message: String) {
        self.reason = reason
        self.node = node
        self.message = message
    }
}

/// How schemas are read.
package struct SchemaOptions: Sendable, Hashable {
    /// White space between the tokens of JSON.
    package enum Layout: UInt8, Sendable {
        /// Whatever the first member or element begins with decides for the rest: compact, a space after `:` and `,`, or
        /// lines with indentation.
        case free
        /// None.
        case compact
        /// A space after `:` and `,`.
        case spaced
        /// Lines with indentation.
        case lines
    }

    /// Whether a keyword that cannot be enforced is left out and named, and not an error.
    package var ignoresUnsupported = false
    package var layout = Layout.free
    /// Whether members may come in any order, or only in that in which the schema names them, with all others behind.
    package var isOrdered = true
    /// How many arrays and objects may stand one inside the other.
    package var depth = 64
    /// Whether the value must be an object, whatever the schema says.
    package var isObject = false
    /// Whether an object whose members the schema names has no others, unless the schema says of which kind they are.
    package var isClosed = false
    package var syntax = ValueSyntax.json

    package init(
        ignoresUnsupported: Bool = false,
        layout: Layout = .free,
        isOrdered: Bool = true,
        depth: Int = 64
    ) {
        self.ignoresUnsupported = ignoresUnsupported
        self.layout = layout
        self.isOrdered = isOrdered
        self.depth = min(max(1, depth), 1000)
    }
}
