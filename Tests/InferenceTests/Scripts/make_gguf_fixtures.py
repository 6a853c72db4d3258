"""Makes a GGUF file of each architecture, as llama.cpp's converter would write it, and what `transformers` computes with it.

    python -m venv .venv && .venv/bin/pip install torch transformers safetensors numpy gguf
    .venv/bin/python Tests/InferenceTests/Scripts/make_gguf_fixtures.py [FILE …]

They are in the folder `gguf`. `names.json` in `phi3-gguf` says how the `gguf` package names the tensors of each kind of model.
"""

import json
import math
import sys

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

from architecture_models import GGUF_MODELS, SAME_ARCHITECTURE
from make_architecture_fixtures import (
    float4, gate_and_up, head_parts, in_turn, joined_heads, logits_of, make_model, random_weights)
from make_draft_fixtures import Head, hidden_states
from make_fixtures import FIXTURES

rng = np.random.default_rng(20)
# Whose rows of q and k the converter reorders.
ROTATED = ("llama", "granite", "granitemoe", "granitehybrid", "smollm3", "mistral3")
SPACE_PARTS = (
    "in_proj.weight", "conv1d.weight", "conv1d.bias", "dt_bias", "A_log", "D", "norm.weight", "out_proj.weight")


# What llama.cpp's converter names itself.
OWN_NAMES = {
    "layer_scalar": "layer_output_scale.weight", "router.scale": "ffn_gate_inp.scale",
    "router.per_expert_scale": "ffn_down_exps.scale", "eh_proj.weight": "nextn.eh_proj.weight",
    "enorm.weight": "nextn.enorm.weight", "hnorm.weight": "nextn.hnorm.weight",
    "shared_head.norm.weight": "nextn.shared_head_norm.weight",
}
# Parts of a draft head, below its layer.
DRAFT_HEAD = {"embedding_norm": "enorm.", "hidden_norm": "hnorm.", "projection": "eh_proj.", "norm": "shared_head.norm.",
              "layer": ""}
# And Granite's experts.
EXPERT_NAMES = {
    f"{module}.{part}_proj": f"ffn_{part}_{suffix}"
    for module, suffix in [("block_sparse_moe.experts", "exps"), ("shared_mlp", "shexp")] for part in ("gate", "up", "down")
}


