"""Makes the fixtures of floats of 8 bits with factors for squares, as DeepSeek's and Qwen's own files have them.

    python -m venv .venv && .venv/bin/pip install torch safetensors numpy
    .venv/bin/python Tests/InferenceTests/Scripts/make_float8_fixtures.py

`float8.safetensors` has every code in squares of random factors, and what torch makes of it in bfloat16. `qwen3-float8` is
the model of `qwen3-bf16` with its matrices so quantised; `decoded` in it has the same in bfloat16.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
BLOCK = 32


def squares(factors: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """The factor of each element."""
    return factors.repeat_interleave(BLOCK, 0)[:rows].repeat_interleave(BLOCK, 1)[:, :columns]


def decoded(codes: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    return (codes.float() * squares(factors, *codes.shape)).bfloat16()


def quantized(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rows, columns = matrix.shape
    factors = torch.stack([
        torch.stack([part.abs().max() / 448 for part in band.split(BLOCK, 1)]) for band in matrix.float().split(BLOCK)])
    return (matrix.float() / squares(factors, rows, columns)).to(torch.float8_e4m3fn), factors


def save(folder: Path, config: dict, tensors: dict):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    shutil.copy(FIXTURES / "qwen3-bf16/tokenizer.json", folder)
    save_file(tensors, folder / "model.safetensors")


def main():
    generator = torch.Generator().manual_seed(8)
    codes = torch.randint(0, 256, (70, 100), generator=generator, dtype=torch.uint8)
    codes.view(-1)[:256] = torch.arange(256)
    codes = codes.view(torch.float8_e4m3fn)
    factors = torch.rand(3, 4, generator=generator) * 10 ** torch.randint(-6, 3, (3, 4), generator=generator)
    # Of the first square, and so of many codes, the values as they are.
    factors[0, 0] = 1
    save_file(
        {"weight": codes, "weight_scale_inv": factors, "expected": decoded(codes, factors)},
        FIXTURES / "float8.safetensors")

    source = FIXTURES / "qwen3-bf16"
    config = json.loads((source / "config.json").read_text())
    small, plain = {}, {}
    for name, tensor in load_file(source / "model.safetensors").items():
        small[name] = plain[name] = tensor
        if tensor.dim() == 2 and ".layers." in name:
            small[name], small[f"{name}_scale_inv"] = quantized(tensor)
            plain[name] = decoded(small[name], small[f"{name}_scale_inv"])
    form = {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "weight_block_size": [BLOCK, BLOCK]}
    save(FIXTURES / "qwen3-float8", config | {"quantization_config": form}, small)
    save(FIXTURES / "qwen3-float8/decoded", config, plain)


main()
