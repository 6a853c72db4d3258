/// How a model writes what is not plain text in its answers. Markers may spell special tokens.
package struct AnswerSyntax: Sendable, Equatable {
    /// How it thinks; nil if it does not.
    package var thinking: ThinkingSyntax?
    /// How it calls tools.
    package var calls: CallSyntax
    /// Other ways in which its calls may come, such as `<function=` without the tag around it. Read as well, never asked
    /// for.
    package var otherCalls: [CallSyntax] = []
    /// What may stand before a text and is not part of it, such as the header of harmony's `final` channel.
    package var textStarts: [String] = []

    package init(thinking: ThinkingSyntax? = nil, calls: CallSyntax) {
        self.thinking = thinking
        self.calls = calls
    }

    /// The markers that stand inside an answer.
    var innerMarkers: [String] {
        var markers = textStarts
        if let thinking { markers += [thinking.start, thinking.end, thinking.closing] }
        for syntax in [calls] + otherCalls {
            markers += [syntax.sectionStart, syntax.callStart, syntax.identifier?.start ?? "", syntax.nameEnd]
            switch syntax.arguments {
            case .json, .python: break
            case .parameters(let syntax):
                markers += [
                    syntax.start, syntax.nameEnd, syntax.otherNameEnd ?? "", syntax.valueEnd, syntax.separator,
                ]
            case .bare(let quote): markers.append(quote)
            }
        }
        return markers
    }

    /// The markers with which an answer may end.
    var outerMarkers: [String] { ([calls] + otherCalls).flatMap { [$0.callEnd, $0.separator, $0.sectionEnd] } }
}

package struct ThinkingSyntax: Sendable, Equatable {
    /// `<think>`; white space after it is not part of the thinking.
    package var start: String
    /// `</think>`; white space around it is neither part of the thinking nor of the text.
    package var end: String
    /// All that is written to stop thinking, with the white space that the model's template has there: "\n</think>\n\n".
    package var closing: String

    package init(start: String, end: String, closing: String) {
        self.start = start
        self.end = end
        self.closing = closing
    }
}

/// How one or several calls are written, in this order:
///
///     sectionStart (callStart NAME nameEnd ARGUMENTS callEnd) separator (callStart NAME …) sectionEnd
///
/// Each text is exactly what the model's template writes. Any may be empty but one of the first two. Where `nameEnd` is
/// empty, a name ends where the arguments begin, or `callEnd`. White space in these texts is what models vary: reading
/// does without it.
package struct CallSyntax: Sendable, Equatable {
    package var sectionStart = ""
    package var callStart: String
    package var nameEnd: String
    package var arguments: ArgumentSyntax
    package var callEnd: String
    package var separator = ""
    package var sectionEnd = ""
    /// Whether calls are only ever the whole answer, as Llama 3's are, which begin like any JSON.
    package var isWholeAnswer = false
    /// What stands between `NAME` and `nameEnd`, if the model's calls have names of their own.
    package var identifier: CallIdentifier?

    package init(callStart: String, nameEnd: String, arguments: ArgumentSyntax, callEnd: String) {
        self.callStart = callStart
        self.nameEnd = nameEnd
        self.arguments = arguments
        self.callEnd = callEnd
    }
}

/// A call's own name, which stands after its tool's: Kimi's `:0`, or `[CALL_ID]x7Gh2kQ9a` of Mistral's.
package struct CallIdentifier: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// The calls of a conversation are counted, from 0.
        case number
        /// Nine letters or digits.
        case nineCharacters
    }

    /// What stands before it.
    package var start: String
    package var form: Form

    package init(start: String, form: Form) {
        self.start = start
        self.form = form
    }
}

/// How a call's arguments are written.
package enum ArgumentSyntax: Sendable, Equatable {
    /// A JSON object.
    case json(JSONLayout)
    /// Each parameter between markers: strings as they are, other values as JSON.
    case parameters(ParameterSyntax)
    /// `key="text", other=[1, 2]`: literals of Python. The parentheses around are `nameEnd` and `callEnd`.
    case python
    /// `{key:<|"|>text<|"|>,other:1}`: names without quotes, texts between `quote`. The braces are part of it.
    case bare(quote: String)
}

/// The white space inside JSON that a template writes.
package enum JSONLayout: Sendable, Equatable {
    /// None.
    case compact
    /// A space after `:` and `,`.
    case spaced
}

/// `<parameter=KEY>\nVALUE\n</parameter>\n`, and its like.
package struct ParameterSyntax: Sendable, Equatable {
    package var start: String
    /// Between the name and a value.
    package var nameEnd: String
    /// In its place before a value that is not a string; nil: the same.
    package var otherNameEnd: String?
    package var valueEnd: String
    /// Between two parameters.
    package var separator = ""

    package init(start: String, nameEnd: String, valueEnd: String) {
        self.start = start
        self.nameEnd = nameEnd
        self.valueEnd = valueEnd
    }
}
