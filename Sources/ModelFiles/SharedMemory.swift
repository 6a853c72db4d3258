/// Memory for many pieces that are too short for huge pages of their own, such as the matrices of experts: those taken after
/// each other lie side by side in long stretches. A stretch is given back when the last piece of it is gone.
package final class SharedMemory {
    private static let stretch = 64 << 20
    /// Longer pieces have memory of their own: at the end of a stretch so much may be left over.
    private static let longest = 8 << 20
    private static let alignment = 64
    /// What no piece has yet.
    private var rest: FileBytes?

    package init() {}

    /// A piece, which `fill` must give its contents.
    package func bytes(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> FileBytes {
        guard count <= Self.longest else { return FileBytes(count: count, fill: fill) }
        let whole = (count + Self.alignment - 1) / Self.alignment * Self.alignment
        let stretch: FileBytes
        if let rest, rest.count >= whole { stretch = rest } else { stretch = FileBytes(count: Self.stretch) { _ in } }
        rest = stretch.slice(whole..<stretch.count)
        let piece = stretch.slice(0..<count)
        // Nobody else has this part of the stretch, and nobody reads it before it is full.
        fill(UnsafeMutableRawBufferPointer(mutating: piece.bytes))
        return piece
    }
}
