"""Makes a fixture for each architecture and form of weights: tiny random models, and what `transformers` computes with them.

    python -m venv .venv && .venv/bin/pip install torch transformers safetensors numpy
    .venv/bin/python Tests/InferenceTests/Scripts/make_architecture_fixtures.py [NAME …]

Each model has what makes its architecture special switched on, and its sequence is longer than its window and than the
original length of its rotary scaling. The same weights come as BF16 (in the hub's layout), and in MLX form of 8 and of 4
bits. A folder's `reference.safetensors` is computed in float32 with the weights that the folder stands for:

    prompt    tokens
    answer    the greedy tokens after it
    logits    one row for each token of the answer: what it was chosen by
    short, short_logits    a prompt within the original length of `longrope`, and the logits after each token of it

`rotary.json` has the frequencies of configurations of every kind of scaling.
"""

import json
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from architecture_models import MODELS
from make_fixtures import FIXTURES, quantize

PROMPT_LENGTH, ANSWER_LENGTH, SHORT_LENGTH = 48, 64, 30
# Relative to the largest logit: the tests' bound is a tenth of it.
SMALLEST_GAP = 1e-3


def make_model(fields: dict):
    fields = json.loads(json.dumps(fields))
    scaling = fields.get("rope_scaling")
    if scaling and scaling.get("type") == "su":
        scaling["type"] = "longrope"  # as its files have been renamed since
    configuration = AutoConfig.for_model(**fields)
    return AutoModelForCausalLM.from_config(configuration, attn_implementation="eager").float().eval()


def random_weights(model, seed: int) -> dict[str, torch.Tensor]:
    """Values that BF16 holds, large enough that attention is not flat and the logits are far apart."""
    generator = torch.Generator().manual_seed(seed)
    relative = model.config.model_type.startswith(("gemma2", "gemma3"))
    gemma = model.config.model_type.startswith("gemma")
    delta_nets = hasattr(model.config, "linear_num_value_heads")
    weights = {}
    for name, value in sorted(model.state_dict().items()):
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        values = torch.randn(value.shape, generator=generator)
        if name.endswith((".bias", "correction_bias", "expert_bias")):
            values = 0.2 * values
        elif name.endswith(".A_log"):
            values = values - 3  # states that last
        elif delta_nets and value.ndim == 1 and not name.endswith(("linear_attn.norm.weight", ".dt_bias")):
            values = 0.2 * values
        elif value.ndim == 1:
            values = 0.2 * values + (0 if relative else 1)
        else:
            values = 1.3 * value.shape[-1] ** -0.5 * values
        if gemma and name == "model.norm.weight":
            values = 5 * (values - (0 if relative else 1)) - (1 if relative else 0)
            # both signs, or each token would be followed by itself
        if gemma and name == "model.embed_tokens.weight":
            values = values / 4
        if model.config.model_type == "olmo2" and name == "model.embed_tokens.weight":
            values = 8 * values  # without norms before them, its blocks would see little but their biases
        if name.endswith("router.scale"):
            values = 5 * values  # experts far from ties
        weights[name] = values.bfloat16().float()
    return weights


def logits_of(model, tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0]


def reference(model, weights: dict[str, torch.Tensor], prompt: list[int]):
    """The arrays of a reference, and the smallest gap between the two largest logits."""
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"} | {n for n, _ in model.named_buffers()}, missing
    model.tie_weights()
    tokens = list(prompt)
    for _ in range(ANSWER_LENGTH):
        tokens.append(int(logits_of(model, tokens)[-1].argmax()))
    rows = logits_of(model, tokens[:-1])[-ANSWER_LENGTH:]
    top = rows.topk(2).values
    gap = float(((top[:, 0] - top[:, 1]) / rows.abs().max(dim=1).values).min())
    arrays = {
        "prompt": torch.tensor(prompt, dtype=torch.uint32),
        "answer": torch.tensor(tokens[len(prompt):], dtype=torch.uint32),
        "logits": rows.contiguous(),
    }
    if (getattr(model.config, "rope_parameters", None) or {}).get("rope_type") == "longrope":
        arrays["short"] = torch.tensor(prompt[:SHORT_LENGTH], dtype=torch.uint32)
        arrays["short_logits"] = logits_of(model, prompt[:SHORT_LENGTH]).contiguous()
    return arrays, gap


