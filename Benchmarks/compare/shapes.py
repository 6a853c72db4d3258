"""GGUF files with random weights in the shapes of models of many kinds, with as many of their layers as one likes.

Both programs read the same file. What a product costs does not depend on the values; they have a deviation of about 0.02,
and routers choose their experts at random. Vocabularies are those that llama.cpp's sources hold, with unused tokens added up
to the model's own number.

Needs `numpy` and `gguf` from PyPI.
"""

import dataclasses
import os
import pathlib
import sys

import numpy as np

from models import BLOCKS, add_field, random_bytes


def blocks_mxfp4(random, count):
    """32 weights: an exponent and floats of 4 bits, up to 6."""
    return np.hstack([np.full((count, 1), 127 - 7, np.uint8), random_bytes(random, count, 16)])


BLOCKS = BLOCKS | {"MXFP4": (32, blocks_mxfp4)}
# Weights that are made anew; more of a tensor are the same again.
FRESH = 1 << 24


@dataclasses.dataclass(frozen=True)
class Tensor:
    """Shape with the outputs of a matrix before its inputs; `kind` is GGUF's."""

    name: str
    shape: tuple[int, ...]
    kind: str = "Q4_0"


@dataclasses.dataclass(frozen=True)
class Shape:
    """A published model's.

    - fields: metadata below the architecture's name, by the number of layers
    - first: the tensors beside those of layers, by the number of layers
    - layer: the tensors of a layer, by its index
    """

    title: str
    arch: str
    layers: int
    vocabulary: int
    base: str  # of `models/ggml-vocab-….gguf` in llama.cpp's sources
    fields: callable
    first: callable
    layer: callable

    def tensors(self, layers: int) -> list[Tensor]:
        parts = list(self.first(layers))
        for index in range(layers):
            parts += [dataclasses.replace(t, name=f"blk.{index}.{t.name}") for t in self.layer(index)]
        return parts


def norm(name: str, size: int) -> Tensor:
    return Tensor(f"{name}.weight", (size,), "F32")


def matrix(name: str, *shape: int, kind: str = "Q4_0") -> Tensor:
    return Tensor(f"{name}.weight", shape, kind)


def ends(hidden: int, vocabulary: int, tied: bool = False, kind: str = "Q4_0") -> list[Tensor]:
    parts = [matrix("token_embd", vocabulary, hidden, kind=kind), norm("output_norm", hidden)]
    return parts if tied else parts + [matrix("output", vocabulary, hidden, kind=kind)]


def experts(hidden: int, size: int, count: int, kind: str = "Q4_0") -> list[Tensor]:
    return [
        matrix("ffn_gate_inp", count, hidden, kind="F32"), matrix("ffn_gate_exps", count, size, hidden, kind=kind),
        matrix("ffn_up_exps", count, size, hidden, kind=kind), matrix("ffn_down_exps", count, hidden, size, kind=kind)]


def dense(hidden: int, size: int, suffix: str = "") -> list[Tensor]:
    return [
        matrix(f"ffn_gate{suffix}", size, hidden), matrix(f"ffn_up{suffix}", size, hidden),
        matrix(f"ffn_down{suffix}", hidden, size)]


def attention(hidden: int, heads: int, kv: int, size: int, gated: bool = False) -> list[Tensor]:
    return [
        matrix("attn_q", (2 if gated else 1) * heads * size, hidden), matrix("attn_k", kv * size, hidden),
        matrix("attn_v", kv * size, hidden), matrix("attn_output", hidden, heads * size)]


def head_norms(size: int) -> list[Tensor]:
    return [norm("attn_q_norm", size), norm("attn_k_norm", size)]


# MARK: Qwen


