import Console
import Foundation
import ModelFiles
import ModelHub

/// What a table says of a model, from `config.json` or a GGUF file's header and name alone, so that a cache of many models
/// is listed at once.
struct ModelSummary {
    let architecture: String?
    let quantization: String?

    init(_ model: LocalModel) {
        switch model.selection.format {
        case .folder:
            let file = FileHandle(forReadingAtPath: model.folder + "/config.json")
            self.init(configuration: try? file?.read(upToCount: maxConfigurationBytes))
        case .gguf(let quantization):
            self.init(gguf: model.path, quantization: quantization)
        }
    }

    private init(gguf path: String, quantization: String?) {
        architecture = (try? GGUFModel(path: path))?.metadata["general.architecture"]?.text?.printable
        self.quantization = quantization ?? "GGUF"
    }

    private init(configuration data: Data?) {
        let fields = data.flatMap { try? JSONDecoder().decode(Fields.self, from: Data(PythonNumbers.quoted($0))) }
        architecture = fields?.model_type?.printable
        quantization = fields?.form?.printable
    }

    private struct Fields: Decodable {
        var model_type: String?
        var torch_dtype: String?
        var dtype: String?
        var quantization: Quantization?
        var quantization_config: Quantization?

        struct Quantization: Decodable {
            var bits: Int?
            var group_size: Int?
            var quant_method: String?
        }

        var form: String? {
            if let mlx = quantization, let bits = mlx.bits {
                return "MLX \(bits)-bit" + (mlx.group_size.map { ", group \($0)" } ?? "")
            }
            if let other = quantization_config, let method = other.quant_method {
                return method + (other.bits.map { " \($0)-bit" } ?? "")
            }
            return dtype ?? torch_dtype
        }
    }
}
