#!/usr/bin/env python3
"""What models of Phi-3-mini's size compute, beside what transformers computes with the same weights.

usage: swift build -c release --product logits-probe
       python Benchmarks/exactness.py FOLDER [--shapes 4k 128k] [--form 4bit|bf16] [--modes MODE …]
           [--sequences N] [--length N] [--continue N] [--long N] [--bound X] [--threads N] [--without-bf16]

Writes models with random weights in the exact shapes of Phi-3-mini-4k and -128k (longrope, original length 4096) into
FOLDER, 2.15 GB each in MLX form of four bits, 7.6 GB in bfloat16, and keeps them. Each mode of ours (int8, int15, both with
the default KV type; int15-f16, int15-f32, with another; precise) gets the same random
sequences and continues each greedily. The reference is transformers' own model in float32 with the weights that the file
stands for; it holds one layer at a time, so that it needs less than 3 GB. It sees each sequence with its continuation at
once. Transformers in bfloat16, as it is usually run and with all layers in memory, is compared too. Prints for each:

  error      of a logit, relative to the largest logit of its position: the largest of all, and the mean of the positions'
             largest ones
  KL         the mean Kullback-Leibler divergence from the reference's probabilities, in nats
  agree      positions whose largest logit is the reference's
  far apart  the same among the positions where the reference's two largest logits differ by more than --bound of the
             largest
  continued  tokens of the greedy continuations that are the reference's choice too
  resident   memory of the process after the work, and at its largest

--long N takes one sequence of N tokens instead and compares its last 128 positions: more than 4096 for the factors for long
contexts of 128k, more than 2047 for the window of 4k. That is slow: minutes.

Needs `torch`, `transformers` and `numpy` from PyPI.
"""

import argparse
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import phi3
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

PROBE = pathlib.Path(__file__).resolve().parents[1] / ".build/release/logits-probe"
# Activations, with the KV type that is the default, or another.
MODES = {
    "int8": ["--activations", "int8"],
    "mixed": ["--activations", "mixed"],
    "mixed-f32": ["--activations", "mixed", "--kv-type", "f32"],
    "int15": ["--activations", "int15"],
    "int15-f16": ["--activations", "int15", "--kv-type", "f16"],
    "int15-f32": ["--activations", "int15", "--kv-type", "f32"],
    "precise": ["--precise"],
}
LONG_TAIL = 128


@dataclass
class Result:
    """One row of logits for each compared position, those of each sequence together; memory in bytes."""

    logits: list[np.ndarray]
    resident: int
    peak: int
    continuations: list[list[int]] | None = None


# MARK: Ours


def ours(folder: pathlib.Path, sequences: list[list[int]], mode: str, arguments, context: int, first: int) -> Result:
    command = [
        str(PROBE), str(folder), "--context", str(context), "--continue", str(arguments.continued), "--from", str(first),
        "--threads", str(arguments.threads), *MODES[mode]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    text = "".join(" ".join(map(str, sequence)) + "\n" for sequence in sequences)
    output = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, env=environment).stdout
    position, logits, continuations = 0, [], []

    def take(kind, count):
        nonlocal position
        values = np.frombuffer(output, kind, count, position)
        position += values.nbytes
        return values

    for _ in sequences:
        rows, size = take(np.int32, 2)
        logits.append(take(np.float32, rows * size).reshape(rows, size))
        continuations.append(take(np.int32, take(np.int32, 1)[0]).tolist())
    return Result(logits, *take(np.int64, 2).tolist(), continuations)


# MARK: Transformers


def load(module, path: str, weights: phi3.Weights, kind: torch.dtype):
    values = {name: torch.from_numpy(weights[f"{path}.{name}"]).to(kind) for name, _ in module.named_parameters()}
    module.load_state_dict(values, assign=True)


def transformers_model(folder: pathlib.Path, kind: torch.dtype, layered: bool):
    """Transformers' model; if `layered`, each part has its weights only while it runs."""
    configuration = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(configuration, dtype=kind).eval()
    model.model.rotary_emb = Phi3RotaryEmbedding(configuration)
    weights = phi3.Weights(folder)
    parts = {"model.embed_tokens": model.model.embed_tokens, "model.norm": model.model.norm, "lm_head": model.lm_head}
    parts |= {f"model.layers.{index}": layer for index, layer in enumerate(model.model.layers)}
    for path, part in parts.items():
        if layered:
            part.register_forward_pre_hook(lambda module, _, path=path: load(module, path, weights, kind))
            part.register_forward_hook(lambda module, *_: module.to("meta") and None)
        else:
            load(part, path, weights, kind)
    return model


