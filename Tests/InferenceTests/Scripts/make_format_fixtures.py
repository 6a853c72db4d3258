"""Makes the fixtures of number formats and containers: what the `gguf` and `mlx` packages make of the same bytes.

    python -m venv .venv && .venv/bin/pip install torch transformers safetensors numpy gguf mlx
    .venv/bin/python Tests/InferenceTests/Scripts/make_format_fixtures.py

`formats.safetensors` holds random rows of every block form of GGUF and every width of MLX, and their values. The folders
hold tiny Phi-3 models in those forms, each with `reference.safetensors`: what `transformers` computes in float32 with the
values that the model stands for. `phi3-mlx` has a width, a group and a kind of scale of its own for each matrix;
`phi3-gguf` has GGUF files, of which Q4_0 is split into parts and `k` has a type of its own for each matrix. The weights of
the smaller ones are those of `phi3-float32`, which make_fixtures.py makes.
"""

import json
import shutil
from pathlib import Path

import gguf
import mlx.core as mx
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import load_file, save_file
from transformers import Phi3Config, Phi3ForCausalLM

from make_fixtures import FIXTURES

BLOCKS = [
    Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K,
    Type.IQ4_NL, Type.IQ4_XS, Type.MXFP4,
]
# Where a block has half-precision numbers, which must be finite.
HALVES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82],
    Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208], Type.IQ4_NL: [0], Type.IQ4_XS: [0],
    Type.MXFP4: [],
}
# The largest scales that give weights of about ±0.3: the rest of the factor is the largest code, and scale of a scale.
SCALES = {
    Type.Q4_0: 0.04, Type.Q5_0: 0.02, Type.Q8_0: 0.0025, Type.IQ4_NL: 0.003, Type.Q2_K: 0.007, Type.Q3_K: 0.0025,
    Type.Q4_K: 0.00034, Type.Q5_K: 0.00017, Type.Q6_K: 0.00009, Type.IQ4_XS: 0.0001,
}
MODEL = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 200, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "tie_word_embeddings": False, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 199,
    "pad_token_id": 0,
}
PROMPT_LENGTH, ANSWER_LENGTH = 12, 16
rng = np.random.default_rng(20)


