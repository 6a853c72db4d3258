/// The known name closest to a mistyped one; nil if none is close.
package func nearestName(to name: String, among known: [String]) -> String? {
    let typed = Array(name.lowercased().utf8.prefix(64))
    let best = known.map { (name: $0, distance: editDistance(typed, Array($0.lowercased().utf8))) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= max(2, typed.count / 3) else { return nil }
    return best.name
}

/// Levenshtein distance: insertions, deletions and substitutions.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let substituted = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
        }
    }
    return row[right.count]
}
