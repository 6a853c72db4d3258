extension Sequence<Int> {
    /// The sum of sizes in bytes, none below 0; `Int.max` if that is exceeded, as a hub may say anything.
    package var saturatedSum: Int {
        reduce(0) { total, size in
            let (sum, overflow) = total.addingReportingOverflow(size)
            return overflow ? .max : sum
        }
    }
}
