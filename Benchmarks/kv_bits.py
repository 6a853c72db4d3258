#!/usr/bin/env python3
"""What keys and values of fewer bits would cost a real model, emulated in transformers.

usage: python Benchmarks/kv_bits.py MODEL.gguf [--sequences N] [--length N] [--threads N]

MODEL.gguf is a model of the Llama architecture, such as the one that real_model.py takes, whose text and columns these are too.
Keys and queries go through a Hadamard transform, as in our cache; values do where the row says so, and the sums of them back.
Each group of numbers has a scale in float16 and, where the row says so, an offset. All else is float32.

Needs `torch`, `transformers`, `gguf`, `accelerate` and `numpy` from PyPI.
"""

import dataclasses

import torch
import transformers.models.llama.modeling_llama as llama
from real_model import compare, load, parser, reference


@dataclasses.dataclass(frozen=True)
class Form:
    """Numbers of so many bits, with a scale for each group and perhaps an offset."""

    bits: int
    group: int
    has_offset: bool = False

    @property
    def stored_bits(self) -> float:
        return self.bits + 16 * (1 + self.has_offset) / self.group

    def rounded(self, x: torch.Tensor) -> torch.Tensor:
        groups = x.unflatten(-1, (-1, self.group))
        least, largest = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
        if self.has_offset:
            low, high, offset = 0, 2**self.bits - 1, least.half().float()
            scale = (largest - least) / high
        elif self.bits == 4:
            # As Q4_0: the number that is farthest from zero has the code that only one sign has.
            low, high, offset = -8, 7, 0
            scale = torch.where(largest > -least, largest, least) / low
        else:
            high = 2**(self.bits - 1) - 1
            low, offset = -high, 0
            scale = torch.maximum(largest, -least) / high
        scale = scale.half().float()
        scale = torch.where(scale == 0, torch.ones_like(scale), scale)
        return (((groups - offset) / scale).round().clamp(low, high) * scale + offset).flatten(-2)


@dataclasses.dataclass(frozen=True)
class Cache:
    name: str
    keys: Form
    values: Form
    transforms_values: bool = False

    @property
    def title(self) -> str:
        bits = (self.keys.stored_bits + self.values.stored_bits) / 2
        return f"{self.name}; {bits:.2f} bits a number"


EIGHT, SIX, FOUR = Form(8, 64), Form(6, 64), Form(4, 32)
CACHES = [
    Cache("8 bits", EIGHT, EIGHT),
    Cache("6 bits", SIX, SIX),
    Cache("4 bits", FOUR, FOUR),
    Cache("4 bits, values transformed", FOUR, FOUR, True),
    Cache("4 bits with offsets, values transformed", Form(4, 32, True), Form(4, 32, True), True),
    Cache("keys 5 bits with offsets, values 4, transformed", Form(5, 32, True), FOUR, True),
    Cache("keys 6 bits, values 4, transformed", SIX, FOUR, True),
    Cache("keys 8 bits, values 4, transformed", EIGHT, FOUR, True),
]


def hadamard(size: int) -> torch.Tensor:
    """Normalised; a size that is no power of two is divided into blocks, as in our kernels."""
    block = torch.ones(1, 1)
    while size % (2 * len(block)) == 0:
        block = torch.cat([torch.cat([block, block], 1), torch.cat([block, -block], 1)])
    return torch.block_diag(*[block / len(block)**0.5] * (size // len(block)))


def install(cache: Cache):
    """Has attention round keys and values as the cache would."""
    plain = llama.eager_attention_forward

    def attend(module, query, key, value, *rest, **more):
        transform = hadamard(key.shape[-1])
        key = cache.keys.rounded(key @ transform)
        value = cache.values.rounded(value @ transform if cache.transforms_values else value)
        out, weights = plain(module, query @ transform, key, value, *rest, **more)
        return out @ transform.T if cache.transforms_values else out, weights

    llama.eager_attention_forward = attend
    return plain


def main():
    model, sequences, expected = load(parser(__doc__, 4).parse_args(), attn_implementation="eager")
    print("| keys and values | KL divergence | same most probable token | perplexity |\n|---|---|---|---|")
    for cache in CACHES:
        plain = install(cache)
        compare(cache.title, reference(model, sequences), expected, sequences)
        llama.eager_attention_forward = plain


if __name__ == "__main__":
    main()
