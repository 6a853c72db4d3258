import Console
import Inference

extension LeftOutWeights {
    private static let mostNames = 8

    /// For people: "audio_tower and vision_tower, 1.2 GB; only text …"; nil if there are none.
    var text: String? {
        guard !parts.isEmpty else { return nil }
        var names = parts.sorted().prefix(Self.mostNames).map { $0.printable(upTo: 100) }
        if parts.count > names.count { names.append("\(parts.count - names.count) more") }
        let last = names.removeLast()
        let all = names.isEmpty ? last : names.joined(separator: ", ") + " and " + last
        return "\(all), \(Format.bytes(byteCount)); only text is read and written"
    }
}
