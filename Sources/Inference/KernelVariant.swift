import CKernels
import ModelFiles

extension EngineOptions {
    /// The kernels that this program has for some machine, each named for its instruction set.
    package static let kernelNames = all.map(\.name)

    private static let all = (0..<CK_VARIANT_COUNT).map { ck_variant(UInt32($0)) }

    /// The kernels to use: the chosen ones, or the fastest that this CPU has.
    /// - Throws: if the CPU cannot run the chosen ones.
    func variant() throws(ModelError) -> ck_variant {
        guard let kernels else { return ck_variant_best() }
        let available = Self.all.filter(ck_variant_available)
        guard let variant = available.first(where: { $0.name == kernels }) else {
            let names = available.map(\.name).joined(separator: ", ")
            throw ModelError("this CPU cannot run the kernels '\(kernels)'; it can run \(names)")
        }
        return variant
    }
}
