package import EngineContract

/// KV memory of a scripted engine: each place of each block remembers which token was computed there, and for which
/// position.
package struct ScriptedMemory: Sendable {
    private struct Place {
        var position: Int32 = -1
        var token: Token = -1
    }

    private let blockSize: Int
    private let blockCount: Int
    private var places: [Place]
    /// For each block the index of the entry that writes it in the running step, and that step's number.
    private var writers: [(step: Int, entry: Int)]
    private var stepNumber = 0

    package init(blockSize: Int, blockCount: Int) {
        self.blockSize = max(blockSize, 1)
        self.blockCount = max(blockCount, 0)
        places = Array(repeating: Place(), count: self.blockSize * self.blockCount)
        writers = Array(repeating: (0, 0), count: self.blockCount)
    }

    /// Computes a step.
    /// - Throws: on a malformed step, on a block written by one session and used by another, and on a prefix that was
    ///   never computed.
    package mutating func run(
        _ step: Step,
        script: (_ prefix: [Token]) -> Token
    ) throws(EngineError) -> StepResult {
        stepNumber += 1
        for (index, entry) in step.entries.enumerated() { try write(entry, index: index) }
        for (index, entry) in step.entries.enumerated() {
            for block in entry.blocks {
                let writer = writers[Int(block)]
                if writer.step == stepNumber && writer.entry != index {
                    throw EngineError("block \(block) of \(entry.session) is written by another session")
                }
            }
        }
        var samples: [Token?] = []
        samples.reserveCapacity(step.entries.count)
        for entry in step.entries {
            samples.append(entry.samples ? script(try prefix(of: entry)) : nil)
        }
        return StepResult(samples: samples)
    }

    private mutating func write(_ entry: StepEntry, index: Int) throws(EngineError) {
        let end = entry.startPosition + entry.tokens.count
        guard !entry.tokens.isEmpty, entry.startPosition >= 0, end <= entry.blocks.count * blockSize else {
            throw EngineError("\(entry.session) has no place for positions \(entry.startPosition)..<\(end)")
        }
        guard entry.blocks.allSatisfy({ $0 >= 0 && $0 < blockCount }) else {
            throw EngineError("\(entry.session) names a block that does not exist")
        }
        for (offset, token) in entry.tokens.enumerated() {
            let position = entry.startPosition + offset
            let block = Int(entry.blocks[position / blockSize])
            if writers[block].step == stepNumber && writers[block].entry != index {
                throw EngineError("block \(block) is written by two sessions")
            }
            writers[block] = (stepNumber, index)
            places[block * blockSize + position % blockSize] = Place(position: Int32(clamping: position), token: token)
        }
    }

    private func prefix(of entry: StepEntry) throws(EngineError) -> [Token] {
        let end = entry.startPosition + entry.tokens.count
        var prefix: [Token] = []
        prefix.reserveCapacity(end)
        for position in 0..<end {
            let place = places[Int(entry.blocks[position / blockSize]) * blockSize + position % blockSize]
            guard Int(place.position) == position else {
                throw EngineError("position \(position) of \(entry.session) was never computed")
            }
            prefix.append(place.token)
        }
        return prefix
    }
}