def write_names():
    """Names of tensors by architecture, from those of the Hugging Face form."""
    attention = ["q_proj", "k_proj", "v_proj", "o_proj"]
    mlp = ["gate_proj", "up_proj", "down_proj"]
    block = ["input_layernorm", "post_attention_layernorm"]
    head_norms = [f"self_attn.{n}" for n in ("q_norm", "k_norm")]
    parts = {
        "llama": block + [f"self_attn.{n}" for n in attention] + [f"mlp.{n}" for n in mlp],
        "phi3": block + ["self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj"],
        "qwen2": block + [f"self_attn.{n}" for n in attention] + [f"mlp.{n}" for n in mlp],
        "qwen3": block + head_norms + [f"self_attn.{n}" for n in attention] + [f"mlp.{n}" for n in mlp],
        "qwen3moe": block + head_norms + [f"self_attn.{n}" for n in attention]
        + ["mlp.gate"] + [f"mlp.experts.{n}" for n in mlp],
    }
    parts["granite"] = parts["smollm3"] = parts["mistral3"] = parts["seed_oss"] = parts["ernie4_5"] = parts["llama"]
    parts["hunyuan-dense"] = parts["llama"] + [f"self_attn.{n}" for n in ("query_layernorm", "key_layernorm")]
    parts["olmo2"] = parts["exaone4"] = parts["llama"][1:] + ["post_feedforward_layernorm"] + head_norms
    parts["gpt-oss"] = (
        block + [f"self_attn.{n}" for n in attention + ["sinks"]] + ["mlp.router"] + [f"mlp.experts.{n}" for n in mlp])
    delta_net = [f"linear_attn.{n}" for n in ("in_proj_qkv", "in_proj_z", "conv1d", "norm", "out_proj")]
    experts = ["mlp.gate", "mlp.shared_expert_gate"]
    experts += [f"mlp.{kind}.{n}" for kind in ("experts", "shared_expert") for n in mlp]
    numbers = ["linear_attn.in_proj_a", "linear_attn.in_proj_b"]
    parts["qwen3next"] = parts["qwen3"][:-3] + delta_net + ["linear_attn.in_proj_ba"] + experts
    parts["qwen35"] = parts["qwen3"] + delta_net + numbers
    parts["qwen35moe"] = parts["qwen3"][:-3] + delta_net + numbers + experts
    parts["lfm2"] = ["operator_norm", "ffn_norm"] + [f"self_attn.{n}" for n in (
        "q_proj", "k_proj", "v_proj", "out_proj", "q_layernorm", "k_layernorm")]
    parts["lfm2"] += [f"conv.{n}" for n in ("conv", "in_proj", "out_proj")]
    parts["lfm2"] += [f"feed_forward.{n}" for n in ("w1", "w2", "w3")]
    parts["lfm2moe"] = parts["lfm2"] + ["feed_forward.gate"] + [f"feed_forward.experts.{n}" for n in mlp]
    space = [f"{{}}.{n}" for n in ("in_proj", "conv1d", "norm", "out_proj")]
    parts["granitemoe"] = parts["llama"][:6] + ["block_sparse_moe.router.layer"]
    parts["granitehybrid"] = parts["granitemoe"] + [n.format("mamba") for n in space]
    parts["nemotron_h"] = [n.format("mixer") for n in space + [f"{{}}.{n}" for n in attention]]
    parts["nemotron_h_moe"] = parts["nemotron_h"] + [f"mixer.{n}" for n in (
        "gate", "fc1_latent_proj", "fc2_latent_proj", "experts.up_proj", "experts.down_proj",
        "shared_experts.up_proj", "shared_experts.down_proj")]
    parts["nemotron_h"] = parts["nemotron_h"] + ["mixer.up_proj", "mixer.down_proj"]
    extra = ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    parts["gemma2"] = parts["llama"] + extra
    parts["gemma3"] = parts["llama"] + head_norms + extra
    parts["gemma4"] = parts["gemma3"] + ["pre_feedforward_layernorm_2", "router.proj"]
    parts["gemma4"] += [f"post_feedforward_layernorm_{n}" for n in (1, 2)]
    parts["gemma4"] += [f"experts.{n}" for n in ("gate_proj", "up_proj", "gate_up_proj", "down_proj")]
    parts["gemma4"] += ["per_layer_input_gate", "per_layer_projection", "post_per_layer_input_norm"]
    models = {"gemma4": [f"model.{n}" for n in (
        "embed_tokens_per_layer", "per_layer_model_projection", "per_layer_projection_norm")]}
    grouped = ["mlp.gate"] + [f"mlp.{part}.{n}" for part in ("experts", "shared_experts") for n in mlp]
    latent = ["q_a_proj", "q_a_layernorm", "q_b_proj", "kv_a_proj_with_mqa", "kv_a_layernorm", "k_b_proj", "v_b_proj"]
    parts["glm4moe"] = parts["qwen3"] + grouped
    parts["deepseek2"] = parts["llama"] + [f"self_attn.{n}" for n in latent + ["kv_b_proj"]] + grouped
    result = {}
    for arch, modules in parts.items():
        names = gguf.get_tensor_name_map(next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch), 12)
        paths = ["model.embed_tokens", "model.norm", "model.embedding_norm", "lm_head"] + models.get(arch, [])
        paths += [f"model.layers.11.{m}" for m in modules]
        pairs = {f"{p}.weight": names.get_name(f"{p}.weight", try_suffixes=(".weight",)) for p in paths}
        if arch.startswith("nemotron_h"):
            # Which the package knows by the hub's name for the decoder.
            pairs |= {f"model.layers.11.{m}.weight": names.get_name(
                f"backbone.layers.11.{m}.weight", try_suffixes=(".weight",)) for m in modules + ["norm"]}
        # Gemma has no lm_head.
        result[arch] = {path: name for path, name in pairs.items() if name}
        if arch == "gemma4":
            result[arch] |= {f"model.layers.11.{path}": f"blk.11.{name}" for path, name in OWN_NAMES.items()}
        if arch.startswith("granite") and arch != "granite":
            result[arch] |= {
                f"model.layers.11.{path}.weight": f"blk.11.{name}.weight" for path, name in EXPERT_NAMES.items()}
    (FIXTURES / "phi3-gguf" / "names.json").write_text(json.dumps(result, indent=1) + "\n")


