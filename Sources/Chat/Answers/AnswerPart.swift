/// A piece of an answer, in the order in which the model wrote it.
package enum AnswerPart: Sendable, Equatable {
    /// Never empty.
    case text(String)
    /// What the model thinks before it answers; never empty.
    case thinking(String)
    /// A call begins: its name is whole, and is that of one of the request's tools.
    case toolCallStart(name: String)
    /// More of the call's arguments: JSON, whatever syntax the model writes. All of a call's make one object.
    case toolCallArguments(String)
    /// The call is whole. Absent where the answer was cut.
    case toolCallEnd
}