def random_blocks(kind: Type, rows: int, columns: int, scale=None) -> np.ndarray:
    """Rows of blocks of random bits, with finite scales: of any size, or up to `scale`."""
    size, length = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows * columns // size, length), np.uint8)
    for number, at in enumerate(HALVES[kind]):
        if scale is None:
            halves = rng.integers(0, 0x7C00, len(blocks), np.uint16) | rng.integers(0, 2, len(blocks), np.uint16) << 15
        else:
            # A minimum or bias that puts the codes about zero.
            signs = rng.choice([-1, 1], len(blocks)) if len(HALVES[kind]) == 1 else 1
            halves = (signs * rng.uniform(scale / 2, scale, len(blocks))).astype(np.float16).view(np.uint16)
        blocks[:, at:at + 2] = halves[:, None].view(np.uint8)
    return blocks.reshape(rows, columns // size * length)


def write_formats():
    tensors = {}
    for kind in BLOCKS:
        blocks = random_blocks(kind, 2, 256)
        if kind == Type.MXFP4:
            # Exponents beyond these give infinities.
            blocks[:, ::17] = np.minimum(blocks[:, ::17], 250)
            blocks[0, 0], blocks[0, 17] = 0, 1
        tensors[f"{kind.name}.weight"] = blocks
        tensors[f"{kind.name}.values"] = gguf.quants.dequantize(blocks, kind)
    floats = {"F16": mx.float16, "BF16": mx.bfloat16, "F32": mx.float32}
    for index, (bits, group) in enumerate((b, g) for b in (2, 3, 4, 5, 6, 8) for g in (32, 64, 128)):
        name = list(floats)[index % 3 - bits % 3]
        matrix = mx.array(rng.standard_normal((2, 256)), dtype=floats[name])
        packed, scales, biases = mx.quantize(matrix, group_size=group, bits=bits)
        # In float32, or the values would be rounded to the scales' kind.
        values = mx.dequantize(
            packed, scales.astype(mx.float32), biases.astype(mx.float32), group_size=group, bits=bits)
        for part, array in [("weight", packed), ("scales", scales), ("biases", biases), ("values", values)]:
            tensors[f"MLX.{bits}.{group}.{part}"] = array
    mx.save_safetensors(str(FIXTURES / "formats.safetensors"), {k: mx.array(v) for k, v in tensors.items()})


def reference(weights: dict[str, np.ndarray], configuration: dict, folder: Path, name: str = "reference"):
    model = Phi3ForCausalLM(Phi3Config(**configuration, attn_implementation="eager")).float().eval()
    model.load_state_dict({k: torch.from_numpy(np.array(v, np.float32)) for k, v in weights.items()})
    prompt = [int(t) for t in rng.integers(2, configuration["vocab_size"] - 2, PROMPT_LENGTH)]
    tokens = list(prompt)
    with torch.no_grad():
        logits = model(torch.tensor([prompt]), use_cache=False).logits[0].numpy()
        for _ in range(ANSWER_LENGTH):
            tokens.append(int(model(torch.tensor([tokens]), use_cache=False).logits[0, -1].argmax()))
    save_file({
        "prompt": np.array(prompt, np.uint32),
        "logits": np.ascontiguousarray(logits, np.float32),
        "answer": np.array(tokens[len(prompt):], np.uint32),
    }, folder / f"{name}.safetensors")


# MARK: MLX


def write_mlx(weights: dict[str, np.ndarray]):
    folder = FIXTURES / "phi3-mlx"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    common = {"group_size": 32, "bits": 4, "mode": "affine"}
    plans = {  # bits, group, kind of scales; None is not quantised
        "model.embed_tokens": (6, 64, mx.bfloat16), "lm_head": (5, 32, mx.float16),
        "model.layers.0.self_attn.qkv_proj": (2, 32, mx.bfloat16), "model.layers.0.self_attn.o_proj": (3, 64, mx.float16),
        "model.layers.0.mlp.gate_up_proj": (5, 64, mx.float32), "model.layers.0.mlp.down_proj": (6, 128, mx.bfloat16),
        "model.layers.1.self_attn.qkv_proj": (3, 32, mx.float32), "model.layers.1.self_attn.o_proj": None,
        "model.layers.1.mlp.gate_up_proj": (8, 64, mx.float16), "model.layers.1.mlp.down_proj": (4, 32, mx.bfloat16),
    }
    quantization, stored, values = dict(common), {}, {}
    for name, value in weights.items():
        path = name.removesuffix(".weight")
        if value.ndim == 1 or plans[path] is None:
            stored[name] = mx.array(value, dtype=mx.bfloat16)
            values[name] = np.array(stored[name].astype(mx.float32))
            if value.ndim > 1:
                quantization[path] = False
            continue
        bits, group, kind = plans[path]
        parts = mx.quantize(mx.array(value, dtype=kind), group_size=group, bits=bits)
        stored |= zip((name, f"{path}.scales", f"{path}.biases"), parts)
        values[name] = np.array(mx.dequantize(
            parts[0], *(p.astype(mx.float32) for p in parts[1:]), group_size=group, bits=bits))
        if (bits, group) != (4, 32):
            quantization[path] = {"group_size": group, "bits": bits}
    configuration = dict(MODEL, model_type="phi3", quantization=quantization, quantization_config=quantization)
    (folder / "config.json").write_text(json.dumps(configuration, indent=1) + "\n")
    (folder / "tokenizer.json").write_text('{"model": {"type": "BPE", "vocab": {}, "merges": []}}\n')
    # In two shards, as large models come.
    names = sorted(stored)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, part in shards.items():
        mx.save_safetensors(str(folder / shard), {name: stored[name] for name in part})
    index = {"metadata": {"total_size": 0}, "weight_map": {n: s for s, part in shards.items() for n in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    reference(values, MODEL, folder)


# MARK: GGUF


def write_gguf(name: str, weights: dict[str, np.ndarray], kinds, configuration: dict, split: int = 0):
    """Writes a model whose matrices have the types that `kinds` gives by their names: random blocks where it gives a
    scale, the rounded weights where not."""
    folder = FIXTURES / "phi3-gguf"
    writer = gguf.GGUFWriter(folder / f"{name}.gguf", "phi3", split_max_tensors=split)
    writer.add_context_length(configuration["max_position_embeddings"])
    writer.add_rope_scaling_orig_ctx_len(configuration["max_position_embeddings"])
    writer.add_embedding_length(configuration["hidden_size"])
    writer.add_feed_forward_length(configuration["intermediate_size"])
    writer.add_block_count(configuration["num_hidden_layers"])
    writer.add_head_count(configuration["num_attention_heads"])
    writer.add_head_count_kv(configuration["num_key_value_heads"])
    if "head_dim" in configuration:
        writer.add_key_length(configuration["head_dim"])
        writer.add_value_length(configuration["head_dim"])
    writer.add_layer_norm_rms_eps(configuration["rms_norm_eps"])
    writer.add_rope_freq_base(configuration["rope_theta"])
    writer.add_sliding_window(0)
    count = configuration["vocab_size"]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([f"<t{i}>" for i in range(count - 2)] + ["<|end|>", "<|endoftext|>"])
    writer.add_token_scores([-float(i) for i in range(count)])
    writer.add_token_types([1] * (count - 2) + [3, 3])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(count - 1)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.PHI3, configuration["num_hidden_layers"])
    values = {}
    for path, value in weights.items():
        own = names.get_name(path, try_suffixes=(".weight",))
        kind = kinds(path)
        if value.ndim == 1 or kind == Type.F32:
            writer.add_tensor(own, value)
            values[path] = value
            continue
        data = random_blocks(kind, *value.shape, SCALES[kind]) if configuration is K_MODEL else gguf.quants.quantize(
            value, kind)
        writer.add_tensor(own, data, raw_dtype=kind)
        values[path] = gguf.quants.dequantize(data, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    reference(values, configuration, folder, f"{name}.reference")


# Rows of 256, as the larger blocks need; heads of 16 keep attention small.
K_MODEL = dict(
    MODEL, hidden_size=256, intermediate_size=256, num_attention_heads=2, num_key_value_heads=1, head_dim=16, vocab_size=96,
    bos_token_id=1, eos_token_id=95)
K_TYPES = {
    "model.embed_tokens.weight": Type.Q4_K, "lm_head.weight": Type.Q6_K,
    "model.layers.0.self_attn.qkv_proj.weight": Type.Q2_K, "model.layers.0.self_attn.o_proj.weight": Type.Q5_0,
    "model.layers.0.mlp.gate_up_proj.weight": Type.Q3_K, "model.layers.0.mlp.down_proj.weight": Type.Q4_K,
    "model.layers.1.self_attn.qkv_proj.weight": Type.Q5_K, "model.layers.1.self_attn.o_proj.weight": Type.IQ4_NL,
    "model.layers.1.mlp.gate_up_proj.weight": Type.IQ4_XS, "model.layers.1.mlp.down_proj.weight": Type.Q6_K,
}


def k_weights() -> dict[str, np.ndarray]:
    """Shapes of the model with large rows, and its norms; its matrices are random blocks."""
    with torch.device("meta"):
        shapes = Phi3ForCausalLM(Phi3Config(**K_MODEL)).state_dict()
    return {
        name: (1 + 0.2 * rng.standard_normal(shape.shape)).astype(np.float32)
        if len(shape.shape) == 1 else np.broadcast_to(np.float32(0), shape.shape)
        for name, shape in sorted(shapes.items())
    }


def main():
    weights = load_file(FIXTURES / "phi3-float32" / "model.safetensors")
    write_formats()
    write_mlx(weights)
    folder = FIXTURES / "phi3-gguf"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.gguf"):
        file.unlink()
    # Of one layer, to be small.
    first = {k: v for k, v in weights.items() if "layers.1" not in k}
    write_gguf("f16", first, lambda _: Type.F16, dict(MODEL, num_hidden_layers=1))
    write_gguf("q8_0", weights, lambda _: Type.Q8_0, MODEL)
    write_gguf("q4_0", weights, lambda name: Type.BF16 if "o_proj" in name else Type.Q4_0, MODEL, split=6)
    write_gguf("k", k_weights(), K_TYPES.get, K_MODEL)


main()
