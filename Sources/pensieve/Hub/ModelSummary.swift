import Console
import Foundation
import JSON
import ModelFiles
import ModelHub

/// A model's architecture and quantisation from `config.json` or a GGUF file's header and name only, so that a large
/// cache is listed quickly.
struct ModelSummary {
    let architecture: String?
    let quantization: String?

    init(_ model: LocalModel) {
        switch model.selection.format {
        case .folder:
            let file = FileHandle(forReadingAtPath: model.folder + "/config.json")
            self.init(configuration: try? file?.read(upToCount: ModelFields.limits.bytes))
        case .gguf(let quantization):
            self.init(gguf: model.path, quantization: quantization)
        }
    }

    private init(gguf path: String, quantization: String?) {
        architecture = (try? GGUFModel(path: path))?.metadata["general.architecture"]?.text?.printable
        self.quantization = quantization ?? "GGUF"
    }

    private init(configuration data: Data?) {
        let fields = data.flatMap { try? JSONDocument(Array($0), limits: ModelFields.limits).root }
        architecture = (try? fields?["model_type"].string())?.printable
        quantization = (try? fields.flatMap(Self.form))?.printable
    }

    private static func form(_ fields: JSONNode) throws(JSONError) -> String? {
        if let mlx = try fields["quantization"].nullable, let bits = try mlx["bits"].nullable?.int() {
            let group = try mlx["group_size"].nullable?.int()
            return "MLX \(bits)-bit" + (group.map { ", group \($0)" } ?? "")
        }
        if let other = try fields["quantization_config"].nullable,
            let method = try other["quant_method"].nullable?.string()
        {
            let bits = try other["bits"].nullable?.int()
            return method + (bits.map { " \($0)-bit" } ?? "")
        }
        let type = try fields["dtype"].nullable ?? fields["torch_dtype"]
        return try type.nullable?.string()
    }
}
