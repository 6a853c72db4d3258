import CKernels
import Foundation

/// What a parallel region costs beside its work: one that has an empty item for each thread, on as many threads as there are
/// cores, and on more.
///
///     swift run -c release kernel-benchmark regions [--repeats N]
struct RegionBenchmark {
    /// Regions that are timed at a time.
    private static let regions = 20_000

    let repeats: Int

    func run() {
        let cores = Int(ck_core_count())
        for threads in Set([1, 2, cores, 2 * cores, 4 * cores]).sorted() {
            guard let compute = ck_compute_create(ck_variant_best(), Int32(threads)) else {
                print("no \(threads) threads")
                exit(1)
            }
            defer { ck_compute_destroy(compute) }
            let count = threads > cores ? Self.regions / 100 : Self.regions
            var times = (0...repeats).map { _ in
                let begin = ContinuousClock.now
                for _ in 0..<count {
                    ck_parallel_for(compute, CK_WORK_ELEMENTWISE, Int32(threads), 1, { _, _, _ in }, nil)
                }
                return (ContinuousClock.now - begin) / .microseconds(count)
            }
            times.removeFirst()
            times.sort()
            print(
                String(
                    format: "%3d threads on %d cores: %.2f µs a region (%.2f to %.2f)",
                    threads,
                    cores,
                    times[times.count / 2],
                    times[0],
                    times[times.count - 1]
                )
            )
        }
    }
}
