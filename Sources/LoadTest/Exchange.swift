package import APIClient

/// How one request ended.
package enum Outcome: Sendable, Equatable {
    case answered
    /// This client left on purpose.
    case aborted
    /// The test was ended before the answer was.
    case interrupted
    /// What went wrong, in a few words that are the same for the same kind of fault, and what the server said of it.
    case failed(String, detail: String? = nil)
}

/// One request as its client saw it; times in seconds since the test began.
package struct Exchange: Sendable {
    package var question: Question
    package var start: Double
    package var end: Double
    package var answer: AnswerReader
    package var outcome: Outcome

    package init(
        question: Question,
        start: Double = 0,
        end: Double = 0,
        answer: AnswerReader = AnswerReader(),
        outcome: Outcome = .answered
    ) {
        self.question = question
        self.start = start
        self.end = end
        self.answer = answer
        self.outcome = outcome
    }

    package var timeToFirstToken: Double? { answer.deltaTimes.first.map { $0 - start } }
    package var duration: Double { end - start }
    /// Between text events: a server may put several tokens into one.
    package var interTokenLatencies: [Double] {
        zip(answer.deltaTimes.dropFirst(), answer.deltaTimes).map { $0 - $1 }
    }
}
