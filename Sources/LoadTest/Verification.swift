import APIClient

/// Holds replies against what is known, against each other, and against those given alone.
///
/// Two faults must not be taken for each other. A WRONG reply is the model's: it answers so whenever it is asked. A
/// DIFFERING one is the server's: at temperature 0 the same question must get the same text whatever else runs.
package struct Verification: Sendable, Codable, Equatable {
    package struct Count: Sendable, Codable, Equatable {
        package var judged = 0
        package var wrong = 0
    }

    /// A text that one question got, and how often.
    package struct Reply: Sendable, Codable, Equatable {
        package var text: String
        package var together = 0
        package var alone = 0
        package var isWrong: Bool
    }

    /// A question with replies that are wrong or differ.
    package struct Case: Sendable, Codable, Equatable {
        package var question: String
        package var expected: String?
        package var wrong: Int
        package var differing: Int
        package var replies: [Reply]
    }

    /// Replies with a known answer, under load and alone, and those among them that give another.
    package var judged = 0
    package var wrong = 0
    /// Replies of questions that were answered more than once, and those with another text than the first given alone,
    /// or, if the question was not asked alone, than the most frequent.
    package var compared = 0
    package var differing = 0
    package var questions = 0
    package var repeatedAlone = 0
    package var families: [String: Count] = [:]
    /// Of the questions with faults at most so many, those that differ first.
    package var cases: [Case] = []

    private static let maxCases = 40

    package init(_ exchanges: [Exchange], alone: [Exchange]) {
        var order: [Question] = []
        var replies: [Question: [Reply]] = [:]
        for (exchange, isAlone) in alone.map({ ($0, true) }) + exchanges.map({ ($0, false) })
        where exchange.outcome == .answered {
            let question = exchange.question
            if replies[question] == nil { order.append(question) }
            Self.add(exchange, isAlone, to: &replies[question, default: []])
        }
        questions = order.count
        repeatedAlone = alone.count { $0.outcome == .answered }
        for question in order { judge(question, replies[question] ?? []) }
        cases = Array((cases.filter { $0.differing > 0 } + cases.filter { $0.differing == 0 }).prefix(Self.maxCases))
    }

    private static func add(_ exchange: Exchange, _ isAlone: Bool, to replies: inout [Reply]) {
        let text = exchange.answer.text
        // By their bytes: `String` takes some different ones for equal.
        let known = replies.firstIndex { $0.text.utf8.elementsEqual(text.utf8) }
        if known == nil { replies.append(Reply(text: text, isWrong: exchange.question.judges(text) == false)) }
        let index = known ?? replies.count - 1
        if isAlone { replies[index].alone += 1 } else { replies[index].together += 1 }
    }

    private mutating func judge(_ question: Question, _ replies: [Reply]) {
        let total = replies.reduce(0) { $0 + $1.together + $1.alone }
        let wrong = replies.reduce(0) { $0 + ($1.isWrong ? $1.together + $1.alone : 0) }
        // Those given alone were put in first.
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
        guard wrong + differing > 0 else { return }
        cases.append(
            Case(
                question: question.label,
                expected: question.expected?.description,
                wrong: wrong,
                differing: differing,
                replies: replies
            )
        )
    }
}
