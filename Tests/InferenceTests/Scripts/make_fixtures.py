"""Makes the fixtures of InferenceTests: tiny random Phi-3 models, and what `transformers` computes with them.

    python -m venv .venv && .venv/bin/pip install torch transformers safetensors numpy
    .venv/bin/python Tests/InferenceTests/Scripts/make_fixtures.py

Three folders in MLX form come from the same weights: float32, 8-bit in groups of 64, and 4-bit in groups of 32. Each holds
`reference.safetensors`: a prompt's logits and the greedy tokens after it, computed in float32 with the weights that the
folder stands for (the quantised ones dequantised).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import Phi3Config, Phi3ForCausalLM

FIXTURES = Path(__file__).parent.parent / "Fixtures"
CONFIGURATION = {
    "model_type": "phi3",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 200,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
    "bos_token_id": 1,
    "eos_token_id": [199],
    "pad_token_id": 0,
}
PROMPT_LENGTH, ANSWER_LENGTH = 40, 64


def quantize(w: np.ndarray, bits: int, group: int):
    """MLX affine form: packed values, scales and biases (float16), and the matrix that they stand for."""
    rows, columns = w.shape
    groups = w.reshape(rows, columns // group, group).astype(np.float32)
    low, high = groups.min(axis=2, keepdims=True), groups.max(axis=2, keepdims=True)
    # As MLX does, the end that is farther from zero becomes the bias: scales are negative in about half of the groups.
    from_low = np.abs(low) > np.abs(high)
    scale = np.maximum((high - low) / (2**bits - 1), 1e-7)
    scale = np.where(from_low, scale, -scale).astype(np.float16)
    bias = np.where(from_low, low, high).astype(np.float16)
    q = np.rint((groups - bias.astype(np.float32)) / scale.astype(np.float32))
    q = np.clip(q, 0, 2**bits - 1).astype(np.uint32)
    restored = scale.astype(np.float32) * q.astype(np.float32) + bias.astype(np.float32)
    words = q.reshape(rows, columns * bits // 32, 32 // bits)
    packed = np.zeros(words.shape[:2], np.uint32)
    for i in range(32 // bits):
        packed |= words[:, :, i] << np.uint32(i * bits)
    return packed, scale[:, :, 0], bias[:, :, 0], restored.reshape(rows, columns)


def reference(weights: dict[str, np.ndarray], prompt: list[int], window) -> dict[str, np.ndarray]:
    configuration = Phi3Config(
        **{k: v for k, v in CONFIGURATION.items() if k not in ("model_type", "rope_scaling", "sliding_window")},
        sliding_window=window, attn_implementation="eager")
    model = Phi3ForCausalLM(configuration).float().eval()
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    tokens = list(prompt)
    with torch.no_grad():
        logits = model(torch.tensor([prompt]), use_cache=False).logits[0].numpy()
        for _ in range(ANSWER_LENGTH):
            tokens.append(int(model(torch.tensor([tokens]), use_cache=False).logits[0, -1].argmax()))
    return {
        "prompt": np.array(prompt, np.uint32),
        "logits": np.ascontiguousarray(logits, np.float32),
        "answer": np.array(tokens[len(prompt):], np.uint32),
    }


def write(folder: str, weights, restored, prompt, quantization=None, window=None):
    path = FIXTURES / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    configuration = dict(CONFIGURATION, sliding_window=window)
    if quantization:
        configuration["quantization"] = dict(quantization, mode="affine")
    (path / "config.json").write_text(json.dumps(configuration, indent=1) + "\n")
    (path / "generation_config.json").write_text('{"eos_token_id": [198, 199]}\n')
    (path / "tokenizer.json").write_text('{"model": {"type": "BPE", "vocab": {}, "merges": []}}\n')
    if weights is not None:
        save_file(weights, path / "model.safetensors")
    save_file(reference(restored, prompt, window), path / "reference.safetensors")


def main():
    rng = np.random.default_rng(7)
    configuration = Phi3Config(**{k: v for k, v in CONFIGURATION.items() if k not in ("model_type", "rope_scaling")})
    shapes = {name: tuple(value.shape) for name, value in Phi3ForCausalLM(configuration).state_dict().items()}
    weights = {}
    for name, shape in sorted(shapes.items()):
        # Large enough that attention is not flat and the logits are far apart.
        values = 1 + 0.2 * rng.standard_normal(shape) if len(shape) == 1 else 0.18 * rng.standard_normal(shape)
        weights[name] = values.astype(np.float32)
    prompt = [int(t) for t in rng.integers(2, 198, PROMPT_LENGTH)]
    write("phi3-float32", weights, weights, prompt)
    # The same weights with a window that is shorter than the prompt; the test takes them from phi3-float32.
    write("phi3-window", None, weights, prompt, window=19)
    for bits, group in [(8, 64), (4, 32)]:
        stored, restored = {}, {}
        for name, value in weights.items():
            if value.ndim == 1:
                stored[name] = restored[name] = value
                continue
            base = name.removesuffix(".weight")
            stored[name], stored[base + ".scales"], stored[base + ".biases"], restored[name] = quantize(
                value, bits, group)
        write(f"phi3-{bits}bit", stored, restored, prompt, {"group_size": group, "bits": bits})


if __name__ == "__main__":
    main()
