import CKernels
import Foundation

/// Each kernel against its limit, which a probe measures beside it in the same run: shares are comparable between
/// machines and hours, absolute figures are not.
///
///     swift run -c release kernel-benchmark [--threads N] [--tokens 1,2,4,…] [--repeats N] [--layers N] [--variant NAME]
///
/// `--variant` takes other kernels than the best that the machine has: scalar, avx2, avx2-vnni, avx512, avx512-vnni, neon.
@main
enum KernelBenchmark {
    /// The matrices of Phi-3-mini: rows × columns, and how many of each in a layer.
    static let layer = [(9216, 3072), (3072, 3072), (16384, 3072), (3072, 8192)]

    static func main() {
        var options = Options()
        let subject = CommandLine.arguments.dropFirst().first
        let hasSubject = ["attention", "regions", "sampling"].contains(subject)
        if let complaint = options.read(Array(CommandLine.arguments.dropFirst(hasSubject ? 2 : 1))) {
            print(complaint)
            exit(2)
        }
        if subject == "regions" { return RegionBenchmark(repeats: options.repeats).run() }
        guard let compute = ck_compute_create(options.variant, Int32(options.threads)) else {
            print("no threads")
            exit(1)
        }
        defer { ck_compute_destroy(compute) }
        if subject == "sampling" { return SamplingBenchmark(compute: compute, repeats: options.repeats).run() }
        if subject == "attention" {
            _ = ck_compute_reserve_splits(compute, 1 << 20, 32, 128)
            return AttentionBenchmark(compute: compute, repeats: options.repeats).run()
        }
        print(
            "\(String(cString: ck_variant_name(options.variant))), \(options.threads) threads, \(options.layers) layers of "
                + "Phi-3-mini's matrices, 4 bits, groups of 64; median of \(options.repeats)"
        )
        for (name, activations) in [("int8", CK_INT8), ("mixed", CK_MIXED), ("int15", CK_INT15)] {
            ck_compute_set_activations(compute, activations)
            guard ck_compute_reserve_activations(compute, 8192) else {
                print("no memory")
                exit(1)
            }
            let bench = ProductBenchmark(compute: compute, layers: options.layers)
            for tokens in options.tokens { bench.run(tokens: tokens, repeats: options.repeats, name) }
        }
    }
}

struct Options {
    var threads = ProcessInfo.processInfo.activeProcessorCount
    var tokens = [1, 2, 4, 8, 16, 32, 64, 256]
    var repeats = 9
    var layers = 8
    var variant = ck_variant_best()

    /// - Returns: what is wrong with the arguments, or nil.
    mutating func read(_ arguments: [String]) -> String? {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            let text = rest.popFirst() ?? ""
            if name == "--variant" {
                guard let found = Self.variant(text) else { return "--variant: this machine has no '\(text)'" }
                variant = found
                continue
            }
            let numbers = text.split(separator: ",").compactMap { Int($0) }
            guard let first = numbers.first, numbers.allSatisfy({ 1...4096 ~= $0 }) else {
                return "\(name): a number is expected; flags are --threads --tokens --repeats --layers --variant"
            }
            switch name {
            case "--threads": threads = first
            case "--tokens": tokens = numbers
            case "--repeats": repeats = first
            case "--layers": layers = first
            default: return "\(name) is none of --threads --tokens --repeats --layers --variant"
            }
        }
        return nil
    }

    /// The kernels of a name that this machine can run.
    private static func variant(_ name: String) -> ck_variant? {
        (0..<CK_VARIANT_COUNT).map { ck_variant(UInt32($0)) }
            .first { ck_variant_available($0) && String(cString: ck_variant_name($0)) == name }
    }
}

/// All matrices of some layers, one after the other, as a step meets them.
final class ProductBenchmark {
    private let compute: OpaquePointer
    private let matrices: [ck_matrix]
    private let memory: UnsafeMutableRawPointer
    private let byteCount: Int
    private let weightCount: Int

    init(compute: OpaquePointer, layers: Int) {
        self.compute = compute
        let shapes = (0..<layers).flatMap { _ in KernelBenchmark.layer }
        // 64 columns of 16 rows: 64 bytes of scales and biases, 512 of codes.
        let sizes = shapes.map { rows, columns in rows / 16 * (columns / 64) * 576 }
        byteCount = sizes.reduce(0, +)
        weightCount = shapes.reduce(0) { $0 + $1.0 * $1.1 }
        memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount + 8192, alignment: 1 << 21)
        madvise(memory, byteCount, MADV_HUGEPAGE)
        // Any bytes are codes; scales must be finite: halves near 2⁻⁷.
        let words = memory.assumingMemoryBound(to: UInt64.self)
        var state: UInt64 = 1
        for index in 0..<byteCount / 8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            words[index] = index % 72 < 8 ? 0x2010_a020_2030_a040 : state
        }
        var offset = 0
        var matrices: [ck_matrix] = []
        for (shape, size) in zip(shapes, sizes) {
            var matrix = ck_matrix()
            matrix.format = CK_PACKED
            (matrix.rows, matrix.columns) = (Int32(shape.0), Int32(shape.1))
            (matrix.bits, matrix.group, matrix.zero, matrix.scale_format) = (4, 64, -1, CK_F16)
            matrix.weights = UnsafeRawPointer(memory + offset)
            matrices.append(matrix)
            offset += size
        }
        self.matrices = matrices
    }

    deinit { memory.deallocate() }

    func run(tokens: Int, repeats: Int, _ activations: String) {
        // Now and then a channel far larger than the others, as real activations have: an outlier in a tenth of the groups.
        let x = (0..<tokens * 8192).map { index -> Float in
            let value = Float(index % 41 - 20)
            return index % 640 == 5 ? value : value / 20
        }
        var y = [Float](repeating: 0, count: tokens * 16384)
        var seconds: [(product: Double, read: Double, dots: Double)] = []
        let rounds = 20_000
        for _ in 0...repeats {
            let read = time { sink ^= ck_probe_read(compute, memory, byteCount) }
            let dots = time { ck_probe_dots(compute, Int32(rounds)) }
            let product = time {
                for var matrix in matrices {
                    ck_matmul(compute, &matrix, x, Int32(tokens), &y, Int(matrix.rows), false)
                }
            }
            seconds.append((product, read, dots))
        }
        seconds.removeFirst()
        let product = median(seconds.map(\.product))
        let operations = 2 * Double(weightCount) * Double(tokens)
        let peak = 16_384 * Double(rounds) * Double(ck_compute_threads(compute)) / median(seconds.map(\.dots))
        let planes = activations == "int15" ? 2.0 : 1.0
        let wholeModel = 3.722e9 / Double(weightCount)
        print(
            String(
                format: "%@ M=%3d  %6.2f ms a layer  %5.1f GB/s = %3.0f %% of reading  %5.0f Gop/s = %3.0f %% of peak"
                    + "  → %5.1f tokens/s of Phi-3-mini",
                activations.padding(toLength: 5, withPad: " ", startingAt: 0),
                tokens,
                product * 1e3 / Double(matrices.count / 4),
                Double(byteCount) / product / 1e9,
                100 * median(seconds.map { $0.read / $0.product }),
                operations / product / 1e9,
                100 * planes * operations / product / peak,
                Double(tokens) / (product * wholeModel)
            )
        )
    }

    private var sink: UInt32 = 0

    private func time(_ body: () -> Void) -> Double {
        let begin = ContinuousClock.now
        body()
        return (ContinuousClock.now - begin) / .seconds(1)
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
