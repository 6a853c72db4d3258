/// What a mistyped flag most likely meant.
enum NearestFlag {
    /// ", did you mean '--rate'?", or nothing where no flag is near.
    static func hint(_ typed: String, among known: [String]) -> String {
        let near = known.map { (name: $0, distance: distance(Array($0.utf8), Array(typed.utf8.prefix(40)))) }
            .min { $0.distance < $1.distance }
        guard let near, near.distance <= max(2, typed.count / 3) else { return "" }
        return ", did you mean '\(near.name)'?"
    }

    /// Levenshtein's distance in insertions, deletions and substitutions.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let candidate = min(diagonal + (a == b ? 0 : 1), row[j] + 1, row[j + 1] + 1)
                diagonal = row[j + 1]
                row[j + 1] = candidate
            }
        }
        return row[right.count]
    }
}
