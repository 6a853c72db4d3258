import Support
import Testing

@testable import Tokenization

@Suite struct StopSequenceFilterTests {
    /// The first place in the whole text where a sequence is; the shortest of those.
    private static func expected(_ text: [UInt8], _ stops: [[UInt8]]) -> (text: [UInt8], matched: [UInt8]?) {
        for start in text.indices {
            let here = stops.filter { !$0.isEmpty && text[start...].starts(with: $0) }
            if let shortest = here.min(by: { $0.count < $1.count }) { return (Array(text[..<start]), shortest) }
        }
        return (text, nil)
    }

    @Test("However a text is cut, the result is that of a search in the whole text")
    func anyCut() {
        var generator = SeededGenerator(seed: 3)
        let letters = ["a", "b", "ü", "🎉", "\u{301}"]
        func word(_ length: Range<Int>, _ letters: ArraySlice<String>) -> [String] {
            (0..<Int.random(in: length, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "" }
        }
        for round in 0..<6000 {
            // Few letters, so that sequences overlap.
            let letters = letters.prefix(round % 2 == 0 ? 2 : 5)
            let text = word(0..<30, letters)
            let stops = (0..<Int.random(in: 0..<5, using: &generator)).map { _ in word(0..<6, letters).joined() }
            var filter = StopSequenceFilter(stops)
            var streamed = ""
            var matched: String?
            var piece = ""
            for letter in text + [""] {
                piece += letter
                guard letter.isEmpty || Int.random(in: 0..<3, using: &generator) > 0 else { continue }
                let (certain, stop) = filter.push(piece)
                piece = ""
                if matched == nil { streamed += certain } else { #expect(certain.isEmpty && stop == nil) }
                matched = matched ?? stop
            }
            let (rest, stop) = filter.finish()
            streamed += rest
            matched = matched ?? stop
            let expected = Self.expected(Array(text.joined().utf8), stops.map { Array($0.utf8) })
            #expect(Array(streamed.utf8) == expected.text, "\(text) \(stops)")
            #expect(matched.map { Array($0.utf8) } == expected.matched, "\(text) \(stops)")
        }
    }

    @Test("Only what may begin a stop sequence is held back")
    func holdsBackLittle() {
        var filter = StopSequenceFilter(["END", "aab"])
        #expect(filter.push("one E") == ("one ", nil))
        #expect(filter.push("N") == ("", nil))
        #expect(filter.push("d two") == ("ENd two", nil))
        #expect(filter.push("aaaa") == ("aa", nil))
        #expect(filter.push("xEND and more") == ("aax", "END"))
        #expect(filter.push("more") == ("", nil))
        #expect(filter.finish() == ("", nil))
    }

    @Test("A sequence inside the beginning of another is found when that one does not come")
    func insideAnother() {
        var filter = StopSequenceFilter(["abcd", "bc"])
        #expect(filter.push("xabc") == ("x", nil))
        var broken = filter
        #expect(broken.push("e") == ("a", "bc"))
        #expect(filter.finish() == ("a", "bc"))
    }

    @Test("Tables grow with what the text matches, and never beyond twice the sequences")
    func memory() {
        let tail = String(repeating: "ab", count: 2047) + "c"
        let stops = (0..<1024).map { "\(Unicode.Scalar(0x20 + UInt8($0 % 64)))" + tail }
        var filter = StopSequenceFilter(stops)
        let total = stops.reduce(0) { $0 + $1.utf8.count }
        #expect(total == 4 << 20 && filter.tableBytes == 0)
        for _ in 0..<100 { _ = filter.push("Some words that stop nothing. ") }
        #expect(filter.tableBytes < 100_000)
        // The text that matches all of one sixteenth of them but for the last letter.
        for letter in "!\"#$" { _ = filter.push(String(letter) + tail.dropLast()) }
        #expect(filter.tableBytes > total / 16 && filter.tableBytes < total / 16 * 9 / 4)
        #expect(filter.push("c").matched == "$" + tail)
        #expect(filter.tableBytes == 0)
    }

    @Test("A long sequence that nearly comes again and again takes no special time", .timeLimit(.minutes(1)))
    func repetition() {
        var filter = StopSequenceFilter([String(repeating: "a", count: 20_000) + "b"])
        var count = 0
        for _ in 0..<200_000 { count += filter.push("a").text.utf8.count }
        #expect(count == 180_000)
        #expect(filter.push("b") == ("", String(repeating: "a", count: 20_000) + "b"))
    }
}
