import CKernels
import COpenBLAS
import EngineContract
import ModelFiles

/// The threads and kernels of one engine. Used from its thread only.
final class Compute {
    let handle: OpaquePointer
    let variant: ck_variant
    /// Whether quantised weights are multiplied by OpenBLAS too.
    let isPrecise: Bool

    init(
        variant: ck_variant = ck_variant_best(),
        threads: Int,
        precise: Bool,
        activations: Activations = .standard
    ) throws(ModelError) {
        guard ck_variant_available(variant) else {
            throw ModelError("this CPU cannot run the kernels for \(variant.name)")
        }
        guard 1...1024 ~= threads else { throw ModelError("\(threads) threads; 1 to 1024 are possible") }
        guard let handle = ck_compute_create(variant, Int32(threads)) else {
            throw ModelError("\(threads) compute threads cannot be started")
        }
        self.handle = handle
        self.variant = variant
        isPrecise = precise
        ck_compute_set_activations(handle, activations.kernelValue)
        // The threads are ours: OpenBLAS computes on the one that asks it.
        openblas_set_num_threads(1)
    }

    deinit { ck_compute_destroy(handle) }

    var threads: Int { Int(ck_compute_threads(handle)) }

    /// How long each part of all steps has taken until now.
    var times: StepTimes {
        var times = StepTimes()
        times.matmul = seconds(CK_WORK_MATMUL)
        times.quantization = seconds(CK_WORK_QUANTIZE)
        times.attention = seconds(CK_WORK_ATTENTION)
        times.elementwise = seconds(CK_WORK_ELEMENTWISE)
        times.constraint = seconds(CK_WORK_CONSTRAINT)
        times.sampling = seconds(CK_WORK_SAMPLING)
        return times
    }

    private func seconds(_ work: ck_work) -> Double { Double(ck_compute_nanoseconds(handle, work)) * 1e-9 }

    /// Scratch memory for all parts of a model.
    func reserve(for model: LoadedModel, contextLength: Int) throws(ModelError) {
        try reserve(columns: model.mostColumns)
        let description = model.transformer.description
        if let latent = description.latentAttention { try reserve(for: latent) }
        for heads in description.headKinds { try reserve(partsOf: heads, contextLength: contextLength) }
    }

    /// Scratch memory for matrices of up to `columns` columns.
    func reserve(columns: Int) throws(ModelError) {
        guard
            ck_compute_reserve(handle, BLASMatmul.scratchCount(columns: columns)),
            ck_compute_reserve_activations(handle, Int32(columns))
        else {
            throw ModelError("no memory for scratch space of \(columns) columns for each of \(threads) threads")
        }
    }

    /// Scratch memory for the matrices of heads of latent attention.
    func reserve(for attention: LatentAttentionDescription) throws(ModelError) {
        let widest = Int32(max(attention.rank, attention.plainSize))
        guard ck_compute_reserve(handle, ck_head_scratch(widest, widest)) else {
            throw ModelError("no memory for scratch space of heads for each of \(threads) threads")
        }
    }

    /// Memory to divide sessions of up to `contextLength` positions among threads.
    private func reserve(partsOf heads: AttentionHeads, contextLength: Int) throws(ModelError) {
        let (heads, size) = (Int32(heads.count), Int32(heads.size))
        guard ck_compute_reserve_splits(handle, Int32(clamping: contextLength), heads, size) else {
            throw ModelError("no memory for attention over \(contextLength) tokens")
        }
    }
}

extension Activations {
    fileprivate var kernelValue: ck_activations {
        switch self {
        case .int8: CK_INT8
        case .int15: CK_INT15
        case .mixed: CK_MIXED
        }
    }
}

extension ck_variant {
    var name: String { String(cString: ck_variant_name(self)) }
}