def hub_layout(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Experts each by itself, as checkpoints on the hub have them, but for Gemma's and gpt-oss's, which are stacks there, too."""
    stored = {}
    for name, value in weights.items():
        if is_gpt_oss(weights):
            stored[name] = value
        elif ".block_sparse_moe." in name:
            stored[granite_name(name)] = value
        elif ".mixer.experts." in name:
            for index, expert in enumerate(value):
                base, part = name.split(".experts.")
                stored[f"{base}.experts.{index}.{part}.weight"] = expert
        elif name.endswith(".feed_forward.experts.gate_up_proj"):
            for index, expert in enumerate(value):
                base = name.removesuffix("gate_up_proj") + str(index)
                stored[f"{base}.w1.weight"], stored[f"{base}.w3.weight"] = expert.chunk(2)
        elif name.endswith(".feed_forward.experts.down_proj"):
            for index, expert in enumerate(value):
                stored[f"{name.removesuffix('down_proj')}{index}.w2.weight"] = expert
        elif name.endswith(".mlp.experts.gate_up_proj"):
            for index, expert in enumerate(value):
                gate, up = expert.chunk(2)
                base = name.removesuffix("gate_up_proj") + str(index)
                stored[f"{base}.gate_proj.weight"], stored[f"{base}.up_proj.weight"] = gate, up
        elif name.endswith(".mlp.experts.down_proj"):
            for index, expert in enumerate(value):
                stored[f"{name.removesuffix('down_proj')}{index}.down_proj.weight"] = expert
        else:
            stored[name] = value
    return {own_name(name): value.bfloat16().contiguous() for name, value in stored.items()}


def own_name(name: str) -> str:
    """Nemotron's layers are in a backbone, on the hub and in MLX."""
    is_nemotron = ".mixer." in name or name.endswith((".embeddings.weight", ".norm_f.weight")) or (
        name.startswith("model.layers.") and name.endswith(".norm.weight") and name.count(".") == 4)
    return name.replace("model.", "backbone.", 1) if is_nemotron else name


def granite_name(name: str) -> str:
    """Stacks of all experts, as the hub has them."""
    for part, own in [("experts.gate_up_proj", "input_linear.weight"), ("experts.down_proj", "output_linear.weight"),
                      ("router.weight", "router.layer.weight")]:
        name = name.replace(f".block_sparse_moe.{part}", f".block_sparse_moe.{own}")
    return name


def is_gpt_oss(weights: dict[str, torch.Tensor]) -> bool:
    return any(name.endswith(".sinks") for name in weights)


def gate_and_up(stack: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a stack of gpt-oss: [experts, inputs, outputs], a gate and an up in turn, as [experts, outputs, inputs]."""
    outputs = stack.transpose(1, 2)
    return outputs[:, ::2], outputs[:, 1::2]


def in_turn(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """The other way round."""
    return torch.stack([gate, up], dim=2).reshape(gate.shape[0], -1, gate.shape[2]).transpose(1, 2).contiguous()


def float4(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """MXFP4 of rows: codes, two in a byte, in groups of 16 bytes; exponents; and the values that they stand for."""
    grid = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    groups = value.reshape(*value.shape[:-1], -1, 32)
    exponents = (groups.abs().amax(dim=-1, keepdim=True).log2().floor() - 2).clamp(-126, 127)
    scaled = groups / 2**exponents
    sizes = (scaled.abs().unsqueeze(-1) - grid).abs().argmin(dim=-1)
    codes = (sizes + 8 * (scaled < 0)).to(torch.uint8)
    packed = codes[..., ::2] | codes[..., 1::2] << 4
    meant = torch.where(scaled < 0, -1, 1) * grid[sizes] * 2**exponents
    return packed.contiguous(), (exponents[..., 0] + 127).to(torch.uint8), meant.reshape(value.shape)


def float4_layout(weights: dict[str, torch.Tensor]):
    """The tensors of gpt-oss as OpenAI has them, and the weights that they stand for."""
    stored, restored = {}, {}
    for name, value in weights.items():
        if name.endswith((".experts.gate_up_proj", ".experts.down_proj")):
            blocks, scales, meant = float4(value.transpose(1, 2))
            stored[f"{name}_blocks"], stored[f"{name}_scales"] = blocks, scales
            restored[name] = meant.transpose(1, 2).contiguous()
        else:
            stored[name], restored[name] = value.bfloat16(), value
    return stored, restored


def head_parts(value: torch.Tensor, fields: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """The matrices of each head for keys, transposed, and for values, that `kv_b_proj` has one below the other."""
    plain, size = fields["qk_nope_head_dim"], fields["v_head_dim"]
    heads = value.view(-1, plain + size, value.shape[-1])
    return heads[:, :plain].transpose(1, 2).contiguous(), heads[:, plain:].contiguous()


def joined_heads(keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The other way round."""
    return torch.cat([keys.transpose(1, 2), values], dim=1).flatten(0, 1).contiguous()


def quantized(value: torch.Tensor, bits: int, group: int) -> list[torch.Tensor]:
    """Packed codes, scales and biases of rows, and the values that they stand for."""
    parts = quantize(value.reshape(-1, value.shape[-1]).numpy(), bits, group)
    return [torch.from_numpy(part.reshape(*value.shape[:-1], -1).copy()) for part in parts]


def mlx_layout(weights: dict[str, torch.Tensor], bits: int, group: int, fields: dict, quantized=quantized):
    """The tensors of an MLX folder, the weights that they stand for, and the exceptions for routers, which stay at 8 bits,
    or as they are where there are shared experts."""
    stored, restored, exceptions = {}, {}, {}

    def add(path: str, value: torch.Tensor, bits: int) -> torch.Tensor:
        *parts, meant = quantized(value, bits, group)
        stored.update(zip((f"{path}.weight", f"{path}.scales", f"{path}.biases"), parts))
        return meant

    def add_gpt_oss(path: str, value: torch.Tensor) -> torch.Tensor:
        gate, up = path.replace("gate_up_proj", "gate_proj"), path.replace("gate_up_proj", "up_proj")
        if path.endswith(".gate_up_proj_bias"):
            stored[gate.replace("_bias", ".bias")] = value[:, ::2].bfloat16().contiguous()
            stored[up.replace("_bias", ".bias")] = value[:, 1::2].bfloat16().contiguous()
            return value
        if path.endswith("_bias"):
            stored[path.replace("_bias", ".bias")] = value.bfloat16()
            return value
        if path.endswith(".gate_up_proj"):
            parts = gate_and_up(value)
            return in_turn(add(gate, parts[0], bits), add(up, parts[1], bits))
        return add(path, value.transpose(1, 2), bits).transpose(1, 2).contiguous()

    def add_gate_and_up(path: str, value: torch.Tensor, dimension: int) -> torch.Tensor:
        gate, up = value.chunk(2, dim=dimension)
        return torch.cat([
            add(path.replace("gate_up_proj", "gate_proj"), gate, bits),
            add(path.replace("gate_up_proj", "up_proj"), up, bits)], dim=dimension)

    delta_nets = any("linear_attn" in name for name in weights)
    is_dense_granite = fields.get("num_local_experts") == 0
    for name, value in weights.items():
        path = own_name(name).removesuffix(".weight")
        if delta_nets and name.endswith("norm.weight") and not name.endswith("linear_attn.norm.weight"):
            stored[name] = (value + 1).bfloat16()
            restored[name] = stored[name].float() - 1
        elif value.ndim == 1 or path.endswith((".mlp.gate", ".mixer.gate")) and "n_shared_experts" in fields:
            stored[own_name(name)], restored[name] = value.bfloat16(), value
        elif name.endswith((".conv1d.weight", ".conv.conv.weight")):
            stored[own_name(name)], restored[name] = value.moveaxis(2, 1).bfloat16().contiguous(), value
        elif ".mixer.experts." in path:
            stack = path.replace(".experts.", ".switch_mlp.").replace("up_proj", "fc1").replace("down_proj", "fc2")
            restored[name] = add(stack, value, bits)
        elif is_dense_granite and ".shared_mlp." in path:
            path = path.replace("shared_mlp.input_linear", "mlp.gate_up_proj")
            path = path.replace("shared_mlp.output_linear", "mlp.down_proj")
            restored[name] = (add_gate_and_up(path, value, 0) if "gate_up_proj" in path else add(path, value, bits))
        elif fields["model_type"] == "lfm2_moe" and path.endswith((".w1", ".w2", ".w3")):
            part = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}[path[-2:]]
            restored[name] = add(path[:-2] + part, value, bits)
        elif is_gpt_oss(weights) and ".experts." in path:
            restored[name] = add_gpt_oss(path, value)
        elif path.endswith(".kv_b_proj") and fields["model_type"] != "deepseek_v2":
            base = path.removesuffix("kv_b_proj")
            keys, values = head_parts(value, fields)
            restored[name] = joined_heads(
                add(f"{base}embed_q", keys, bits), add(f"{base}unembed_out", values, bits))
        elif path.endswith((
            ".mlp.gate", ".mlp.router", ".router.proj", ".shared_expert_gate", ".feed_forward.gate",
            ".block_sparse_moe.router",
        )):
            path = path.replace("block_sparse_moe.router", "block_sparse_moe.router.layer")
            exceptions[path] = {"group_size": group, "bits": 8}
            restored[name] = add(path, value, 8)
        elif ".experts." in path:
            is_gemma = fields["model_type"].startswith("gemma")
            stack = path.replace(".experts.", ".experts.switch_glu." if is_gemma else ".switch_mlp.")
            restored[name] = (
                add_gate_and_up(stack, value, 1) if path.endswith("gate_up_proj") else add(stack, value, bits))
        else:
            restored[name] = add(path, value, bits)
    return stored, restored, exceptions


def tagged(value):
    """Infinities as transformers writes them, because JSON has none."""
    if isinstance(value, dict):
        return {name: tagged(member) for name, member in value.items()}
    if isinstance(value, list):
        return [tagged(element) for element in value]
    return {"__float__": "Infinity"} if value == float("inf") else value


def write(folder: str, fields: dict, tensors, arrays):
    path = FIXTURES / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(tagged(fields), indent=1) + "\n")
    (path / "tokenizer.json").write_text('{"model": {"type": "BPE", "vocab": {}, "merges": []}}\n')
    save_file(tensors, path / "model.safetensors")
    save_file(arrays, path / "reference.safetensors")


