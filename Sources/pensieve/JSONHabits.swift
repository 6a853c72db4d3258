import Foundation

/// What people write into JSON files that JSON does not have, and other readers let pass.
enum JSONHabits {
    /// The first such thing in a text that is not valid JSON, with its line; nil if there is none.
    static func fault(in data: Data) -> String? {
        var scan = Scan(bytes: Array(data))
        return scan.run()
    }

    private struct Scan {
        let bytes: [UInt8]
        private var position = 0
        private var line = 1
        /// Where the last comma is, while nothing but white space came behind it.
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
                // One behind the last entry is let pass by Foundation's reader, too.
                default: commaLine = nil
                }
                position += 1
            }
            return nil
        }

        private var commentMark: String {
            String(decoding: bytes[position...].prefix(bytes[position] == UInt8(ascii: "#") ? 1 : 2), as: UTF8.self)
        }

        /// To the closing quote, or to the end.
        private mutating func skipText() {
            position += 1
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                if bytes[position] == UInt8(ascii: "\n") { line += 1 }
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
        }
    }
}
