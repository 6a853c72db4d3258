#!/usr/bin/env python3
"""What it costs a real model if the inputs of its matrices have 8 bits, and 15 where they stand out, by part; emulated.

usage: python Benchmarks/input_bits.py MODEL.gguf [--sequences N] [--length N] [--threads N]

MODEL.gguf is a model of the Llama architecture, such as the one that real_model.py takes, whose text and columns these are too.
One part's inputs are rounded in groups of 32, as by `--activations mixed`: a group has 15 bits if the square of its largest
input is above the bound times the mean square of the token's row. All else is float32. Then how many groups stand out, and in
how many groups of eight tokens in a row one of them does: so often the kernels compute a second plane.

Needs `torch`, `transformers`, `gguf`, `accelerate` and `numpy` from PyPI.
"""

import math

import torch
from real_model import compare, load, parser, reference

GROUP, TILE = 32, 8
BOUNDS = [40, 100, math.inf]
PARTS = {
    "q, k, v": ("q_proj", "k_proj", "v_proj"), "attention's output": ("o_proj",), "gate and up": ("gate_proj", "up_proj"),
    "down": ("down_proj",), "head": ("lm_head",)}


class Rounding:
    """Rounds the inputs of some matrices, and counts the groups that stand out."""

    def __init__(self, model, names: tuple[str, ...], bound: float):
        self.bound, self.groups, self.tiles = bound, [], []
        self.hooks = [
            module.register_forward_pre_hook(lambda _, inputs: (self.rounded(inputs[0]),))
            for name, module in model.named_modules() if name.split(".")[-1] in names]

    def rounded(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.flatten(0, -2)
        groups = rows.unflatten(-1, (-1, GROUP))
        largest = groups.abs().amax(-1, keepdim=True)
        stands_out = largest**2 > self.bound * (rows**2).mean(-1)[:, None, None]
        step = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
        step = torch.where(stands_out, step / 128, step)
        tiles = stands_out[:len(rows) // TILE * TILE].unflatten(0, (-1, TILE)).any(1)
        self.groups.append(stands_out.float().mean().item())
        self.tiles.append(tiles.float().mean().item())
        return ((groups / step).round() * step).view_as(x)

    def remove(self):
        for hook in self.hooks:
            hook.remove()


def main():
    model, sequences, expected = load(parser(__doc__, 4).parse_args())
    print("| part, bound; groups that stand out, and of eight tokens | KL divergence | same most probable token | perplexity |")
    print("|---|---|---|---|")
    for part, names in PARTS.items():
        for bound in BOUNDS:
            rounding = Rounding(model, names, bound)
            rows = reference(model, sequences)
            rounding.remove()
            shares = [100 * sum(found) / len(found) for found in (rounding.groups, rounding.tiles)]
            compare(f"{part}, {bound:g}; {shares[0]:.1f} %, {shares[1]:.1f} %", rows, expected, sequences)


if __name__ == "__main__":
    main()
