/// How values are written. All but JSON are for the arguments of a call, which are an object.
package enum ValueSyntax: Sendable, Hashable {
    case json
    /// `key="text", other=[1, 2]`: an argument for each member, and Python's literals in them.
    case python
    /// `{key:<quote>text<quote>,other:1}`: names without quotes, texts as they are between special ones.
    case bare(quote: [MarkerPart])
    case parameters(ParameterMarkers)
}

/// A text or a token that is none.
package enum MarkerPart: Sendable, Hashable {
    case text(String)
    case token(Int32)
}

/// What stands around a call's parameters: `start KEY nameEnd VALUE valueEnd separator start …`. Strings are as they are,
/// other values JSON.
package struct ParameterMarkers: Sendable, Hashable {
    package var start: [MarkerPart]
    package var nameEnd: [MarkerPart]
    /// In place of `nameEnd` before a value that is no string.
    package var otherNameEnd: [MarkerPart]?
    package var valueEnd: [MarkerPart]
    /// `valueEnd` with its tokens spelled out, which no string may contain, just as it may not contain the end itself
    /// with other white space.
    package var spelledValueEnd: String
    package var separator: [MarkerPart]

    package init(
        start: [MarkerPart],
        nameEnd: [MarkerPart],
        otherNameEnd: [MarkerPart]? = nil,
        valueEnd: [MarkerPart],
        spelledValueEnd: String,
        separator: [MarkerPart] = []
    ) {
        self.start = start
        self.nameEnd = nameEnd
        self.otherNameEnd = otherNameEnd
        self.valueEnd = valueEnd
        self.spelledValueEnd = spelledValueEnd
        self.separator = separator
    }
}

/// What a rule's values are, in a syntax.
enum ValueStyle: UInt8, Sendable, Hashable {
    case json
    case python
    case bare
    /// The whole arguments of a call.
    case arguments
    /// A parameter's value: a string as it is, others as JSON.
    case parameter
    /// The strings of a parameter whose markers tell them from others.
    case text
    /// The others.
    case other

    var isParameter: Bool { self == .parameter || self == .text || self == .other }
}

/// How an object is punctuated, where it is not JSON.
struct ObjectWriting: Sendable, Hashable {
    var open: RegexID
    var close: RegexID
    /// Before a key.
    var keyStart: RegexID
    /// Behind it.
    var keyEnd: RegexID
    /// Behind it, where the value is no string and that is told.
    var otherKeyEnd: RegexID?
    /// After a value that does not end itself.
    var valueEnd: RegexID
    var separator: RegexID
}
