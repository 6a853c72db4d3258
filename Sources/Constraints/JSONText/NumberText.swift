/// What a number may be.
struct NumberShape: Hashable, Sendable {
    struct Bound: Hashable, Sendable {
        var value: DecimalNumber
        var isExclusive: Bool
    }

    var isInteger = false
    var minimum: Bound?
    var maximum: Bound?
    var divisors: Set<DecimalNumber> = []
    /// What the number is not to be a multiple of.
    var nondivisors: Set<DecimalNumber> = []
    /// If there is a list, the number is one of it.
    var values: [DecimalNumber]?
    var excluded: Set<DecimalNumber> = []

    mutating func raiseMinimum(_ bound: Bound) {
        guard let old = minimum else { return minimum = bound }
        if bound.value > old.value || bound.value == old.value && bound.isExclusive { minimum = bound }
    }

    mutating func lowerMaximum(_ bound: Bound) {
        guard let old = maximum else { return maximum = bound }
        if bound.value < old.value || bound.value == old.value && bound.isExclusive { maximum = bound }
    }

    /// Whether a number fits everything but the list of values.
    func admits(_ value: DecimalNumber) -> Bool {
        if isInteger, !value.isInteger { return false }
        if let minimum, value < minimum.value || value == minimum.value && minimum.isExclusive { return false }
        if let maximum, value > maximum.value || value == maximum.value && maximum.isExclusive { return false }
        return !excluded.contains(value) && divisors.allSatisfy { value.isMultiple(of: $0) == true }
            && nondivisors.allSatisfy { value.isMultiple(of: $0) == false }
    }

    func intersection(_ other: NumberShape) -> NumberShape {
        var result = self
        result.isInteger = isInteger || other.isInteger
        if let bound = other.minimum { result.raiseMinimum(bound) }
        if let bound = other.maximum { result.lowerMaximum(bound) }
        result.divisors.formUnion(other.divisors)
        result.nondivisors.formUnion(other.nondivisors)
        result.excluded.formUnion(other.excluded)
        if let theirs = other.values { result.values = values.map { $0.filter(Set(theirs).contains) } ?? theirs }
        // A union of lists keeps nothing else.
        result.values = result.values?.filter(result.admits)
        return result
    }
}

extension RegexPool {
    /// The longest run of digits before and behind the point that is written.
    private static let (mostWhole, mostFraction): (Int32, Int32) = (20, 20)

    /// A remainder is a state, so a divisor, in units of its last digit, is bounded.
    static let mostDivisor: Int32 = 10_000

    /// The numbers of a shape. Only one without any bound may be written with an exponent.
    mutating func number(_ shape: NumberShape) -> RegexID {
        if let values = shape.values {
            return union(values.filter(shape.admits).map { literal($0.text) })
        }
        var result: RegexID
        if shape.minimum == nil, shape.maximum == nil {
            let isPlain =
                !shape.isInteger && shape.divisors.isEmpty && shape.nondivisors.isEmpty && shape.excluded.isEmpty
            let exponent = isPlain ? exponent() : Self.empty
            let sign = optional(byte(UInt8(ascii: "-")))
            result = sequence(sign, digits(isInteger: shape.isInteger), exponent)
        } else {
            result = bounded(shape)
        }
        for divisor in shape.divisors { result = intersection(result, multiples(of: divisor)) }
        for divisor in shape.nondivisors {
            let multiples = multiples(of: divisor)
            result = intersection(result, complement(multiples))
        }
        if !shape.excluded.isEmpty {
            let spellings = shape.excluded.map { spelling(of: $0) }
            let excluded = union(spellings)
            result = intersection(result, complement(excluded))
        }
        return result
    }

