"""Models with random weights in the exact shapes of Phi-3-mini, in the forms that are compared, for contexts of up to 16,384.

What a matrix product costs does not depend on the values. They have a deviation of about 0.02, and the rows of the output
head for tokens that end an answer are zero: those tokens are never the most probable ones, so that a greedy answer always
has as many tokens as were asked for. The sliding window is as wide as the context, as llama.cpp does not use it for this
architecture.
"""

import json
import os
import pathlib
import sys

import numpy as np

from vocabulary import CHAT_TEMPLATE, Vocabulary

LAYERS, HIDDEN, INTERMEDIATE, VOCABULARY, CONTEXT = 32, 3072, 8192, 32064, 16_384
HEADS, HEAD_SIZE = 32, 96
# Multiplied for each token: all matrices but the embedding, of which one row is looked up.
MULTIPLIED = LAYERS * (4 * HIDDEN * HIDDEN + 3 * HIDDEN * INTERMEDIATE) + VOCABULARY * HIDDEN

# The deviation of a uniform distribution of codes is their number / √12.
STEP_4_BITS = 0.02 * 12**0.5 / 16
HEAD, EMBEDDING = "output", "token_embd"


def matrices() -> list[tuple[str, int, int]]:
    """GGUF's names, rows and columns."""
    result = [(EMBEDDING, VOCABULARY, HIDDEN), (HEAD, VOCABULARY, HIDDEN)]
    for layer in range(LAYERS):
        result += [
            (f"blk.{layer}.attn_qkv", 3 * HIDDEN, HIDDEN), (f"blk.{layer}.attn_output", HIDDEN, HIDDEN),
            (f"blk.{layer}.ffn_up", 2 * INTERMEDIATE, HIDDEN), (f"blk.{layer}.ffn_down", HIDDEN, INTERMEDIATE)]
    return result


def norms() -> list[str]:
    return ["output_norm"] + [f"blk.{layer}.{name}" for layer in range(LAYERS) for name in ("attn_norm", "ffn_norm")]


def signs(random: np.random.Generator, shape) -> np.ndarray:
    return random.choice(np.array([-1, 1], np.float32), shape)


# MARK: GGUF blocks, each of them `count × bytes` of uint8


def half(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).reshape(-1, 1).view(np.uint8)


def random_bytes(random: np.random.Generator, count: int, width: int) -> np.ndarray:
    return np.frombuffer(random.bytes(count * width), np.uint8).reshape(count, width)


def blocks_q4_0(random, count):
    """32 weights: a scale and codes 0 to 15 less 8."""
    return np.hstack([half(STEP_4_BITS * signs(random, count)), random_bytes(random, count, 16)])


def blocks_q8_0(random, count):
    """32 weights: a scale and signed bytes."""
    return np.hstack([half(np.full(count, STEP_4_BITS / 16)), random_bytes(random, count, 32)])


def blocks_q4_k(random, count):
    """256 weights in eight parts: d · scale · code − dmin · minimum. Every minimum is its scale here, so that
    dmin = 7.5 d puts them about zero. Scales and minima have 6 bits each and lie in 12 bytes."""
    six = random.integers(24, 40, (count, 8), np.uint8)
    low, high = six[:, :4], six[:, 4:]
    first = low | (high >> 4) << 6
    scales = np.hstack([first, first, (high & 15) | (high & 15) << 4])
    d = np.full(count, STEP_4_BITS / 31.5)
    return np.hstack([half(d), half(7.5 * d), scales, random_bytes(random, count, 128)])


def blocks_q6_k(random, count):
    """256 weights: codes 0 to 63 less 32, with sixteen 8-bit scales of either sign."""
    scales = (random.integers(48, 80, (count, 16)) * signs(random, (count, 16))).astype(np.int8).view(np.uint8)
    d = np.full(count, STEP_4_BITS / 4 / 63.5)
    return np.hstack([random_bytes(random, count, 128 + 64), scales, half(d)])


# Weights in a block, and what writes some of them.
BLOCKS = {
    "Q4_0": (32, blocks_q4_0), "Q8_0": (32, blocks_q8_0), "Q4_K": (256, blocks_q4_k), "Q6_K": (256, blocks_q6_k)}


def gguf_type(form: str, name: str) -> str:
    """The type of a matrix. Q4_0 and Q8_0 are pure, as the MLX form is; for Q4_K_M these are llama-quantize's choices."""
    if form in BLOCKS:
        return form
    if name == HEAD:
        return "Q6_K"
    if name.endswith(("attn_qkv", "ffn_down")):
        layer, eighth = int(name.split(".")[1]), LAYERS // 8
        more = layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2
        return "Q6_K" if more else "Q4_K"
    return "Q4_K"


