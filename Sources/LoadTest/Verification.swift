import APIClient

/// Compares replies with expected answers, with each other, and with those given without other load.
///
/// Two kinds of faults are distinguished. A WRONG reply is the model's fault: it differs from the expected answer. A
/// DIFFERING one is the server's: at temperature 0 the same question must get the same text whatever the load. So is an
/// INVALID one: a call of a tool that is not the forced one, or whose arguments are not what the tool takes.
package struct Verification: Sendable, Codable, Equatable {
    package struct Count: Sendable, Codable, Equatable {
        package var judged = 0
        package var wrong = 0
    }

    /// A text that a question got, and how often under load and alone.
    package struct Reply: Sendable, Codable, Equatable {
        package var text: String
        package var together = 0
        package var alone = 0
        package var isWrong: Bool
        /// Whether it has a call that no server may give.
        package var isInvalid = false
    }

    /// A question with wrong or differing replies.
    package struct Case: Sendable, Codable, Equatable {
        package var question: String
        package var expected: String?
        package var wrong: Int
        package var differing: Int
        package var invalid: Int
        package var replies: [Reply]
    }

    /// Replies with an expected answer, under load and alone, and those of them that are wrong.
    package var judged = 0
    package var wrong = 0
    /// Replies to questions that were answered more than once, and those whose text differs from the first reply given
    /// alone or, if there is none, from the most frequent one.
    package var compared = 0
    /// Replies to questions with tools, and those with invalid calls.
    package var withTools = 0
    package var invalid = 0
    package var differing = 0
    package var questions = 0
    package var repeatedAlone = 0
    package var families: [String: Count] = [:]
    /// At most `maxCases` questions with faults, those with differing replies first.
    package var cases: [Case] = []

    private static let maxCases = 40

    package init(_ samples: [RequestSample], repeated: [RequestSample]) {
        var order: [Question] = []
        var replies: [Question: [Reply]] = [:]
        for (sample, isAlone) in repeated.map({ ($0, true) }) + samples.map({ ($0, false) })
        where sample.outcome == .answered {
            let question = sample.question
            if replies[question] == nil { order.append(question) }
            Self.add(sample, isAlone, to: &replies[question, default: []])
        }
        questions = order.count
        repeatedAlone = repeated.count { $0.outcome == .answered }
        for question in order { judge(question, replies[question] ?? []) }
        let servers = cases.filter { $0.differing + $0.invalid > 0 }
        cases = Array((servers + cases.filter { $0.differing + $0.invalid == 0 }).prefix(Self.maxCases))
    }

    private static func add(_ sample: RequestSample, _ isAlone: Bool, to replies: inout [Reply]) {
        let text = sample.answer.reply
        // Compares bytes: `String` equality is by canonical equivalence.
        let known = replies.firstIndex { $0.text.utf8.elementsEqual(text.utf8) }
        if known == nil {
            replies.append(
                Reply(
                    text: text,
                    isWrong: sample.question.isCorrect(sample.answer) == false,
                    isInvalid: sample.question.hasInvalidCalls(sample.answer)
                )
            )
        }
        let index = known ?? replies.count - 1
        if isAlone { replies[index].alone += 1 } else { replies[index].together += 1 }
    }

    private mutating func judge(_ question: Question, _ replies: [Reply]) {
        let total = replies.reduce(0) { $0 + $1.together + $1.alone }
        let wrong = replies.reduce(0) { $0 + ($1.isWrong ? $1.together + $1.alone : 0) }
        let invalid = replies.reduce(0) { $0 + ($1.isInvalid ? $1.together + $1.alone : 0) }
        if !question.tools.isEmpty { withTools += total }
        self.invalid += invalid
        // Replies given alone come first.
        let reference = replies.first { $0.alone > 0 } ?? replies.max { $0.together < $1.together }
        let differing = total - (reference.map { $0.together + $0.alone } ?? 0)
        if question.expected != nil {
            judged += total
            self.wrong += wrong
            families[question.family.rawValue, default: Count()].judged += total
            families[question.family.rawValue, default: Count()].wrong += wrong
        }
        if total > 1 { compared += total }
        self.differing += differing
        guard wrong + differing + invalid > 0 else { return }
        cases.append(
            Case(
                question: question.label,
                expected: question.expected?.description,
                wrong: wrong,
                differing: differing,
                invalid: invalid,
                replies: replies
            )
        )
    }
}

extension AnswerReader {
    /// The text and the calls, as they are compared and shown.
    package var reply: String {
        ([text] + calls.map { "[\($0.name) \($0.arguments)\($0.isComplete ? "" : " …")]" }).filter { !$0.isEmpty }
            .joined(separator: "\n")
    }
}