def add_gemma4_parameters(writer: gguf.GGUFWriter, fields: dict):
    has_window = [kind == "sliding_attention" for kind in fields["layer_types"]]
    shared = fields["num_hidden_layers"] - fields["num_kv_shared_layers"]
    size = fields["intermediate_size"]
    writer.add_context_length(fields["max_position_embeddings"])
    writer.add_embedding_length(fields["hidden_size"])
    writer.add_block_count(fields["num_hidden_layers"])
    writer.add_head_count(fields["num_attention_heads"])
    writer.add_head_count_kv([
        fields["num_key_value_heads" if window else "num_global_key_value_heads"] for window in has_window])
    writer.add_feed_forward_length([size * (1 if layer < shared else 2) for layer in range(len(has_window))])
    writer.add_layer_norm_rms_eps(fields["rms_norm_eps"])
    writer.add_sliding_window(fields["sliding_window"])
    writer.add_sliding_window_pattern(has_window)
    writer.add_shared_kv_layers(fields["num_kv_shared_layers"])
    writer.add_embedding_length_per_layer_input(fields["hidden_size_per_layer_input"])
    writer.add_final_logit_softcapping(fields["final_logit_softcapping"])
    whole, head = fields["global_head_dim"], fields["head_dim"]
    for add in (writer.add_key_length, writer.add_value_length, writer.add_rope_dimension_count):
        add(whole)
    for add in (writer.add_key_length_swa, writer.add_value_length_swa, writer.add_rope_dimension_count_swa):
        add(head)
    rotary = fields["rope_parameters"]
    writer.add_rope_freq_base(rotary["full_attention"]["rope_theta"])
    writer.add_rope_freq_base_swa(rotary["sliding_attention"]["rope_theta"])
    pairs = int(whole * rotary["full_attention"]["partial_rotary_factor"] / 2)
    factors = [1.0] * pairs + [1e30] * (whole // 2 - pairs)
    writer.add_tensor("rope_freqs.weight", np.array(factors, np.float32))
    writer.add_expert_count(fields["num_experts"])
    writer.add_expert_used_count(fields["top_k_experts"])
    writer.add_expert_feed_forward_length(fields["moe_intermediate_size"])


def add_parameters(writer: gguf.GGUFWriter, arch: str, fields: dict):
    if arch == "gemma4":
        return add_gemma4_parameters(writer, fields)
    if arch.startswith("nemotron_h"):
        return add_nemotron_parameters(writer, fields)
    head = fields.get("head_dim", fields["hidden_size"] // fields["num_attention_heads"])
    writer.add_context_length(fields["max_position_embeddings"])
    writer.add_embedding_length(fields["hidden_size"])
    writer.add_feed_forward_length(fields["intermediate_size"])
    writer.add_block_count(fields["num_hidden_layers"] + ("draft_head" in fields))
    if "draft_head" in fields:
        writer.add_uint32(f"{arch}.nextn_predict_layers", 1)
    writer.add_head_count(fields["num_attention_heads"])
    heads = 1 if "kv_lora_rank" in fields else fields["num_key_value_heads"]
    if arch.startswith("lfm2"):
        writer.add_shortconv_l_cache(fields["conv_L_cache"])
        heads = [0 if kind == "conv" else heads for kind in fields["layer_types"]]
    if arch == "granitehybrid":
        heads = [0 if kind == "mamba" else heads for kind in fields["layer_types"]]
        writer.add_rope_scaling_finetuned(False)
        add_state_spaces(
            writer, fields, ["n_groups", "d_state", "d_conv", "n_heads"],
            fields["mamba_expand"] * fields["hidden_size"], prefix="mamba_")
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(fields["rms_norm_eps"])
    writer.add_rope_freq_base(rope_base(fields, head))
    if "head_dim" in fields:
        writer.add_key_length(head)
        writer.add_value_length(head)
    if "kv_lora_rank" in fields:
        head = fields["qk_rope_head_dim"]
        add_latent_attention(writer, fields)
    share = fields.get("rope_parameters", {}).get("partial_rotary_factor", fields.get("partial_rotary_factor", 1))
    writer.add_rope_dimension_count(int(head * share))
    if fields.get("sliding_window"):
        writer.add_sliding_window(fields["sliding_window"])
    types = fields.get("layer_types", [])
    if fields["model_type"] == "olmo3":
        types = ["sliding_attention"] * 3 + ["full_attention"]
    if "sliding_attention" in types and arch != "gpt-oss":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in types])
    scaling = fields.get("rope_scaling", fields.get("rope_parameters", {}))
    scaling = scaling.get("full_attention", scaling)
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(scaling["factor"])
    for name, add in [("beta_fast", writer.add_rope_scaling_yarn_beta_fast),
                      ("beta_slow", writer.add_rope_scaling_yarn_beta_slow),
                      ("attention_factor", writer.add_rope_scaling_yarn_attn_factor)]:
        if kind == "yarn" and name in scaling:
            add(scaling[name])
    if kind in ("yarn", "longrope"):
        original = fields.get("original_max_position_embeddings", scaling.get("original_max_position_embeddings"))
        writer.add_rope_scaling_orig_ctx_len(original)
    if kind == "longrope":
        writer.add_rope_scaling_attn_factors(
            math.sqrt(1 + math.log(fields["max_position_embeddings"] / original) / math.log(original)))
        writer.add_tensor("rope_factors_short.weight", np.array(scaling["short_factor"], np.float32))
        writer.add_tensor("rope_factors_long.weight", np.array(scaling["long_factor"], np.float32))
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(fields, head))
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(fields["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(fields["final_logit_softcapping"])
    if arch.startswith("granite"):
        writer.add_embedding_scale(fields["embedding_multiplier"])
        writer.add_attention_scale(fields["attention_multiplier"])
        writer.add_residual_scale(fields["residual_multiplier"])
        writer.add_logit_scale(fields["logits_scaling"])
    if arch == "mistral3":
        writer.add_rope_scaling_yarn_log_mul(scaling["mscale_all_dim"])
        writer.add_attn_temperature_scale(scaling["llama_4_scaling_beta"])
    if "n_routed_experts" in fields:
        add_grouped_experts(writer, arch, fields)
    if "linear_num_value_heads" in fields:
        add_delta_nets(writer, fields)
    if "num_experts" in fields or "num_local_experts" in fields:
        writer.add_expert_count(fields.get("num_experts", fields.get("num_local_experts")))
        writer.add_expert_used_count(fields["num_experts_per_tok"])
        writer.add_expert_feed_forward_length(fields.get("moe_intermediate_size", fields["intermediate_size"]))
    if arch.startswith("granite") and "shared_intermediate_size" in fields:
        writer.add_expert_shared_feed_forward_length(fields["shared_intermediate_size"])
    if arch == "lfm2moe":
        writer.add_leading_dense_block_count(fields["num_dense_layers"])
        writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)


def add_state_spaces(writer: gguf.GGUFWriter, fields: dict, names: list[str], inner: int, prefix: str = ""):
    groups, size, taps, heads = (fields[prefix + name] for name in names)
    writer.add_ssm_group_count(groups)
    writer.add_ssm_state_size(size)
    writer.add_ssm_conv_kernel(taps)
    writer.add_ssm_time_step_rank(heads)
    writer.add_ssm_inner_size(inner)


def add_nemotron_parameters(writer: gguf.GGUFWriter, fields: dict):
    pattern = fields["hybrid_override_pattern"]
    writer.add_context_length(fields["max_position_embeddings"])
    writer.add_embedding_length(fields["hidden_size"])
    writer.add_block_count(len(pattern))
    writer.add_head_count(fields["num_attention_heads"])
    writer.add_head_count_kv([fields["num_key_value_heads"] if kind == "*" else 0 for kind in pattern])
    width = fields["moe_intermediate_size" if "E" in pattern else "intermediate_size"]
    writer.add_feed_forward_length([width if kind in "-E" else 0 for kind in pattern])
    writer.add_key_length(fields["head_dim"])
    writer.add_value_length(fields["head_dim"])
    writer.add_layer_norm_eps(fields["layer_norm_epsilon"])
    writer.add_rope_scaling_finetuned(False)
    inner = fields["mamba_num_heads"] * fields["mamba_head_dim"]
    add_state_spaces(writer, fields, ["n_groups", "ssm_state_size", "conv_kernel", "mamba_num_heads"], inner)
    if "E" in pattern:
        add_grouped_experts(writer, "nemotron_h_moe", fields)
        writer.add_expert_shared_feed_forward_length(fields["moe_shared_expert_intermediate_size"])
        writer.add_moe_latent_size(fields["moe_latent_size"])


def rope_base(fields: dict, head: int) -> float:
    parameters = fields.get("rope_parameters", {})
    base = parameters.get("full_attention", parameters).get("rope_theta", fields["rope_theta"])
    alpha = fields.get("rope_scaling", {}).get("alpha")
    return base * alpha ** (head / (head - 2)) if alpha else base


def add_grouped_experts(writer: gguf.GGUFWriter, arch: str, fields: dict):
    writer.add_expert_count(fields["n_routed_experts"])
    writer.add_expert_used_count(fields["num_experts_per_tok"])
    writer.add_expert_feed_forward_length(fields["moe_intermediate_size"])
    writer.add_expert_shared_count(fields["n_shared_experts"])
    writer.add_expert_weights_scale(fields["routed_scaling_factor"])
    writer.add_expert_group_count(fields["n_group"])
    writer.add_expert_group_used_count(fields["topk_group"])
    if "first_k_dense_replace" in fields:
        writer.add_leading_dense_block_count(fields["first_k_dense_replace"])
    if fields["norm_topk_prob"]:
        writer.add_expert_weights_norm(True)
    if arch == "glm4moe":
        writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)


