import CKernels
import EngineContract
import Foundation
import Inference

/// How long one session's draw takes, on one thread.
///
///     swift run -c release kernel-benchmark sampling [--repeats N] [--variant NAME]
///
/// Logits are normal: with a deviation of 1 they lie as those of random weights do, and tens of thousands of tokens matter;
/// with one of 3 a few hundred do.
struct SamplingBenchmark {
    private static let parameters = [
        ("temperature 1", SamplingParameters(temperature: 1)),
        ("top-k 40", SamplingParameters(temperature: 1, topK: 40)),
        ("top-k 5,000", SamplingParameters(temperature: 1, topK: 5000)),
        ("top-p 0.95", SamplingParameters(temperature: 1, topP: 0.95)),
        ("top-p 0.95 of top-k 5,000", SamplingParameters(temperature: 1, topP: 0.95, topK: 5000)),
        ("min-p 0.05", SamplingParameters(temperature: 1, minP: 0.05)),
    ]

    let compute: OpaquePointer
    let repeats: Int

    func run() {
        for size in [152_000, 262_144] {
            for deviation: Float in [1, 3] {
                let logits = Self.normal(size).map { $0 * deviation }
                for (name, parameters) in Self.parameters {
                    var times = (0...repeats).map { time(logits, parameters, index: $0) }
                    times.removeFirst()
                    times.sort()
                    print(
                        String(
                            format: "%7d tokens, deviation %.0f, %@: %.3f ms (%.3f to %.3f)",
                            size,
                            deviation,
                            name,
                            times[times.count / 2],
                            times[0],
                            times[times.count - 1]
                        )
                    )
                }
            }
        }
    }

    /// Milliseconds.
    private func time(_ logits: [Float], _ parameters: SamplingParameters, index: Int) -> Double {
        var row = logits
        return row.withUnsafeMutableBufferPointer {
            let sampler = Sampler(compute: compute, logits: $0, parameters: parameters)
            let begin = ContinuousClock.now
            guard sampler.sample(index: index) != nil else {
                print("nothing was drawn")
                exit(1)
            }
            return (ContinuousClock.now - begin) / .milliseconds(1)
        }
    }

    /// By the central limit: the same on every machine.
    private static func normal(_ count: Int) -> [Float] {
        var state: UInt64 = 1
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) * 0x1p-24
        }
        return (0..<count).map { _ in (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
    }
}
