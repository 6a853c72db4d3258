/// Comparisons that cannot pass by accident: where counts differ, nothing is there, or a number is not finite, the
/// difference is infinite, which is below no bound, and nothing is identical.

/// The largest difference, relative to the largest size of a value of `right`.
func relativeDifference(_ left: [Float], _ right: [Float]) -> Float {
    let scale = right.map(abs).max() ?? 0
    return Float(largestDifference(left, right.map(Double.init))) / (scale > 0 ? scale : 1)
}

/// The largest of the rows' relative differences.
func relativeDifference(_ left: some Collection<[Float]>, _ right: some Collection<[Float]>) -> Float {
    guard left.count == right.count, !left.isEmpty else { return .infinity }
    return zip(left, right).reduce(0) { max($0, relativeDifference($1.0, $1.1)) }
}

/// The largest difference of two numbers at the same place.
func largestDifference(_ left: [Float], _ right: [Double]) -> Double {
    guard left.count == right.count, !left.isEmpty, left.allSatisfy(\.isFinite), right.allSatisfy(\.isFinite) else {
        return .infinity
    }
    return zip(left, right).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
}

/// Whether each number differs by at most `bound` of its expected value.
func isClose(_ left: [Float], _ right: [Double], _ bound: (Double) -> Double) -> Bool {
    largestDifference(left, right) < .infinity && zip(left, right).allSatisfy { abs(Double($0) - $1) <= bound($1) }
}

/// Equal to the last bit, zeros' signs included.
func identical(_ left: [Float], _ right: [Float]) -> Bool {
    !left.isEmpty && left.map(\.bitPattern) == right.map(\.bitPattern)
}

/// Rows that are all equal to the last bit.
func identical(_ left: some Collection<[Float]>, _ right: some Collection<[Float]>) -> Bool {
    left.count == right.count && !left.isEmpty && zip(left, right).allSatisfy { identical($0, $1) }
}