def qwen3_moe() -> Shape:
    hidden, size = 2048, 128

    def layer(_):
        return [
            norm("attn_norm", hidden), norm("ffn_norm", hidden), *head_norms(size), *attention(hidden, 32, 4, size),
            *experts(hidden, 768, 128)]

    fields = {
        "embedding_length": hidden, "feed_forward_length": 6144, "attention.head_count": 32,
        "attention.head_count_kv": 4, "attention.key_length": size, "attention.value_length": size,
        "rope.freq_base": 1e6, "attention.layer_norm_rms_epsilon": 1e-6, "expert_count": 128, "expert_used_count": 8,
        "expert_feed_forward_length": 768}
    return Shape(
        "Qwen3-30B-A3B", "qwen3moe", 48, 151_936, "qwen2", lambda _: fields, lambda _: ends(hidden, 151_936), layer)


def delta_net(hidden: int, keys: int, values: int, size: int) -> list[Tensor]:
    channels, inner = (2 * keys + values) * size, values * size
    return [
        matrix("attn_qkv", channels, hidden), matrix("attn_gate", inner, hidden),
        matrix("ssm_conv1d", channels, 4, kind="F32"), Tensor("ssm_dt.bias", (values,), "F32"),
        Tensor("ssm_a", (values,), "F32"), matrix("ssm_beta", values, hidden), matrix("ssm_alpha", values, hidden),
        norm("ssm_norm", size), matrix("ssm_out", hidden, inner)]


def qwen3_5(title: str, arch: str, layers: int, hidden: int, kv: int, feed_forward: list[Tensor], more: dict, tied: bool):
    vocabulary = 248_320

    def layer(index):
        mixer = (
            [*attention(hidden, 16, kv, 256, gated=True), *head_norms(256)] if index % 4 == 3
            else delta_net(hidden, 16, 32, 128))
        return [norm("attn_norm", hidden), norm("post_attention_norm", hidden), *mixer, *feed_forward]

    fields = {
        "embedding_length": hidden, "attention.head_count": 16, "attention.head_count_kv": kv,
        "attention.key_length": 256, "attention.value_length": 256, "rope.dimension_count": 64,
        "rope.dimension_sections": [11, 11, 10, 0], "rope.freq_base": 1e7, "attention.layer_norm_rms_epsilon": 1e-6,
        "ssm.conv_kernel": 4, "ssm.state_size": 128, "ssm.group_count": 16, "ssm.time_step_rank": 32,
        "ssm.inner_size": 4096, "full_attention_interval": 4} | more
    return Shape(
        title, arch, layers, vocabulary, "qwen35", lambda _: fields, lambda _: ends(hidden, vocabulary, tied), layer)


def qwen3_5_dense() -> Shape:
    more = {"feed_forward_length": 9216}
    return qwen3_5("Qwen3.5-4B", "qwen35", 32, 2560, 4, dense(2560, 9216), more, tied=True)


def qwen3_5_moe() -> Shape:
    hidden, size = 2048, 512
    parts = [
        *experts(hidden, size, 256), Tensor("ffn_gate_inp_shexp.weight", (hidden,), "F32"), *dense(hidden, size, "_shexp")]
    more = {
        "expert_count": 256, "expert_used_count": 8, "expert_feed_forward_length": size,
        "expert_shared_feed_forward_length": size}
    return qwen3_5("Qwen3.5-35B-A3B", "qwen35moe", 40, hidden, 2, parts, more, tied=False)


# MARK: Others


def gpt_oss() -> Shape:
    """Its experts as OpenAI has them, and eight bits for the rest."""
    hidden, heads, kv, size, count, vocabulary = 2880, 64, 8, 64, 32, 201_088

    def biased(tensor: Tensor) -> list[Tensor]:
        bias = Tensor(tensor.name.replace(".weight", ".bias"), tensor.shape[:-1], "F32")
        return [tensor if tensor.kind != "Q4_0" else dataclasses.replace(tensor, kind="Q8_0"), bias]

    def layer(_):
        matrices = attention(hidden, heads, kv, size) + experts(hidden, hidden, count, kind="MXFP4")
        return [
            norm("attn_norm", hidden), norm("post_attention_norm", hidden), norm("attn_sinks", heads),
            *(part for one in matrices for part in biased(one))]

    fields = {
        "embedding_length": hidden, "feed_forward_length": hidden, "attention.head_count": heads,
        "attention.head_count_kv": kv, "attention.key_length": size, "attention.value_length": size,
        "rope.freq_base": 150_000.0, "attention.layer_norm_rms_epsilon": 1e-5, "attention.sliding_window": 128,
        "rope.scaling.type": "yarn", "rope.scaling.factor": 32.0, "rope.scaling.original_context_length": 4096,
        "expert_count": count, "expert_used_count": 4, "expert_feed_forward_length": hidden}
    return Shape(
        "gpt-oss-20b", "gpt-oss", 24, vocabulary, "qwen2", lambda _: fields,
        lambda _: ends(hidden, vocabulary, kind="Q8_0"), layer)


