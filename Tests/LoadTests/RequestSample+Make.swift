import APIClient
import Support

@testable import LoadTest

extension RequestSample {
    /// An answered request with pieces of text at the given times.
    static func make(
        _ question: Question = Question(.open, ["Hello"], expected: nil),
        from start: Double = 0,
        to end: Double = 1,
        pieces: [Double] = [0.5],
        text: String = "x",
        tokens: Int = 1
    ) throws -> RequestSample {
        var sample = RequestSample(question: question, start: start, end: end)
        let events = EventText.answer(pieces: pieces.map { _ in text }, outputTokens: tokens)
        var parser = EventParser()
        var times = pieces[...]
        for event in try parser.push(Array(events.utf8)) {
            let time = event.name == "content_block_delta" ? times.removeFirst() : end
            try sample.answer.receive(event, at: time)
        }
        return sample
    }
}