    private mutating func digit() -> RegexID { bytes(ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))) }
    private mutating func nonzero() -> RegexID { bytes(ByteSet(UInt8(ascii: "1")...UInt8(ascii: "9"))) }

    /// Digits without a sign: no zero before another digit.
    private mutating func digits(isInteger: Bool) -> RegexID {
        let digit = digit()
        let more = repetition(digit, 0, Self.mostWhole - 1)
        let whole = union(byte(UInt8(ascii: "0")), pair(nonzero(), more))
        return isInteger ? whole : pair(whole, optionalFraction())
    }

    private mutating func optionalFraction() -> RegexID {
        let digit = digit()
        return optional(pair(byte(UInt8(ascii: ".")), repetition(digit, 1, Self.mostFraction)))
    }

    private mutating func exponent() -> RegexID {
        let digit = digit()
        let hundreds = sequence(bytes(ByteSet("12".utf8)), digit, digit)
        let value = union(repetition(digit, 1, 2), hundreds)
        return optional(sequence(bytes(ByteSet("eE".utf8)), optional(bytes(ByteSet("+-".utf8))), value))
    }

    /// A number with any zeros behind it.
    private mutating func spelling(of value: DecimalNumber) -> RegexID {
        let zeros = star(byte(UInt8(ascii: "0")))
        let text = literal(value.text)
        let result = value.isInteger ? pair(text, optional(pair(byte(UInt8(ascii: ".")), zeros))) : pair(text, zeros)
        return value.isZero ? pair(optional(byte(UInt8(ascii: "-"))), result) : result
    }

    /// Numbers that are multiples; `nothing` if the divisor has too many digits for that.
    private mutating func multiples(of divisor: DecimalNumber) -> RegexID {
        let decimals = divisor.fraction.count
        guard let value = divisor.scaled(by: decimals), value > 0, value <= Self.mostDivisor else {
            return Self.nothing
        }
        let body = multiple(of: Divisor(value: value, decimals: Int32(decimals)))
        let zeros = repetition(byte(UInt8(ascii: "0")), 0, Self.mostFraction)
        let tail = decimals == 0 ? optional(pair(byte(UInt8(ascii: ".")), zeros)) : Self.empty
        return sequence(optional(byte(UInt8(ascii: "-"))), body, tail)
    }

    // MARK: Bounds

    private mutating func bounded(_ shape: NumberShape) -> RegexID {
        var shape = shape
        if shape.isInteger {
            shape.minimum = shape.minimum.map {
                .init(value: $0.value.ceiling(isExclusive: $0.isExclusive), isExclusive: false)
            }
            shape.maximum = shape.maximum.map {
                .init(value: $0.value.floor(isExclusive: $0.isExclusive), isExclusive: false)
            }
        }
        let zero = NumberShape.Bound(value: .zero, isExclusive: false)
        var parts: [RegexID] = []
        // From zero up.
        if shape.maximum.map({ $0.value > .zero || $0.value == .zero && !$0.isExclusive }) ?? true {
            var upper = shape
            upper.raiseMinimum(zero)
            parts.append(magnitudes(from: upper.minimum, to: upper.maximum, isInteger: shape.isInteger))
        }
        // Below zero: the same with the bounds exchanged.
        if shape.minimum.map({ $0.value < .zero }) ?? true {
            let nonzero = NumberShape.Bound(value: .zero, isExclusive: true)
            var lower = shape
            lower.lowerMaximum(nonzero)
            let magnitudes = magnitudes(
                from: lower.maximum.map { .init(value: -$0.value, isExclusive: $0.isExclusive) },
                to: lower.minimum.map { .init(value: -$0.value, isExclusive: $0.isExclusive) },
                isInteger: shape.isInteger
            )
            parts.append(pair(byte(UInt8(ascii: "-")), magnitudes))
        }
        return union(parts)
    }

    /// Numbers without a sign within bounds that are not negative.
    private mutating func magnitudes(
        from low: NumberShape.Bound?,
        to high: NumberShape.Bound?,
        isInteger: Bool
    ) -> RegexID {
        var parts = [digits(isInteger: isInteger)]
        if let low, !low.value.isZero || low.isExclusive {
            parts.append(compared(to: low.value, isGreater: true, orEqual: !low.isExclusive))
        }
        if let high { parts.append(compared(to: high.value, isGreater: false, orEqual: !high.isExclusive)) }
        return intersection(parts)
    }

    /// Digits, perhaps with a point and more, that are greater or less than a number, or equal if that is wanted. They
    /// are well formed, but for zeros in front.
    private mutating func compared(to bound: DecimalNumber, isGreater: Bool, orEqual: Bool) -> RegexID {
        let digit = digit()
        let anyFraction = optional(pair(byte(UInt8(ascii: ".")), star(digit)))
        let whole = bound.whole.isEmpty ? [0] : bound.whole
        // The digits so far are those of the bound: what may follow?
        var rest = union(
            orEqual && bound.isInteger || !isGreater && !bound.isInteger ? Self.empty : Self.nothing,
            pair(byte(UInt8(ascii: ".")), comparedFraction(bound.fraction[...], isGreater, orEqual))
        )
        for (index, value) in whole.enumerated().reversed() {
            let others = isGreater ? ByteSet(digitsAbove: value) : ByteSet(digitsBelow: value)
            let more = repetition(digit, Int32(whole.count - index - 1), Int32(whole.count - index - 1))
            rest = union(
                pair(byte(UInt8(ascii: "0") + value), rest),
                sequence(bytes(others), more, anyFraction)
            )
        }
        // Numbers with more or fewer digits before the point.
        let count = Int32(whole.count)
        if isGreater {
            let more = repetition(digit, count, RegexNode.unlimited)
            return union(rest, sequence(nonzero(), more, anyFraction))
        }
        if count == 1 { return rest }
        let fewer = union(byte(UInt8(ascii: "0")), pair(nonzero(), repetition(digit, 0, count - 2)))
        return union(rest, pair(fewer, anyFraction))
    }

    private mutating func comparedFraction(
        _ digits: ArraySlice<UInt8>,
        _ isGreater: Bool,
        _ orEqual: Bool
    ) -> RegexID {
        let digit = digit()
        let zeros = star(byte(UInt8(ascii: "0")))
        var rest: RegexID
        if isGreater {
            let more = sequence(zeros, nonzero(), star(digit))
            rest = orEqual ? union(zeros, more) : more
        } else {
            rest = orEqual ? zeros : Self.nothing
        }
        for value in digits.reversed() {
            let others = isGreater ? ByteSet(digitsAbove: value) : ByteSet(digitsBelow: value)
            rest = union(pair(byte(UInt8(ascii: "0") + value), rest), pair(bytes(others), star(digit)))
            // Fewer digits are a lesser number.
            if !isGreater { rest = union(rest, Self.empty) }
        }
        return rest
    }
}

extension ByteSet {
    fileprivate init(digitsAbove value: UInt8) {
        self = value < 9 ? ByteSet((UInt8(ascii: "1") + value)...UInt8(ascii: "9")) : .none
    }

    fileprivate init(digitsBelow value: UInt8) {
        self = value > 0 ? ByteSet(UInt8(ascii: "0")...(UInt8(ascii: "0") + value - 1)) : .none
    }
}