def glm_flash() -> Shape:
    hidden, heads, rank, plain, rotated, value, size = 2048, 20, 512, 192, 64, 256, 1536
    vocabulary, query_rank, count = 154_880, 768, 64

    def layer(index):
        mixer = [
            matrix("attn_q_a", query_rank, hidden), norm("attn_q_a_norm", query_rank),
            matrix("attn_q_b", heads * (plain + rotated), query_rank),
            matrix("attn_kv_a_mqa", rank + rotated, hidden), norm("attn_kv_a_norm", rank),
            matrix("attn_k_b", heads, rank, plain), matrix("attn_v_b", heads, value, rank),
            matrix("attn_output", hidden, heads * value)]
        network = dense(hidden, 10_240) if index == 0 else [
            *experts(hidden, size, count), Tensor("exp_probs_b.bias", (count,), "F32"), *dense(hidden, size, "_shexp")]
        return [norm("attn_norm", hidden), norm("ffn_norm", hidden), *mixer, *network]

    fields = {
        "embedding_length": hidden, "feed_forward_length": 10_240, "attention.head_count": heads,
        "attention.head_count_kv": 1, "attention.key_length": rank + rotated, "attention.value_length": rank,
        "attention.key_length_mla": plain + rotated, "attention.value_length_mla": value,
        "attention.q_lora_rank": query_rank, "attention.kv_lora_rank": rank, "rope.dimension_count": rotated,
        "rope.freq_base": 1e6, "attention.layer_norm_rms_epsilon": 1e-5, "leading_dense_block_count": 1,
        "expert_count": count, "expert_used_count": 4, "expert_shared_count": 1, "expert_feed_forward_length": size,
        "expert_weights_scale": 1.8, "expert_weights_norm": True, "expert_gating_func": 2}
    return Shape(
        "GLM-4.7-Flash", "deepseek2", 47, vocabulary, "qwen2", lambda _: fields, lambda _: ends(hidden, vocabulary), layer)


def gemma4() -> Shape:
    """Of its last layers, 18 of 42, each reads the keys and values of the last one of its kind that has some."""
    hidden, heads, kv, part, layers, shared = 2560, 8, 2, 256, 42, 18

    def layer(index):
        size = 512 if index % 6 == 5 else 256
        mixer = attention(hidden, heads, kv, size)
        names = ("post_attention_norm", "attn_norm", "ffn_norm", "post_ffw_norm", "post_norm")
        return [
            *(norm(name, hidden) for name in names), *mixer, *head_norms(size), *dense(hidden, 10_240),
            Tensor("layer_output_scale.weight", (1,), "F32"), matrix("inp_gate", part, hidden),
            matrix("proj", hidden, part)]

    def first(count):
        return [
            *ends(hidden, 262_144, tied=True), matrix("per_layer_token_embd", 262_144, count * part),
            matrix("per_layer_model_proj", count * part, hidden), norm("per_layer_proj_norm", part),
            Tensor("rope_freqs.weight", (256,), "F32")]

    def fields(count):
        return {
            "embedding_length": hidden, "feed_forward_length": 10_240, "attention.head_count": heads,
            "attention.head_count_kv": kv, "attention.key_length": 512, "attention.value_length": 512,
            "attention.key_length_swa": 256, "attention.value_length_swa": 256, "rope.dimension_count": 512,
            "rope.dimension_count_swa": 256, "rope.freq_base": 1e6, "rope.freq_base_swa": 1e4,
            "attention.layer_norm_rms_epsilon": 1e-6, "attention.sliding_window": 512,
            "attention.shared_kv_layers": shared * count // layers,
            "attention.sliding_window_pattern": [index % 6 != 5 for index in range(count)],
            "embedding_length_per_layer_input": part, "final_logit_softcapping": 30.0}

    return Shape("Gemma-4-E4B", "gemma4", layers, 262_144, "gemma-4", fields, first, layer)


