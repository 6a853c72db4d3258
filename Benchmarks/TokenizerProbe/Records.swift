import Foundation

/// Reads texts and numbers from bytes.
struct Records {
    private let bytes: [UInt8]
    private var position = 0

    init(_ data: Data) { bytes = Array(data) }

    private mutating func number() -> Int32? {
        guard position + 4 <= bytes.count else { return nil }
        defer { position += 4 }
        return Int32(bitPattern: (0..<4).reduce(0 as UInt32) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) })
    }

    mutating func text() -> String? {
        guard let count = number(), position + Int(count) <= bytes.count else { return nil }
        defer { position += Int(count) }
        return String(decoding: bytes[position..<position + Int(count)], as: UTF8.self)
    }

    mutating func numbers() -> [Int32]? {
        guard let count = number() else { return nil }
        return (0..<count).compactMap { _ in number() }
    }
}

extension Data {
    mutating func append(number: Int32) { Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) } }

    mutating func append(numbers: [Int32]) {
        append(number: Int32(numbers.count))
        for number in numbers { append(number: number) }
    }

    mutating func append(bytes: [UInt8]) {
        append(number: Int32(bytes.count))
        append(contentsOf: bytes)
    }
}