def add_delta_nets(writer: gguf.GGUFWriter, fields: dict):
    writer.add_ssm_conv_kernel(fields["linear_conv_kernel_dim"])
    writer.add_ssm_state_size(fields["linear_key_head_dim"])
    writer.add_ssm_group_count(fields["linear_num_key_heads"])
    writer.add_ssm_time_step_rank(fields["linear_num_value_heads"])
    writer.add_ssm_inner_size(fields["linear_value_head_dim"] * fields["linear_num_value_heads"])
    writer.add_full_attention_interval(fields.get("full_attention_interval", 4))
    if "shared_expert_intermediate_size" in fields:
        writer.add_expert_shared_feed_forward_length(fields["shared_expert_intermediate_size"])


def add_latent_attention(writer: gguf.GGUFWriter, fields: dict):
    rank, rotated = fields["kv_lora_rank"], fields["qk_rope_head_dim"]
    if fields["q_lora_rank"]:
        writer.add_q_lora_rank(fields["q_lora_rank"])
    writer.add_kv_lora_rank(rank)
    writer.add_key_length(rank + rotated)
    writer.add_value_length(rank)
    writer.add_key_length_mla(fields["qk_nope_head_dim"] + rotated)
    writer.add_value_length_mla(fields["v_head_dim"])
    writer.add_rope_scaling_yarn_log_mul(0.1 * fields["rope_scaling"]["mscale_all_dim"])


