/// Unicode's four normal forms (UAX #15), over the version of Unicode that the reference has.
struct NormalForm: Sendable {
    /// Whether it takes compatible characters for the same (the K in NFKC and NFKD).
    let isCompatible: Bool
    /// Whether it composes what it took apart (NFC and NFKC).
    let composes: Bool
    /// The characters that are as they are wherever they stand, and that nothing before them changes.
    private let inert: ScalarSet

    static let nfc = NormalForm(isCompatible: false, composes: true)
    static let nfd = NormalForm(isCompatible: false, composes: false)
    static let nfkc = NormalForm(isCompatible: true, composes: true)
    static let nfkd = NormalForm(isCompatible: true, composes: false)

    private init(isCompatible: Bool, composes: Bool) {
        self.isCompatible = isCompatible
        self.composes = composes
        let data = NormalizationData.shared
        var changing = ScalarRanges(data.marks).union(ScalarRanges(of: data.canonicalKeys))
        if composes {
            // What a composition gives stays as it is, but its second character may change what is before it.
            let seconds = ScalarRanges(of: data.seconds).union(ScalarRanges([Hangul.vowels, Hangul.tails]))
            changing = changing.subtracting(ScalarRanges(of: data.composites)).union(seconds)
        } else {
            changing = changing.union(ScalarRanges([Hangul.syllables]))
        }
        if isCompatible { changing = changing.union(ScalarRanges(of: data.compatibleKeys)) }
        inert = ScalarSet(changing.complement)
    }

    func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var done = 0
        var last = 0
        var index = 0
        var buffer = NormalizationBuffer()
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            guard !inert.contains(scalar) else {
                last = index
                index = end
                continue
            }
            // What is composed together begins at the last inert character, which may compose with what follows, and
            // ends before the next.
            if result.isEmpty { result.reserveCapacity(text.count + text.count / 8) }
            result += text[done..<last]
            var next = last
            while next < text.count {
                let (scalar, end) = text.scalar(at: next)
                if next > last, next != index, inert.contains(scalar) { break }
                buffer.decompose(scalar, isCompatible: isCompatible)
                next = end
            }
            buffer.flush(composing: composes, to: &result)
            (done, last, index) = (next, next, next)
        }
        if done == 0 { return text }
        result += text[done...]
        return result
    }
}

/// Characters on their way into a normal form.
private struct NormalizationBuffer {
    private var scalars: [(scalar: UInt32, order: UInt8)] = []
    private let data = NormalizationData.shared

    /// Takes a character apart and adds its parts.
    mutating func decompose(_ scalar: UInt32, isCompatible: Bool) {
        if Hangul.syllables.contains(scalar) {
            for part in Hangul.decomposed(scalar) { scalars.append((part, 0)) }
        } else if let parts = data.decomposition(scalar, isCompatible: isCompatible) {
            for part in parts { scalars.append((part, data.order(part))) }
        } else {
            scalars.append((scalar, data.order(scalar)))
        }
    }

    /// Appends what was added in its order, composed if asked for, and forgets it.
    mutating func flush(composing: Bool, to result: inout [UInt8]) {
        order()
        if composing { compose() }
        for (scalar, _) in scalars { result.append(scalar: scalar) }
        scalars.removeAll(keepingCapacity: true)
    }

    /// Sorts each run of marks by their combining classes, those of one class as they stand.
    private mutating func order() {
        var start = 0
        while start < scalars.count {
            guard scalars[start].order > 0 else {
                start += 1
                continue
            }
            var end = start
            while end < scalars.count, scalars[end].order > 0 { end += 1 }
            if end - start > 32 { sortLongRun(start..<end) } else { sortShortRun(start..<end) }
            start = end
        }
    }

    private mutating func sortShortRun(_ run: Range<Int>) {
        for index in run.dropFirst() {
            var place = index
            while place > run.lowerBound, scalars[place - 1].order > scalars[place].order {
                scalars.swapAt(place - 1, place)
                place -= 1
            }
        }
    }

    /// By counting, so that a megabyte of marks takes no special time.
    private mutating func sortLongRun(_ run: Range<Int>) {
        var classes = [[(scalar: UInt32, order: UInt8)]](repeating: [], count: 256)
        for mark in scalars[run] { classes[Int(mark.order)].append(mark) }
        scalars.replaceSubrange(run, with: classes.joined())
    }

    /// Composes each character with those after it that nothing blocks.
    private mutating func compose() {
        var kept = 0
        var starter: Int?
        var lastOrder: UInt8 = 0
        for index in scalars.indices {
            let (scalar, order) = scalars[index]
            // Nothing between the two blocks them if they touch, or if what is between them has a lower class.
            if let starter, kept == starter + 1 || (lastOrder != 0 && lastOrder < order),
                let whole = Hangul.composed(scalars[starter].scalar, scalar)
                    ?? data.composition(scalars[starter].scalar, scalar)
            {
                scalars[starter].scalar = whole
                continue
            }
            if order == 0 { starter = kept }
            lastOrder = order
            scalars[kept] = (scalar, order)
            kept += 1
        }
        scalars.removeLast(scalars.count - kept)
    }
}
