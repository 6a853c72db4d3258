"""Configurations of published models, one or two of each architecture, by what `transformers` calls it.

Each has what differs from that package's own defaults, and the number of parameters that the model is said to have, in
billions: what the configuration gives must come within a twentieth.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Model:
    title: str
    billions: float
    fields: dict
    # Of a model that sees and reads: what its configuration is called; its text part is `fields`.
    around: str | None = None


def kinds(layers: int, full: list[int], other: str) -> list[str]:
    return ["full_attention" if layer in full else other for layer in range(layers)]


def every(layers: int, period: int, other: str = "sliding_attention") -> list[str]:
    """Full attention in the last of every so many layers."""
    return kinds(layers, list(range(period - 1, layers, period)), other)


def yarn(factor: float, original: int, theta: float, **more) -> dict:
    return {
        "rope_type": "yarn", "rope_theta": theta, "factor": factor, "original_max_position_embeddings": original} | more


GRANITE = {"embedding_multiplier": 12.0, "residual_multiplier": 0.22, "tie_word_embeddings": True}
GRANITE_HYBRID = GRANITE | {
    "model_type": "granitemoehybrid", "vocab_size": 100_352, "attention_multiplier": 0.0078125,
    "max_position_embeddings": 131_072, "position_embedding_type": "nope", "mamba_d_state": 128, "mamba_d_head": 64,
    "mamba_n_groups": 1, "mamba_expand": 2, "mamba_d_conv": 4, "mamba_chunk_size": 256, "num_hidden_layers": 40,
    "layer_types": ["attention" if layer in (5, 15, 25, 35) else "mamba" for layer in range(40)]}
NEMOTRON = {"model_type": "nemotron_h", "vocab_size": 131_072, "head_dim": 128, "ssm_state_size": 128, "conv_kernel": 4}
GEMMA4 = {
    "model_type": "gemma4_text", "vocab_size": 262_144, "head_dim": 256, "global_head_dim": 512,
    "tie_word_embeddings": True, "final_logit_softcapping": 30.0, "rope_parameters": {
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1_000_000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0}}}
MINISTRAL = {
    "model_type": "ministral3", "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 34,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 131_072,
    "rope_parameters": yarn(
        16.0, 16_384, 1_000_000.0, type="yarn", beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0,
        llama_4_scaling_beta=0.1)}

MODELS = {
    "qwen3_5": Model("Qwen3.5-9B", 9.0, {"model_type": "qwen3_5_text"}),
    "qwen3_5_moe": Model("Qwen3.5-35B-A3B", 34.7, {"model_type": "qwen3_5_moe_text"}),
    "qwen3_next": Model("Qwen3-Next-80B-A3B", 79.7, {"model_type": "qwen3_next"}),
    "gemma4": Model("Gemma-4-E4B", 7.5, GEMMA4 | {
        "hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 42, "num_attention_heads": 8,
        "num_key_value_heads": 2, "sliding_window": 512, "hidden_size_per_layer_input": 256, "num_kv_shared_layers": 18,
        "layer_types": every(42, 6)}),
    "gemma4_moe": Model("Gemma-4-26B-A4B", 25.2, GEMMA4 | {
        "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 30, "num_attention_heads": 16,
        "num_key_value_heads": 8, "num_global_key_value_heads": 2, "attention_k_eq_v": True, "sliding_window": 1024,
        "hidden_size_per_layer_input": 0, "enable_moe_block": True, "num_experts": 128, "top_k_experts": 8,
        "moe_intermediate_size": 704, "layer_types": every(30, 6)}),
    "gpt_oss": Model("gpt-oss-20b", 20.9, {
        "model_type": "gpt_oss", "num_hidden_layers": 24, "num_local_experts": 32,
        "layer_types": ["sliding_attention", "full_attention"] * 12}),
    "glm4_moe_lite": Model("GLM-4.7-Flash", 29.9, {"model_type": "glm4_moe_lite", "num_nextn_predict_layers": 0}),
    "deepseek_v2": Model("DeepSeek-V2-Lite", 15.7, {
        "model_type": "deepseek_v2", "hidden_size": 2048, "intermediate_size": 10_944, "num_hidden_layers": 27,
        "num_attention_heads": 16, "num_key_value_heads": 16, "q_lora_rank": None, "moe_intermediate_size": 1408,
        "n_routed_experts": 64, "num_experts_per_tok": 6, "n_shared_experts": 2, "n_group": 1, "topk_group": 1,
        "topk_method": "greedy", "norm_topk_prob": False, "routed_scaling_factor": 1.0, "first_k_dense_replace": 1}),
    "deepseek_v3": Model("DeepSeek-V3", 671.0, {"model_type": "deepseek_v3"}),
    "glm4_moe": Model("GLM-4.5-Air", 106.9, {
        "model_type": "glm4_moe", "attention_bias": True, "num_nextn_predict_layers": 0}),
    "lfm2": Model("LFM2-1.2B", 1.17, {
        "model_type": "lfm2", "hidden_size": 2048, "num_hidden_layers": 16, "intermediate_size": 12_288,
        "layer_types": kinds(16, [2, 5, 8, 10, 12, 14], "conv")}),
    "lfm2_moe": Model("LFM2-8B-A1B", 8.3, {
        "model_type": "lfm2_moe", "num_hidden_layers": 24, "num_dense_layers": 2,
        "layer_types": kinds(24, [2, 6, 10, 14, 18, 21], "conv")}),
    "granite": Model("Granite-3.3-8B", 8.17, GRANITE | {
        "model_type": "granite", "intermediate_size": 12_800, "num_hidden_layers": 40, "num_key_value_heads": 8,
        "vocab_size": 49_159, "attention_multiplier": 0.0078125, "logits_scaling": 16.0}),
    "granitemoe": Model("Granite-3.1-3B-A800M", 3.3, GRANITE | {
        "model_type": "granitemoe", "hidden_size": 1536, "intermediate_size": 512, "num_attention_heads": 24,
        "num_key_value_heads": 8, "num_local_experts": 40, "num_experts_per_tok": 8, "vocab_size": 49_155,
        "attention_multiplier": 0.015625, "logits_scaling": 6.0}),
    "granitemoehybrid": Model("Granite-4.0-H-Tiny", 6.9, GRANITE_HYBRID | {
        "hidden_size": 1536, "intermediate_size": 512, "shared_intermediate_size": 1024, "num_attention_heads": 12,
        "num_key_value_heads": 4, "num_local_experts": 64, "num_experts_per_tok": 6, "mamba_n_heads": 48,
        "logits_scaling": 6.0}),
    "granitemoehybrid_dense": Model("Granite-4.0-H-Micro", 3.2, GRANITE_HYBRID | {
        "hidden_size": 2048, "intermediate_size": 8192, "shared_intermediate_size": 8192, "num_attention_heads": 32,
        "num_key_value_heads": 8, "num_local_experts": 0, "num_experts_per_tok": 0, "mamba_n_heads": 64,
        "logits_scaling": 8.0}),
    "nemotron_h": Model("Nemotron-Nano-9B-v2", 8.9, NEMOTRON | {
        "hidden_size": 4480, "intermediate_size": 15_680, "num_hidden_layers": 56, "num_attention_heads": 40,
        "num_key_value_heads": 8, "mamba_num_heads": 128, "mamba_head_dim": 80, "n_groups": 8,
        "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"}),
    "nemotron_h_moe": Model("Nemotron-3-Nano-30B-A3B", 31.6, NEMOTRON | {
        "hidden_size": 2688, "intermediate_size": 1856, "num_hidden_layers": 52, "num_attention_heads": 32,
        "num_key_value_heads": 2, "mamba_num_heads": 64, "mamba_head_dim": 64, "n_groups": 8, "n_routed_experts": 128,
        "num_experts_per_tok": 6, "moe_intermediate_size": 1856, "moe_shared_expert_intermediate_size": 3712,
        "n_shared_experts": 1, "n_group": 1, "topk_group": 1, "norm_topk_prob": True, "routed_scaling_factor": 2.5,
        "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"}),
    "ministral3": Model("Ministral-3-8B", 8.5, MINISTRAL),
    "mistral3": Model("Ministral-3-8B, of a model that sees", 8.5, MINISTRAL, around="mistral3"),
    "smollm3": Model("SmolLM3-3B", 3.08, {"model_type": "smollm3"}),
    "olmo2": Model("OLMo-2-7B", 7.3, {"model_type": "olmo2", "vocab_size": 100_352, "max_position_embeddings": 4096}),
    "olmo3": Model("Olmo-3-7B", 7.3, {
        "model_type": "olmo3", "vocab_size": 100_278, "sliding_window": 4096, "max_position_embeddings": 65_536,
        "layer_types": every(32, 4), "rope_parameters": {
            "full_attention": yarn(8.0, 8192, 500_000.0, attention_factor=1.2079441541679836),
            "sliding_attention": {"rope_type": "default", "rope_theta": 500_000.0}}}),
    "seed_oss": Model("Seed-OSS-36B", 36.2, {
        "model_type": "seed_oss", "hidden_size": 5120, "attention_bias": True, "attention_out_bias": False,
        "mlp_bias": False}),
    "ernie4_5": Model("ERNIE-4.5-0.3B", 0.36, {"model_type": "ernie4_5"}),
    "hunyuan": Model("Hunyuan-7B", 7.5, {
        "model_type": "hunyuan_v1_dense", "intermediate_size": 14_336, "num_key_value_heads": 8, "head_dim": 128,
        "vocab_size": 128_167, "tie_word_embeddings": True,
        "rope_scaling": {"type": "dynamic", "alpha": 1000.0, "factor": 1.0}}),
    "exaone4": Model("EXAONE-4.0-32B", 32.0, {
        "model_type": "exaone4", "hidden_size": 5120, "intermediate_size": 27_392, "num_hidden_layers": 64,
        "num_attention_heads": 40, "num_key_value_heads": 8, "sliding_window": 4096, "sliding_window_pattern": "LLLG",
        "layer_types": every(64, 4)}),
}
