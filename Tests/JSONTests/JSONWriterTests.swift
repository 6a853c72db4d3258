import Foundation
import JSON
import Testing

@Suite("Writing JSON") struct JSONWriterTests {
    @Test("Is compact, in the order of the members")
    func compact() {
        let value: JSONValue = [
            "z": [nil, true, false, -5, 0.25, .double(100), .double(.nan), .double(.infinity)],
            "a": ["é\"\\\n\r\t\u{1}\u{1f}/": [:]],
            "none": .optional(nil), "some": .optional("x"),
        ]
        #expect(
            String(decoding: value.bytes, as: UTF8.self)
                == #"{"z":[null,true,false,-5,0.25,100.0,null,null],"a":{"é\"\\\n\r\t\u0001\u001f/":{}},"none":null,"some":"x"}"#
        )
    }

    @Test("Is one line, whatever a client takes for the end of one")
    func oneLine() throws {
        let text = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
        let written = String(decoding: JSONValue.string(text).bytes, as: UTF8.self)
        #expect(!written.contains { $0.isNewline })
        #expect(value(written) == .string(text))
        let read = try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed) as? String
        #expect(read.map { Array($0.utf8) } == Array(text.utf8))
    }
}
