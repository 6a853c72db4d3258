/// What a value may be.
package enum JSONKind: String, Sendable {
    case null
    case bool = "true or false"
    /// A number without fraction and exponent.
    case integer = "an integer"
    case number = "a number"
    case string = "a string"
    case array = "an array"
    case object = "an object"
}

/// What is wrong with a JSON text, and where.
package struct JSONError: Error, Sendable, CustomStringConvertible {
    package enum Problem: Sendable, Equatable {
        /// The text is not JSON, as was noticed at a byte.
        case syntax(String, byte: Int)
        /// The text has too many bytes.
        case tooLong(most: Int)
        /// A member of an object, or an element of an array, is not there.
        case missing
        case notA(JSONKind)
        case belowMinimum(String)
        case aboveMaximum(String)
        case notOneOf([String])
        /// An array or object holds too many values.
        case tooMany(most: Int)
        /// - Parameter logged: what logs say instead, where the message repeats what a client sent.
        case custom(String, logged: String? = nil)
    }

    package let problem: Problem
    private let node: JSONNode?

    /// An error of the text as a whole.
    init(_ problem: Problem) {
        self.problem = problem
        node = nil
    }

    init(_ problem: Problem, at node: JSONNode) {
        self.problem = problem
        self.node = node
    }

    /// Member names and indices from the root on, such as `messages.2.content`; empty for the root. Found by reading the
    /// text up to the place, and only when it is asked for.
    package var path: String { node?.path ?? "" }

    /// The place and the problem in one sentence, for files.
    package var description: String {
        let place = path.isEmpty ? "the top level" : path
        switch problem {
        case .syntax(let what, let byte): return "not valid JSON: \(what) at byte \(byte)"
        case .tooLong(let most): return "longer than \(most) bytes"
        case .missing: return "\(place) is missing"
        case .notA(let kind): return "\(place) is not \(kind.rawValue)"
        case .belowMinimum(let minimum): return "\(place) is below \(minimum)"
        case .aboveMaximum(let maximum): return "\(place) is above \(maximum)"
        case .notOneOf(let words): return "\(place) is none of \(words.joined(separator: ", "))"
        case .tooMany(let most): return "\(place) has more than \(most) elements"
        case .custom(let message, _): return "\(place) \(message)"
        }
    }
}
