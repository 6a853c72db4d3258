import Foundation
import Tokenization

// Runs a tokenizer over what comes in on the standard input, for the scripts that compare it with the reference.
//
//     tokenizer-probe encode FILE    texts in; for each its tokens as plain text, and with special tokens recognised
//     tokenizer-probe decode FILE    tokens in, texts out
//     tokenizer-probe pieces FILE    texts in, the pieces that each is cut into out
//     tokenizer-probe time FILE N    texts in; N times the nanoseconds that encoding all of them took
//     tokenizer-probe memory FILE    the bytes of the file, and those of memory while it is read and afterwards
//
// Texts come as a length and so many bytes of UTF-8, tokens as a number and so many numbers, all numbers of 32 bits.

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    FileHandle.standardError.write(Data("usage: tokenizer-probe encode|decode|pieces|time|memory FILE [N]\n".utf8))
    exit(2)
}
if arguments[1] == "memory" {
    let memory = try LoadMemory(path: arguments[2])
    print(memory.file, memory.peak, memory.kept)
    exit(0)
}
let file = Array(try Data(contentsOf: URL(filePath: arguments[2])))
let tokenizer: Tokenizer
do throws(TokenizerError) {
    tokenizer = try Tokenizer(tokenizerJSON: file)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(3)
}
var records = Records(try FileHandle.standardInput.readToEnd() ?? Data())
var output = Data()
switch arguments[1] {
case "encode":
    while let text = records.text() {
        output.append(numbers: tokenizer.encode(text))
        output.append(numbers: tokenizer.encode(parsingSpecials: text))
    }
case "decode":
    while let tokens = records.numbers() { output.append(bytes: Array(tokenizer.decode(tokens).utf8)) }
case "pieces":
    while let text = records.text() {
        let pieces = tokenizer.pieces(of: text)
        output.append(number: Int32(pieces.count))
        for piece in pieces { output.append(bytes: piece) }
    }
default:
    let texts = Array(sequence(state: records) { $0.text() })
    let clock = ContinuousClock()
    for _ in 0..<(arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1) {
        var count = 0
        let time = clock.measure { for text in texts { count += tokenizer.encode(parsingSpecials: text).count } }
        print(Int(time / .nanoseconds(1)), count)
    }
}
try FileHandle.standardOutput.write(contentsOf: output)
