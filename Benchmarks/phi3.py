"""Models with random weights in the exact shapes of Phi-3-mini, for measurements at full size.

The weights are of no use, but arithmetic and memory do not depend on them. Those of four bits are multiples of their
scale, of which only the upper four bits count, so that bfloat16 holds every one of them exactly. Random matrices give
logits that hardly differ; the last norm is four times as large as a usual one, so that the logits have a deviation of
about four, and the two largest are as far apart as those of a trained model.

Needs `numpy` from PyPI.
"""

import json
import math
import os
import pathlib
import sys

import numpy as np

LAYERS, HIDDEN, INTERMEDIATE, VOCABULARY, PAIRS, BITS, GROUP = 32, 3072, 8192, 32064, 48, 4, 64
LAST_NORM = 4
FORMS = ("4bit", "bf16")
BUILTIN = pathlib.Path(__file__).resolve().parents[1] / "Sources" / "BuiltinModel" / "model" / "tokenizer.json"
COMMON = {
    "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS, "num_attention_heads": 32, "num_key_value_heads": 32, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "vocab_size": VOCABULARY, "original_max_position_embeddings": 4096,
    "tie_word_embeddings": False, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 32000, "pad_token_id": 32000,
}
SHAPES = {
    "4k": COMMON | {"max_position_embeddings": 4096, "sliding_window": 2047, "rope_scaling": None},
    "128k": COMMON | {
        "max_position_embeddings": 131072, "sliding_window": 262144,
        "rope_scaling": {
            "type": "longrope", "short_factor": [1 + pair / PAIRS for pair in range(PAIRS)],
            "long_factor": [64 ** (pair / (PAIRS - 1)) for pair in range(PAIRS)]}},
}


def matrices():
    """Name, rows and columns of each matrix, in the order of the file."""
    yield "model.embed_tokens", VOCABULARY, HIDDEN
    yield "lm_head", VOCABULARY, HIDDEN
    for layer in range(LAYERS):
        path = f"model.layers.{layer}"
        yield f"{path}.self_attn.qkv_proj", 3 * HIDDEN, HIDDEN
        yield f"{path}.self_attn.o_proj", HIDDEN, HIDDEN
        yield f"{path}.mlp.gate_up_proj", 2 * INTERMEDIATE, HIDDEN
        yield f"{path}.mlp.down_proj", HIDDEN, INTERMEDIATE


def norms():
    for layer in range(LAYERS):
        yield f"model.layers.{layer}.input_layernorm"
        yield f"model.layers.{layer}.post_attention_layernorm"
    yield "model.norm"


def tensors(form: str):
    """Names, types and shapes of all tensors, in the order of the file."""
    for path, rows, columns in matrices():
        if form == "bf16":
            yield f"{path}.weight", "BF16", [rows, columns]
            continue
        yield f"{path}.weight", "U32", [rows, columns * BITS // 32]
        yield f"{path}.scales", "BF16", [rows, columns // GROUP]
        yield f"{path}.biases", "BF16", [rows, columns // GROUP]
    for path in norms():
        yield f"{path}.weight", "BF16", [HIDDEN]


# MARK: Writing


def brain_floats(values) -> np.ndarray:
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def safetensors_head(tensors) -> bytes:
    """What stands in a file before the contents of tensors, each a name, a kind and a shape."""
    header, offset = {}, 0
    for name, kind, shape in tensors:
        size = {"U32": 4, "BF16": 2}[kind] * math.prod(shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write_weights(path: pathlib.Path, form: str, repeats: bool):
    rng = np.random.default_rng(1)
    with open(path, "wb") as file:
        file.write(safetensors_head(tensors(form)))
        for name, kind, shape in tensors(form):
            if kind == "U32":
                file.write(rng.bytes(4 * shape[0] * shape[1]))
            elif name.endswith("scales"):
                # Of either sign, so that the values have a deviation of 0.02.
                scales = rng.choice([-1, 1], shape) * rng.integers(8, 11, shape) / 2048
                if repeats and ("o_proj" in name or "down_proj" in name):
                    scales *= 0
                file.write(brain_floats(scales).tobytes())
            elif name.endswith("biases"):
                # Codes are 0 to 15: 8 scales less puts them about zero.
                file.write(brain_floats(-8 * scales).tobytes())
            elif "norm" in name:
                values = rng.uniform(0.75, 1.25, shape) * (LAST_NORM if name == "model.norm.weight" else 1)
                file.write(brain_floats(values).tobytes())
            else:
                file.write(brain_floats(0.02 * rng.standard_normal(shape, np.float32)).tobytes())


def write_tokenizer(path: pathlib.Path, size: int = VOCABULARY):
    """The built-in model's, with as many more tokens as the vocabulary has."""
    tokenizer = json.loads(BUILTIN.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    for number in range(len(vocabulary), size):
        vocabulary[f"filler{number}"] = number
    path.write_text(json.dumps(tokenizer))


def make(folder: pathlib.Path, shape: str = "4k", form: str = "4bit", repeats: bool = False):
    """Writes a model (2.15 GB in four bits, 7.6 GB in bfloat16) into a folder unless it is there.

    With `repeats` (four bits only) its layers add nothing to what they are given, though they are computed like any
    others: each token depends on the one before alone, so that a greedy answer must come back to one it had, and goes
    round in a circle from there.
    """
    if (folder / "model.safetensors").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"writing {folder} …", file=sys.stderr)
    quantization = {"quantization": {"group_size": GROUP, "bits": BITS, "mode": "affine"}} if form == "4bit" else {}
    (folder / "config.json").write_text(json.dumps(SHAPES[shape] | quantization, indent=1))
    write_tokenizer(folder / "tokenizer.json")
    write_weights(folder / "model.safetensors.part", form, repeats)
    os.rename(folder / "model.safetensors.part", folder / "model.safetensors")


# MARK: Reading


class Weights:
    """The values of a model's tensors as float32, by the names of the Hugging Face form, read as they are asked for."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "model.safetensors"
        with open(self.path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            self.header, self.start = json.loads(file.read(size)), 8 + size

    def _read(self, name: str) -> np.ndarray:
        entry = self.header[name]
        first, last = entry["data_offsets"]
        kind = {"U32": "<u4", "BF16": "<u2"}[entry["dtype"]]
        values = np.fromfile(self.path, kind, (last - first) // np.dtype(kind).itemsize, offset=self.start + first)
        values = values.reshape(entry["shape"])
        return values if kind == "<u4" else (values.astype(np.uint32) << 16).view(np.float32)

    def __getitem__(self, name: str) -> np.ndarray:
        values = self._read(name)
        path = name.removesuffix(".weight")
        if values.dtype == np.float32:
            return values
        rows = values.shape[0]
        # Two values a byte, the first in its lower bits.
        pairs = values.view(np.uint8)
        groups = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(rows, -1, GROUP).astype(np.float32)
        groups *= self._read(f"{path}.scales")[:, :, None]
        groups += self._read(f"{path}.biases")[:, :, None]
        return groups.reshape(rows, -1)

    def names(self):
        return [f"{path}.weight" for path, _, _ in matrices()] + [f"{path}.weight" for path in norms()]
