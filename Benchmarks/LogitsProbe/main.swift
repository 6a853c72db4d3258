import Foundation

// Computes with a model, for the scripts that compare it with the reference.
//
// The standard input has one sequence of tokens a line, as decimal numbers with spaces between them. The output has for
// each, in the machine's byte order:
//
//     int32, int32        the number of rows and the size of the vocabulary
//     float32 …           the rows: the logits after each token of the sequence from --from on, then after each token of
//                         its continuation but the last
//     int32, int32 …      how many tokens continue it, and these
//
// and at the end two int64: resident memory in bytes, now and at its largest.

do {
    let probe = try Probe(ProbeOptions(Array(CommandLine.arguments.dropFirst())))
    while let line = readLine() {
        let words = line.split(separator: " ")
        let tokens = words.compactMap { Int32($0) }
        guard tokens.count == words.count else { throw UsageError(description: "\(line): not tokens") }
        try await probe.run(tokens)
    }
    try probe.writeMemory()
} catch let error as UsageError {
    FileHandle.standardError.write(Data("\(error)\n\(ProbeOptions.usage)".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
