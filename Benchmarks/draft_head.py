#!/usr/bin/env python3
"""What a step costs with a draft head (multi-token prediction), in the shape of Qwen3.5-9B with some of its layers.

usage: draft_head.py FOLDER [--server PATH] [--layers N] [--runs N] [--tokens N] [--flags "..."]

Writes two models (MLX, 4 bits, 2.3 GB each with eight layers) into FOLDER unless they are there. Their weights are random, but
the matrices that layers write with are zero, so that each token depends on the one before alone; and the head of the one
model says the same as the model, that of the other always something else. What real heads get right these do not say:
the first shows what is gained at best, and what a step with drafts costs; the second what is lost at worst, before
the head is left alone. Each is asked with and without its head, in turn; the texts must be equal.

Python needs numpy to write the models.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import sys

import numpy as np

import phi3
import speculation

HIDDEN, INTERMEDIATE, VOCABULARY, GROUP = 4096, 12288, 248320, 64
HEADS, KV_HEADS, HEAD = 16, 4, 256
KEY_HEADS, VALUE_HEADS, LINEAR_HEAD = 16, 32, 128
CHANNELS, VALUES = (2 * KEY_HEADS + VALUE_HEADS) * LINEAR_HEAD, VALUE_HEADS * LINEAR_HEAD


def configuration(layers: int) -> dict:
    return {
        "model_type": "qwen3_5_text", "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": layers, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD,
        "vocab_size": VOCABULARY, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "linear_num_key_heads": KEY_HEADS, "linear_num_value_heads": VALUE_HEADS, "linear_key_head_dim": LINEAR_HEAD,
        "linear_value_head_dim": LINEAR_HEAD, "linear_conv_kernel_dim": 4, "attention_bias": False,
        "tie_word_embeddings": False, "mtp_num_hidden_layers": 1, "eos_token_id": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.25},
        "quantization": {"group_size": GROUP, "bits": 4, "mode": "affine"}}


def layer(path: str, is_attention: bool):
    yield f"{path}.input_layernorm.weight", [HIDDEN]
    yield f"{path}.post_attention_layernorm.weight", [HIDDEN]
    for name, rows, columns in [
        ("gate_proj", INTERMEDIATE, HIDDEN), ("up_proj", INTERMEDIATE, HIDDEN), ("down_proj", HIDDEN, INTERMEDIATE),
    ]:
        yield f"{path}.mlp.{name}", [rows, columns]
    if is_attention:
        path += ".self_attn"
        yield f"{path}.q_norm.weight", [HEAD]
        yield f"{path}.k_norm.weight", [HEAD]
        for name, heads in [("q_proj", 2 * HEADS), ("k_proj", KV_HEADS), ("v_proj", KV_HEADS)]:
            yield f"{path}.{name}", [heads * HEAD, HIDDEN]
        yield f"{path}.o_proj", [HIDDEN, HEADS * HEAD]
        return
    path += ".linear_attn"
    for name, rows in [
        ("in_proj_qkv", CHANNELS), ("in_proj_z", VALUES), ("in_proj_a", VALUE_HEADS), ("in_proj_b", VALUE_HEADS),
    ]:
        yield f"{path}.{name}", [rows, HIDDEN]
    yield f"{path}.out_proj", [HIDDEN, VALUES]
    yield f"{path}.conv1d.weight", [CHANNELS, 4, 1]
    yield f"{path}.norm.weight", [LINEAR_HEAD]
    yield f"{path}.A_log", [VALUE_HEADS]
    yield f"{path}.dt_bias", [VALUE_HEADS]


def parts(layers: int):
    """Names and shapes: matrices of four bits by their paths, vectors by their names."""
    yield "model.embed_tokens", [VOCABULARY, HIDDEN]
    yield "lm_head", [VOCABULARY, HIDDEN]
    yield "model.norm.weight", [HIDDEN]
    for index in range(layers):
        yield from layer(f"model.layers.{index}", index % 4 == 3)
    yield from layer("mtp.layers.0", True)
    yield "mtp.fc", [HIDDEN, 2 * HIDDEN]
    for name in ("pre_fc_norm_embedding", "pre_fc_norm_hidden", "norm"):
        yield f"mtp.{name}.weight", [HIDDEN]


def tensors(layers: int):
    for name, shape in parts(layers):
        if len(shape) != 2:
            yield name, "BF16", shape
            continue
        yield f"{name}.weight", "U32", [shape[0], shape[1] // 8]
        yield f"{name}.scales", "BF16", [shape[0], shape[1] // GROUP]
        yield f"{name}.biases", "BF16", [shape[0], shape[1] // GROUP]


def embedding_half() -> bytes:
    """Codes of the matrix that takes the embedding and leaves the hidden state: ones, with a scale of one, on its diagonal."""
    codes = np.zeros((HIDDEN, HIDDEN // 4), np.uint32)
    rows = np.arange(HIDDEN)
    codes[rows, rows // 8] = np.uint32(1) << (4 * (rows % 8)).astype(np.uint32)
    return codes.tobytes()


def write_weights(path: pathlib.Path, layers: int, is_right: bool):
    rng = np.random.default_rng(1)
    last_norm = phi3.LAST_NORM * np.ones(HIDDEN)
    with open(path, "wb") as file:
        file.write(phi3.safetensors_head(tensors(layers)))
        for name, kind, shape in tensors(layers):
            if name == "mtp.fc.weight":
                file.write(embedding_half())
            elif kind == "U32":
                file.write(rng.bytes(4 * math.prod(shape)))
            elif name.startswith("mtp.fc."):
                file.write(phi3.brain_floats(np.full(shape, float(name.endswith("scales")))).tobytes())
            elif name.endswith("scales"):
                scales = rng.choice([-1, 1], shape) * rng.integers(8, 11, shape) / 2048
                if any(part in name for part in ("o_proj", "out_proj", "down_proj")):
                    scales *= 0
                file.write(phi3.brain_floats(scales).tobytes())
            elif name.endswith("biases"):
                file.write(phi3.brain_floats(-8 * scales).tobytes())
            elif name in ("model.norm.weight", "mtp.norm.weight"):
                sign = 1 if is_right or name.startswith("model") else -1
                file.write(phi3.brain_floats(sign * last_norm).tobytes())
            elif "norm" in name:
                file.write(phi3.brain_floats(np.ones(shape)).tobytes())
            else:
                file.write(phi3.brain_floats(0.02 * rng.standard_normal(shape, np.float32)).tobytes())


def make(folder: pathlib.Path, layers: int, is_right: bool):
    if (folder / "model.safetensors").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"writing {folder} …", file=sys.stderr)
    (folder / "config.json").write_text(json.dumps(configuration(layers), indent=1))
    template = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    phi3.write_tokenizer(folder / "tokenizer.json", VOCABULARY)
    write_weights(folder / "model.safetensors.part", layers, is_right)
    os.rename(folder / "model.safetensors.part", folder / "model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--flags", default="", help="more flags for the server")
    arguments = parser.parse_args()
    differing = False
    for name in ("right", "wrong"):
        folder = arguments.folder / name
        make(folder, arguments.layers, name == "right")
        texts, results = set(), {"on": [], "off": []}
        for _ in range(arguments.runs):
            for head in results:
                flags = ["--draft-head", head, *arguments.flags.split()]
                text, figures = speculation.run(arguments.server, folder, "on", arguments.tokens, flags)
                texts.add(text)
                results[head].append(figures)
        print(f"a head that is always {name}:")
        for figure in results["on"][0]:
            medians = {key: statistics.median(run[figure] for run in runs) for key, runs in results.items()}
            ratio = f"   {medians['on'] / medians['off']:.2f} times" if medians["off"] else ""
            print(f"  {figure:22} with it {medians['on']:8.2f}   without {medians['off']:8.2f}{ratio}")
        differing = differing or len(texts) > 1
    print("ANSWERS DIFFER" if differing else "all answers equal")
    sys.exit(differing)


if __name__ == "__main__":
    main()