def make(name: str, fields: dict):
    fields = {"model_type": name} | fields
    model = make_model(fields)
    for seed in range(1000):
        weights = random_weights(model, seed)
        prompt = np.random.default_rng(seed).integers(3, fields["vocab_size"], PROMPT_LENGTH).tolist()
        folders = [(f"{name}-bf16", fields, hub_layout(weights), weights)]
        for bits in (8, 4):
            stored, restored, exceptions = mlx_layout(weights, bits, 32, fields)
            quantization = {"group_size": 32, "bits": bits, "mode": "affine"} | exceptions
            folders.append((f"{name}-{bits}bit", fields | {"quantization": quantization}, stored, restored))
        if is_gpt_oss(weights):
            quantization = {"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": []}}
            folders.append((f"{name}-mxfp4", fields | quantization, *float4_layout(weights)))
        results = []
        for folder in folders:
            arrays, gap = reference(model, folder[3], prompt)
            if gap < SMALLEST_GAP or len(arrays["answer"].unique()) < 10:
                break
            results.append((folder, arrays, gap))
        if len(results) == len(folders):
            break
    else:
        sys.exit(f"{name}: no seed gives answers that are far from ties")
    for (folder, configuration, tensors, _), arrays, gap in results:
        write(folder, configuration, tensors, arrays)
        print(f"{folder}: seed {seed}, smallest gap {gap:.4f}, {len(arrays['answer'].unique())} different tokens")