SHAPES = {
    "qwen3.5-4b": qwen3_5_dense, "glm-4.7-flash": glm_flash, "qwen3-30b-a3b": qwen3_moe, "gpt-oss-20b": gpt_oss,
    "gemma-4-e4b": gemma4, "qwen3.5-35b-a3b": qwen3_5_moe}


# MARK: Writing


def values(random: np.random.Generator, tensor: Tensor) -> np.ndarray:
    """Of a tensor in F32."""
    if tensor.name == "rope_freqs.weight":
        # The first quarter of the pairs is rotated.
        return np.array([1.0] * 64 + [1e30] * 192, np.float32)
    if tensor.name.endswith("ssm_a"):
        return -random.uniform(0.1, 2, tensor.shape).astype(np.float32)
    if tensor.name.endswith(("norm.weight", "layer_output_scale.weight")):
        return np.ones(tensor.shape, np.float32)
    return (0.02 * random.standard_normal(tensor.shape)).astype(np.float32)


def quantized(random: np.random.Generator, tensor: Tensor, width: int) -> np.ndarray:
    block, make = BLOCKS[tensor.kind]
    count = int(np.prod(tensor.shape)) // block
    fresh = make(random, min(count, FRESH // block))
    return np.resize(fresh, (count, fresh.shape[1])).reshape(-1, width)


def add_vocabulary(writer, path: pathlib.Path, count: int):
    import gguf

    fields = gguf.GGUFReader(path).fields
    values = {name: field.contents() for name, field in fields.items() if name.startswith("tokenizer.")}
    missing = count - len(values["tokenizer.ggml.tokens"])
    unused = {"tokens": [f"<|unused_{index}|>" for index in range(missing)], "token_type": [5] * missing}
    for name, value in values.items():
        part = name.removeprefix("tokenizer.ggml.")
        add_field(writer, name, value + unused[part] if part in unused else value)


def write(shape: Shape, layers: int, path: pathlib.Path, vocabularies: pathlib.Path):
    """Writes the first layers of a model, unless the file is there."""
    if path.exists():
        return
    import gguf

    print(f"writing {path} …", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, shape.arch)
    writer.add_name(f"Random weights in the shape of {shape.title}, {layers} of {shape.layers} layers")
    writer.add_quantization_version(2)
    for key, value in ({"block_count": layers, "context_length": 32_768} | shape.fields(layers)).items():
        add_field(writer, f"{shape.arch}.{key}", value)
    add_vocabulary(writer, vocabularies / f"ggml-vocab-{shape.base}.gguf", shape.vocabulary)
    tensors = shape.tensors(layers)
    for tensor in tensors:
        kind = gguf.GGMLQuantizationType[tensor.kind]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        rows = int(np.prod(tensor.shape[:-1]))
        if tensor.kind == "F32":
            writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), 4 * rows * tensor.shape[-1])
        else:
            width = tensor.shape[-1] // block * size
            writer.add_tensor_info(
                tensor.name, (*tensor.shape[:-1], width), np.dtype(np.uint8), rows * width, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(1)
    for tensor in tensors:
        if tensor.kind == "F32":
            writer.write_tensor_data(values(random, tensor))
        else:
            block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[tensor.kind]]
            writer.write_tensor_data(quantized(random, tensor, tensor.shape[-1] // block * size))
    writer.close()
    os.rename(part, path)


def file_of(name: str, layers: int | None, folder: pathlib.Path, vocabularies: pathlib.Path) -> pathlib.Path:
    """The file of a shape, which is written if it is not there; nil layers: all of the model's."""
    shape = SHAPES[name]()
    count = layers or shape.layers
    path = folder / f"{name}-{count}.gguf"
    write(shape, count, path, vocabularies)
    return path