def write_gguf(path: pathlib.Path, form: str, vocabulary: Vocabulary):
    import gguf

    random = np.random.default_rng(1)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "phi3")
    describe(writer, gguf.LlamaFileType[f"MOSTLY_{form}"], vocabulary)
    types = {name: gguf.GGMLQuantizationType[gguf_type(form, name)] for name, *_ in matrices()}
    for name, rows, columns in matrices():
        block, size = gguf.GGML_QUANT_SIZES[types[name]]
        width = columns // block * size
        writer.add_tensor_info(f"{name}.weight", [rows, width], np.dtype(np.uint8), rows * width, types[name])
    for name in norms():
        writer.add_tensor_info(f"{name}.weight", [HIDDEN], np.dtype(np.float32), 4 * HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, rows, columns in matrices():
        block, make = BLOCKS[types[name].name]
        data = make(random, rows * columns // block).reshape(rows, -1)
        if name == HEAD:
            data[vocabulary.silent()] = 0
        writer.write_tensor_data(data)
    for name in norms():
        writer.write_tensor_data(np.ones(HIDDEN, np.float32))
    writer.close()
    os.rename(part, path)


def add_field(writer, key: str, value):
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def describe(writer, file_type, vocabulary: Vocabulary):
    writer.add_name("Random weights in the shape of Phi-3-mini")
    writer.add_context_length(CONTEXT)
    writer.add_rope_scaling_orig_ctx_len(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD_SIZE)
    writer.add_rope_freq_base(10000.0)
    # ik_llama.cpp asks for it. It hides nothing.
    writer.add_sliding_window(CONTEXT)
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    for name, value in vocabulary.values.items():
        add_field(writer, name, value)
    writer.add_chat_template(CHAT_TEMPLATE)


# MARK: MLX

MLX_BITS, MLX_GROUP = 4, 64
MLX_NAMES = {
    EMBEDDING: "model.embed_tokens", HEAD: "lm_head", "output_norm": "model.norm", "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj", "ffn_up": "mlp.gate_up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}


def mlx_name(name: str) -> str:
    if not name.startswith("blk."):
        return MLX_NAMES[name]
    _, layer, part = name.split(".")
    return f"model.layers.{layer}.{MLX_NAMES[part]}"


def brain_floats(values: np.ndarray) -> np.ndarray:
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def mlx_tensors() -> list[tuple[str, str, list[int]]]:
    result = []
    for name, rows, columns in matrices():
        path = mlx_name(name)
        result.append((f"{path}.weight", "U32", [rows, columns * MLX_BITS // 32]))
        result += [(f"{path}.{part}", "BF16", [rows, columns // MLX_GROUP]) for part in ("scales", "biases")]
    return result + [(f"{mlx_name(name)}.weight", "BF16", [HIDDEN]) for name in norms()]


def write_safetensors(path: pathlib.Path, silent: list[int]):
    header, offset = {}, 0
    for name, kind, shape in mlx_tensors():
        size = int(np.prod(shape)) * {"U32": 4, "BF16": 2}[kind]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(1)
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, kind, shape in mlx_tensors():
            if kind == "U32":
                file.write(random.bytes(4 * shape[0] * shape[1]))
            elif name.endswith(".scales"):
                scales = STEP_4_BITS * signs(random, shape) * random.uniform(0.8, 1.2, shape)
                if name.startswith(MLX_NAMES[HEAD]):
                    scales[silent] = 0
                file.write(brain_floats(scales).tobytes())
            elif name.endswith(".biases"):
                # Codes are 0 to 15: 7.5 scales less puts them about zero.
                file.write(brain_floats(-7.5 * scales).tobytes())
            else:
                file.write(brain_floats(np.ones(shape)).tobytes())
    os.rename(part, path)


def write_mlx(folder: pathlib.Path, vocabulary: Vocabulary):
    folder.mkdir(parents=True, exist_ok=True)
    quantization = {"group_size": MLX_GROUP, "bits": MLX_BITS, "mode": "affine"}
    files = {
        "config.json": {
            "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "hidden_size": HIDDEN,
            "intermediate_size": INTERMEDIATE, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
            "max_position_embeddings": CONTEXT, "original_max_position_embeddings": CONTEXT, "sliding_window": None,
            "vocab_size": VOCABULARY, "tie_word_embeddings": False, "hidden_act": "silu", "bos_token_id": 1,
            "eos_token_id": 32000, "quantization": quantization, "quantization_config": quantization},
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": [32000, 32001, 32007]},
        "tokenizer_config.json": {
            "tokenizer_class": "LlamaTokenizer", "add_bos_token": False, "bos_token": "<s>",
            "eos_token": "<|endoftext|>", "unk_token": "<unk>", "chat_template": CHAT_TEMPLATE},
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1))
    (folder / "tokenizer.json").write_text(vocabulary.tokenizer_json())
    write_safetensors(folder / "model.safetensors", vocabulary.silent())


# MARK: All of them


class Models:
    """The models in a folder, written when they are first asked for."""

    # Form, and where it lies in the folder.
    PATHS = {
        "MLX 4-bit": "phi3-16k-mlx4", "Q4_0": "phi3-16k-q4_0.gguf", "Q4_K_M": "phi3-16k-q4_k_m.gguf",
        "Q8_0": "phi3-16k-q8_0.gguf"}

    def __init__(self, folder: pathlib.Path, vocabulary: pathlib.Path):
        self.folder, self.vocabulary = folder, vocabulary

    def path(self, form: str) -> pathlib.Path:
        return self.folder / self.PATHS[form]

    def weights(self, form: str) -> pathlib.Path:
        path = self.path(form)
        return path / "model.safetensors" if form.startswith("MLX") else path

    def weight_bytes(self, form: str) -> int:
        """What is read of the weights for each token: all but the embedding, which has 4.5 bits, or 8.5."""
        return self.weights(form).stat().st_size - VOCABULARY * HIDDEN * (17 if form == "Q8_0" else 9) // 16

    def make(self, forms: list[str]):
        missing = [form for form in forms if not self.weights(form).exists()]
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        vocabulary = Vocabulary(self.vocabulary)
        if len(vocabulary.pieces) != VOCABULARY:
            raise SystemExit(f"{self.vocabulary}: {len(vocabulary.pieces)} tokens; Phi-3 has {VOCABULARY}")
        for form in missing:
            print(f"writing {self.path(form)} …", file=sys.stderr)
            if form.startswith("MLX"):
                write_mlx(self.path(form), vocabulary)
            else:
                write_gguf(self.path(form), form, vocabulary)
