#!/usr/bin/env python3
"""Starts the server with a model in the shape of a published one of each architecture, asks it, and tells what memory it holds.

usage: full_size.py FOLDER [NAME …] [--bytes N] [--server PATH] [--keep]

Writes the models into FOLDER, one at a time, with random weights in MLX form of 4 bits and the layout that MLX gives each
architecture: as many of the first layers as fit --bytes, but at least one of each kind. What the server holds must stay below
the file, the KV memory and 300 MB. Prints a table; exits with 1 where a model fails.

  --bytes N       of a model's file (default 5,100,000,000)
  --keep          leaves the models in FOLDER
  --check         only compares the configurations' parameters with what the models are said to have

Python needs: pip install torch transformers numpy safetensors
"""

import argparse
import json
import math
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Benchmarks" / "compare"))
sys.path.insert(0, str(ROOT / "Tests" / "InferenceTests" / "Scripts"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

import phi3  # noqa: E402
import serving  # noqa: E402
from client import Failure  # noqa: E402
from full_size_models import MODELS, Model  # noqa: E402
from make_architecture_fixtures import mlx_layout, tagged  # noqa: E402

BITS, GROUP = 4, 64
# Of the question, each some three tokens of the built-in model's vocabulary.
WORDS = 120
LAYER = re.compile(r"\blayers\.(\d+)\.(.*)")
# Weights that are made anew; more of a tensor are the same again.
FRESH = 1 << 24
SIZES = {torch.uint32: ("U32", 4), torch.bfloat16: ("BF16", 2)}


def cut(fields: dict, layers: int) -> dict:
    """The first layers of a model: what is said of each layer is said of as many."""
    count = layers_of(fields)

    def part(value):
        return value[:layers] if isinstance(value, (list, str)) and len(value) == count else value

    return {name: part(value) for name, value in fields.items()} | {"num_hidden_layers": layers}


def configuration(fields: dict) -> dict:
    """As `config.json` has it."""
    return fields | AutoConfig.for_model(**fields).to_dict() | {"num_hidden_layers": layers_of(fields)}


def layers_of(fields: dict) -> int:
    return AutoConfig.for_model(**fields).num_hidden_layers


def weights(fields: dict) -> dict[str, torch.Tensor]:
    """Names and shapes, without values."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**fields))
    tied = getattr(model.config, "tie_word_embeddings", False)
    return {name: value for name, value in model.state_dict().items() if not (tied and name == "lm_head.weight")}


def packed(value: torch.Tensor, bits: int, group: int) -> list[torch.Tensor]:
    """What MLX makes of a matrix, without values."""
    *rows, columns = value.shape
    words = torch.empty(*rows, columns * bits // 32, dtype=torch.uint32, device="meta")
    factors = torch.empty(*rows, columns // group, dtype=torch.bfloat16, device="meta")
    return [words, factors, factors, value]


def layout(fields: dict):
    """Names and shapes of a folder in MLX form, and how `config.json` tells that form."""
    given = weights(fields)
    tensors, _, exceptions = mlx_layout(given, BITS, GROUP, configuration(fields), packed)
    return tensors, {"group_size": GROUP, "bits": BITS, "mode": "affine"} | exceptions


def size(tensor: torch.Tensor) -> int:
    return SIZES[tensor.dtype][1] * tensor.numel()


def fitting_layers(fields: dict, limit: int) -> tuple[int, int]:
    """How many layers are written, and how many there are."""
    total, layers, rest = layers_of(fields), {}, 0
    for name, tensor in layout(fields)[0].items():
        if found := LAYER.search(name):
            parts = layers.setdefault(int(found.group(1)), {})
            parts[found.group(2)] = size(tensor)
        else:
            rest += size(tensor)
    kinds = {frozenset(parts) for parts in layers.values()}
    seen, count = set(), 0
    for index in range(total):
        rest += sum(layers[index].values())
        if rest > limit and seen == kinds:
            break
        seen.add(frozenset(layers[index]))
        count = index + 1
    return count, total


# MARK: Writing


def values(random: np.random.Generator, name: str, tensors: dict[str, torch.Tensor]) -> np.ndarray:
    """Of a tensor, or of its beginning where it is long: matrices with a deviation of 0.02, vectors about 1."""
    tensor = tensors[name]
    count = min(tensor.numel(), FRESH)
    if tensor.dtype == torch.uint32:
        return random.integers(0, 1 << 32, count, np.uint32)
    path, _, suffix = name.rpartition(".")
    if suffix in ("scales", "biases") and f"{path}.scales" in tensors:
        bits = 32 * tensors[f"{path}.weight"].shape[-1] // (GROUP * tensor.shape[-1])
        scale = 0.02 * 12**0.5 / 2**bits
        return phi3.brain_floats(np.full(count, scale if suffix == "scales" else -scale * 2 ** (bits - 1)))
    if tensor.ndim == 1:
        return phi3.brain_floats(random.uniform(0.9, 1.1, count))
    return phi3.brain_floats(0.02 * random.standard_normal(count, np.float32))


def write(folder: pathlib.Path, model: Model, layers: int):
    fields = cut(model.fields, layers)
    tensors, quantization = layout(fields)
    whole = configuration(fields)
    prefix = ""
    if model.around:
        whole, prefix = {"model_type": model.around, "text_config": whole}, "language_model."
    tensors = {prefix + name: tensor for name, tensor in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(tagged(whole | {"quantization": quantization})))
    phi3.write_tokenizer(folder / "tokenizer.json", configuration(fields)["vocab_size"])
    random = np.random.default_rng(1)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(phi3.safetensors_head(
            (name, SIZES[tensor.dtype][0], list(tensor.shape)) for name, tensor in tensors.items()))
        for name, tensor in tensors.items():
            fresh, left = values(random, name, tensors), tensor.numel()
            while left > 0:
                file.write(fresh[:left].tobytes())
                left -= len(fresh)


# MARK: Running


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--bytes", type=int, default=5_100_000_000)
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / ".build" / "release" / "pensieve")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_intermixed_args()
    if unknown := set(options.names) - set(MODELS):
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(MODELS)}")
    return options


def check(name: str, model: Model) -> float:
    """Billions of parameters."""
    count = sum(math.prod(value.shape) for value in weights(model.fields).values()) / 1e9
    if abs(count - model.billions) > model.billions / 20:
        raise Failure(f"{name}: {count:.2f} billion parameters, where {model.title} has {model.billions}")
    return count


def row(name: str, model: Model, options: argparse.Namespace) -> str:
    count, (layers, total) = check(name, model), fitting_layers(model.fields, options.bytes)
    if options.check:
        return f"| {model.title} | {count:.2f} billion | {layers} of {total} |"
    folder = options.folder / name
    print(f"{name}: {layers} of {total} layers …", file=sys.stderr, flush=True)
    try:
        write(folder, model, layers)
        served = serving.serve(options.server, folder, options.folder / f"{name}.log", WORDS)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    kind = model.around or model.fields["model_type"]
    return (
        f"| {model.title} | `{kind}` | {layers} of {total} | {served.file / 1e6:,.0f} MB | "
        f"{served.resident / 1e6:,.0f} MB |")


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    for name in options.names or list(MODELS):
        try:
            print(row(name, MODELS[name], options), flush=True)
        except Failure as failure:
            failures += 1
            print(f"{name}: {failure}", file=sys.stderr, flush=True)
    sys.exit(1 if failures else 0)


main()
