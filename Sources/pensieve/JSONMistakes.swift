import Foundation

/// Common mistakes in JSON files, which lenient parsers accept: comments, single quotes, repeated commas.
enum JSONMistakes {
    /// A description of the first such mistake in a text that is not valid JSON, with its line; nil if there is none.
    static func fault(in data: Data) -> String? {
        var scan = Scan(bytes: Array(data))
        return scan.run()
    }

    private struct Scan {
        let bytes: [UInt8]
        private var position = 0
        private var line = 1
        /// The line of the last comma, while only white space has followed it.
        private var commaLine: Int?

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func run() -> String? {
            while position < bytes.count {
                let byte = bytes[position]
                switch byte {
                case UInt8(ascii: "\n"): line += 1
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
                case UInt8(ascii: "\""):
                    skipText()
                    commaLine = nil
                case UInt8(ascii: "/"), UInt8(ascii: "#"):
                    return "line \(line): JSON has no comments; take out what begins with '\(commentMark)'"
                case UInt8(ascii: "'"):
                    return "line \(line): a text stands in double quotes, not in single ones"
                case UInt8(ascii: ","):
                    if let commaLine { return "line \(commaLine): two commas in a row" }
                    commaLine = line
                // Foundation's parser accepts a trailing comma.
                default: commaLine = nil
                }
                position += 1
            }
            return nil
        }

        private var commentMark: String {
            String(decoding: bytes[position...].prefix(bytes[position] == UInt8(ascii: "#") ? 1 : 2), as: UTF8.self)
        }

        /// Skips to the closing quote, or to the end.
        private mutating func skipText() {
            position += 1
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                if bytes[position] == UInt8(ascii: "\n") { line += 1 }
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
        }
    }
}