def llama3_factors(fields: dict, head: int) -> np.ndarray:
    """What the rule of Llama 3.1 divides each frequency by."""
    rule = fields["rope_scaling"]
    length, low, high = (rule[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    turns = length / (2 * np.pi * fields["rope_theta"] ** (np.arange(0, head, 2) / head))
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rule["factor"] + smooth)).astype(np.float32)


def halves_in_turn(value: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k with the two halves of each head in turn, as GGUF files of Llama have them."""
    return value.reshape(heads, 2, -1, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def rounded(value: np.ndarray, kind: Type) -> np.ndarray:
    return gguf.quants.dequantize(gguf.quants.quantize(np.ascontiguousarray(value), kind), kind)


def split_gpt_oss(name: str, value: torch.Tensor, weights: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """A stack of gpt-oss, rounded to MXFP4 in place, and its biases, as the converter names and shapes them."""
    base = name.removesuffix("_bias")
    gate, up = base.replace("gate_up_proj", "gate_proj"), base.replace("gate_up_proj", "up_proj")
    if name.endswith("gate_up_proj_bias"):
        return {f"{gate}.bias": value[:, ::2].numpy().copy(), f"{up}.bias": value[:, 1::2].numpy().copy()}
    if name.endswith("_bias"):
        return {f"{base}.bias": value.numpy()}
    if name.endswith("gate_up_proj"):
        parts = [float4(part)[2] for part in gate_and_up(value)]
        weights[name] = in_turn(*parts)
        return {f"{gate}.weight": parts[0].numpy(), f"{up}.weight": parts[1].numpy()}
    part = float4(value.transpose(1, 2))[2]
    weights[name] = part.transpose(1, 2).contiguous()
    return {f"{name}.weight": part.numpy()}


def tiled(value: np.ndarray, axis: int, fields: dict) -> np.ndarray:
    """Value heads in the order of llama.cpp: the first of each key head, then the second of each, …"""
    keys, heads = fields["linear_num_key_heads"], fields["linear_num_value_heads"]
    shape = value.shape
    parts = value.reshape(*shape[:axis], keys, heads // keys, shape[axis] // heads, *shape[axis + 1:])
    return np.ascontiguousarray(parts.swapaxes(axis, axis + 1)).reshape(shape)


def delta_net_parts(arch: str, path: str, value: np.ndarray, fields: dict) -> dict[str, np.ndarray]:
    """The tensors of a gated delta net by the names that the `gguf` package knows, as GGUF files have them."""
    keys = 2 * fields["linear_num_key_heads"] * fields["linear_key_head_dim"]
    base, part = path.split(".linear_attn.")
    base += ".linear_attn."
    if part == "in_proj_qkvz.weight":
        groups = value.reshape(fields["linear_num_key_heads"], -1, value.shape[-1])
        size = fields["linear_key_head_dim"]
        values = (groups.shape[1] - 2 * size) // 2
        rows = np.split(groups, [size, 2 * size, 2 * size + values], axis=1)
        q, k, v, z = (np.ascontiguousarray(r).reshape(-1, value.shape[-1]) for r in rows)
        return {base + "in_proj_qkv.weight": np.concatenate([q, k, v]), base + "in_proj_z.weight": z}
    if part == "conv1d.weight":
        value = value[:, 0, :]
    if arch != "qwen3next":
        if part in ("in_proj_qkv.weight", "conv1d.weight"):
            value = np.concatenate([value[:keys], tiled(value[keys:], 0, fields)])
        elif part in ("in_proj_z.weight", "in_proj_a.weight", "in_proj_b.weight", "A_log", "dt_bias"):
            value = tiled(value, 0, fields)
        elif part == "out_proj.weight":
            value = tiled(value, 1, fields)
    if part == "A_log":
        value = -np.exp(value)
    return {base + {"dt_bias": "dt_proj.bias"}.get(part, part): value}


def head_names(head: Head, layers: int) -> dict[str, str]:
    """The name of each weight of a draft head in the model's files."""
    names = {}
    for own in head.state_dict():
        part, rest = own.split(".", 1)
        names[own] = f"model.layers.{layers}.{DRAFT_HEAD[part]}{rest}"
    return names


def state_space_part(name: str, value: np.ndarray, groups: int) -> dict[str, np.ndarray]:
    """A tensor of a state space by the name that the `gguf` package knows, as GGUF files have it."""
    base, part = name.rsplit(".mamba." if ".mamba." in name else ".mixer.", 1)
    base = name.removesuffix(part).replace("model.layers.", "backbone.layers.") if ".mixer." in name else base + ".mamba."
    if part == "conv1d.weight":
        value = value[:, 0, :]
    elif part == "A_log":
        value = -np.exp(value)[:, None]
    elif part == "D":
        value = value[:, None]
    elif part == "norm.weight":
        value = value.reshape(groups, -1)
    return {base + {"dt_bias": "dt_proj.bias"}.get(part, part): value}


def nemotron_name(name: str) -> str:
    """The hub's, or that of GGUF."""
    layer, _, part = name.removeprefix("model.layers.").partition(".mixer.experts.")
    if part:
        return f"blk.{layer}.ffn_{part.removesuffix('_proj')}_exps.weight"
    return name.replace("model.", "backbone.", 1).replace("correction_bias", "correction.bias")


def expert_parts(file: str, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
    """What stands in for a tensor of a feed-forward network, whole names of GGUF among them."""
    layer = name.split(".")[2]
    if name.endswith(("experts.gate_up_proj", "shared_mlp.input_linear.weight")):
        stacked = value.ndim == 3
        suffix = "exps" if stacked else "shexp"
        parts = dict(zip(["gate", "up"], np.split(value, 2, axis=1 if stacked else 0)))
    else:
        suffix, parts = "exps" if value.ndim == 3 else "shexp", {"down": value}
    if file == "granitehybrid-dense":
        return {f"blk.{layer}.ffn_{part}.weight": v for part, v in parts.items()}
    return {f"blk.{layer}.ffn_{part}_{suffix}.weight": v for part, v in parts.items()}


def write_architecture(file: str, fields: dict):
    arch = SAME_ARCHITECTURE.get(file, file)
    fields = {"model_type": arch} | fields
    model = make_model(fields)
    weights = random_weights(model, 5)
    layers = fields["num_hidden_layers"]
    head = Head(model).float().eval() if "draft_head" in fields else None
    if head:
        own = random_weights(head, 6)
        weights |= {name: own[part] for part, name in head_names(head, layers).items()}
    writer = gguf.GGUFWriter(FIXTURES / "gguf" / f"{file}.gguf", arch)
    add_parameters(writer, arch, fields)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"<t{i}>" for i in range(fields["vocab_size"])])
    writer.add_eos_token_id(2)
    number = next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch)
    names = gguf.get_tensor_name_map(number, layers + 1)
    for name, tensor in weights.items():
        value = tensor.numpy()
        of_gpt_oss = arch == "gpt-oss" and ".experts." in name
        is_router = {"gate", "router"} & set(name.split(".")[-2:]) or "router.proj" in name
        is_space = ".mamba." in name or name.endswith(tuple(f".mixer.{part}" for part in SPACE_PARTS))
        kind = Type.MXFP4 if of_gpt_oss else Type.Q8_0 if is_router else Type.Q4_0
        is_plain = name.endswith(("conv1d.weight", "conv.conv.weight", "shared_expert_gate.weight"))
        if value.ndim > 1 and not of_gpt_oss and not is_plain:
            if name.endswith("kv_b_proj.weight"):
                heads = [torch.from_numpy(rounded(p.numpy(), kind)) for p in head_parts(tensor, fields)]
                value = joined_heads(*heads).numpy()
            else:
                value = rounded(value, kind)
            weights[name] = torch.from_numpy(value.copy())
        parts = {name: value}
        if of_gpt_oss:
            parts = split_gpt_oss(name, tensor, weights)
        elif is_space:
            parts = state_space_part(name, value, fields.get("mamba_n_groups", fields.get("n_groups")))
        elif arch.startswith("nemotron_h"):
            parts = {nemotron_name(name): value}
        elif ".feed_forward.experts." in name or ".shared_mlp." in name or ".block_sparse_moe.experts." in name:
            parts = expert_parts(file, name, value)
        elif name.endswith(".block_sparse_moe.router.weight"):
            parts = {name.replace("router", "router.layer"): value}
        elif name.endswith(".expert_bias"):
            parts = {f"{name}.bias": value}
        elif name.endswith(".mlp.experts.gate_up_proj"):
            gate, up = np.split(value, 2, axis=1)
            base = name.removesuffix("gate_up_proj")
            parts = {f"{base}gate_proj.weight": gate, f"{base}up_proj.weight": up}
        elif name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            parts = {f"{name}.weight": value}
        elif name.endswith("kv_b_proj.weight"):
            parts = {name.replace("kv_b", part): heads[index].numpy() for index, part in enumerate(["k_b", "v_b"])}
        elif name.endswith("e_score_correction_bias"):
            parts = {name.replace("_bias", ".bias"): value}
        elif ".linear_attn." in name:
            parts = delta_net_parts(arch, name, value, fields)
        elif name.endswith("shared_expert_gate.weight"):
            parts = {name: value[0]}
        elif name.endswith("conv.conv.weight"):
            parts = {name: value[:, 0, :]}
        for path, part in parts.items():
            for module, heads in [("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")]:
                if arch in ROTATED and module in path:
                    part = halves_in_turn(part, fields[heads])
            relative = arch in ("gemma2", "gemma3") or "linear_num_value_heads" in fields
            if relative and path.endswith("norm.weight") and not path.endswith("linear_attn.norm.weight"):
                part = part + 1
            path += ".weight" if path.endswith(".sinks") else ""
            own = names.get_name(path, try_suffixes=(".weight", ".bias"))
            layer, _, module = path.removeprefix("model.layers.").partition(".")
            if module in OWN_NAMES:
                own = f"blk.{layer}.{OWN_NAMES[module]}"
            own = path if path.startswith("blk.") else own
            is_vector = part.ndim == 1 or path.endswith(
                (".bias", ".A_log", ".D", ".mixer.norm.weight", ".mamba.norm.weight"))
            if is_vector or "conv1d" in path or "conv.conv" in path:
                writer.add_tensor(own, part)
            else:
                data = gguf.quants.quantize(np.ascontiguousarray(part), kind)
                assert np.array_equal(gguf.quants.dequantize(data, kind), part), "values that are not of blocks"
                writer.add_tensor(own, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    # Longer than windows and original lengths.
    tokens = [int(t) for t in rng.integers(3, fields["vocab_size"], 44)]
    rows = logits_of(model, tokens)[-4:]
    arrays = {"prompt": np.array(tokens, np.uint32), "logits": np.ascontiguousarray(rows.numpy())}
    if head:
        head.load_state_dict({part: weights[name] for part, name in head_names(head, layers).items()})
        batch = torch.tensor([tokens])
        with torch.no_grad():
            rows = model.lm_head(head(model, batch[:, 1:], hidden_states(model, batch)[:, :-1]))[0]
        arrays["draft_logits"] = np.ascontiguousarray(rows.numpy())
    save_file(
        arrays,
        FIXTURES / "gguf" / f"{file}.reference.safetensors")


def main():
    write_names()
    (FIXTURES / "gguf").mkdir(exist_ok=True)
    for file in sys.argv[1:] or GGUF_MODELS:
        write_architecture(file, GGUF_MODELS[file])


main()