def make_rotary():
    """Frequencies for every kind of scaling, at a real model's size."""
    factors = [1 + i / 7 for i in range(24)]
    common = {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 4, "max_position_embeddings": 131072}
    cases = [
        {"rope_type": "default", "rope_theta": 500000.0},
        {"rope_type": "linear", "rope_theta": 10000.0, "factor": 8.0},
        {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
         "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
        {"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0, "original_max_position_embeddings": 32768},
        {"rope_type": "yarn", "rope_theta": 150000.0, "factor": 32.0, "beta_fast": 16.0, "beta_slow": 2.0,
         "truncate": False, "mscale": 1.0, "mscale_all_dim": 0.7, "original_max_position_embeddings": 4096},
        {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75, "short_factor": factors,
         "long_factor": [3 * f for f in factors], "original_max_position_embeddings": 4096},
        {"rope_type": "proportional", "rope_theta": 1000000.0, "partial_rotary_factor": 0.25, "factor": 2.0},
    ]
    results = []
    for case in cases:
        configuration = AutoConfig.for_model(**common, rope_parameters=dict(case))
        kind = case["rope_type"]
        function = ROPE_INIT_FUNCTIONS.get(kind, LlamaRotaryEmbedding.compute_default_rope_parameters)
        short, amplitude = function(configuration)
        long, _ = function(configuration, seq_len=131072) if kind == "longrope" else (short, None)
        results.append({
            "config": common | {
                "intermediate_size": 64, "num_hidden_layers": 1, "vocab_size": 64, "rope_parameters": case},
            "short": short.tolist(), "long": long.tolist(), "amplitude": amplitude})
    (FIXTURES / "rotary.json").write_text(json.dumps(results) + "\n")


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    for name, fields in MODELS.items():
        if not chosen or name in chosen:
            make(name, fields)
    if not chosen or "rotary" in chosen:
        make_rotary()


if __name__ == "__main__":
    main()