def theirs(folder: pathlib.Path, sequences: list[list[int]], kept: int, kind: torch.dtype, layered: bool, threads: int):
    """The logits of the last `kept` positions of each sequence; all have the same length."""
    torch.set_num_threads(threads)
    with torch.inference_mode():
        model = transformers_model(folder, kind, layered)
        output = model(torch.tensor(sequences), use_cache=False, logits_to_keep=kept).logits.float().numpy()
    status = pathlib.Path("/proc/self/status").read_text()
    memory = [int(re.search(rf"{name}:\s+(\d+)", status)[1]) * 1024 for name in ("VmRSS", "VmHWM")]
    return Result(list(output), *memory)


def in_own_process(*arguments) -> Result:
    """`theirs`, where nothing else takes memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(theirs, arguments)


# MARK: The comparison


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, in float64."""
    logits = logits.astype(np.float64) - logits.max()
    return logits - np.log(np.exp(logits).sum())


def compare(name: str, result: Result, reference: list[np.ndarray], bound: float):
    errors, divergences, agreements, far = [], [], [], []
    for our_rows, their_rows in zip(result.logits, reference, strict=True):
        for row, expected in zip(our_rows, their_rows, strict=True):
            scale = np.abs(expected).max()
            errors.append(np.abs(row - expected).max() / scale)
            logarithms = probabilities(expected)
            divergences.append((np.exp(logarithms) * (logarithms - probabilities(row))).sum())
            agreements.append(row.argmax() == expected.argmax())
            second, first = np.partition(expected, -2)[-2:]
            far.append(first - second > bound * scale)
    agreements, far = np.array(agreements), np.array(far)
    continued = "–"
    if result.continuations is not None:
        tokens = [token for continuation in result.continuations for token in continuation]
        chosen = [
            token for continuation, rows in zip(result.continuations, reference)
            for token in rows[len(rows) - len(continuation):].argmax(axis=-1)]
        continued = f"{sum(a == b for a, b in zip(tokens, chosen))}/{len(tokens)}"
    print(
        f"| {name} | {max(errors):.1e} | {np.mean(errors):.1e} | {np.mean(divergences):.1e} "
        f"| {agreements.sum()}/{len(agreements)} | {agreements[far].sum()}/{far.sum()} | {continued} "
        f"| {result.resident / 1e9:.2f} | {result.peak / 1e9:.2f} |", flush=True)


def run(shape: str, arguments):
    folder = arguments.folder / f"{shape}-{arguments.form}"
    phi3.make(folder, shape, arguments.form)
    rng = np.random.default_rng(2)
    count, length = (1, arguments.long) if arguments.long else (arguments.sequences, arguments.length)
    sequences = rng.integers(3, phi3.VOCABULARY, (count, length)).tolist()
    first = max(0, length - LONG_TAIL) if arguments.long else 0
    kept = length - first + max(0, arguments.continued - 1)
    # Of longrope, the factors for short contexts unless the whole is longer than the original length.
    whole = length + arguments.continued
    context = whole if whole > 4096 else 4096
    results, texts = {}, {}
    for mode in arguments.modes:
        start = time.monotonic()
        results[mode] = ours(folder, sequences, mode, arguments, context, first)
        texts[mode] = [s + c[:-1] for s, c in zip(sequences, results[mode].continuations)]
        print(f"{shape} {mode}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    distinct = list({tuple(text): None for mode in arguments.modes for text in texts[mode]})
    start = time.monotonic()
    reference = in_own_process(folder, distinct, kept, torch.float32, True, arguments.threads)
    print(f"{shape} transformers float32: {time.monotonic() - start:.0f} s", file=sys.stderr)
    rows = dict(zip(distinct, reference.logits))
    print(f"\nPhi-3-mini-{shape}, {arguments.form}, {count} sequences of {length} tokens, {arguments.continued} continued\n")
    print(f"| | largest error | mean error | KL | agree | far apart ({arguments.bound:g}) | continued | resident GB | peak GB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for mode in arguments.modes:
        compare(f"ours, {mode}", results[mode], [rows[tuple(text)] for text in texts[mode]], arguments.bound)
    if not arguments.without_bf16:
        half = in_own_process(folder, distinct, kept, torch.bfloat16, False, arguments.threads)
        compare("transformers, bfloat16", half, list(rows.values()), arguments.bound)
    print(f"| transformers, float32 by layer | | | | | | | {reference.resident / 1e9:.2f} | {reference.peak / 1e9:.2f} |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shapes", nargs="+", choices=phi3.SHAPES, default=list(phi3.SHAPES))
    parser.add_argument("--form", choices=phi3.FORMS, default="4bit")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--sequences", type=int, default=2)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--continue", dest="continued", type=int, default=32)
    parser.add_argument("--long", type=int)
    parser.add_argument("--bound", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--without-bf16", action="store_true")
    arguments = parser.parse_args()
    for shape in arguments.shapes:
        run(shape, arguments)


if __name__ == "__main__":
    main()
