"""The configurations of the tiny models that make_architecture_fixtures.py and make_gguf_fixtures.py make: each has what makes
its architecture special switched on."""

# Of rotary positions that are stretched: less than the tests' sequences.
ORIGINAL_LENGTH = 32
COMMON = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "tie_word_embeddings": False, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}
FACTORS = [1.0, 1.1, 1.3, 1.6, 2.0, 2.5, 4.0, 6.0]
# A sigmoid router with a correction, which chooses in groups, and a shared expert, after a dense layer.
EXPERTS = {
    "num_hidden_layers": 3, "n_routed_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 32,
    "n_shared_experts": 1, "n_group": 4, "topk_group": 2, "norm_topk_prob": True, "routed_scaling_factor": 1.7,
    "first_k_dense_replace": 1}
LATENT = {
    "num_key_value_heads": 4, "kv_lora_rank": 32, "q_lora_rank": 32, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16,
    "v_head_dim": 16}


def longrope(kind: str, pairs: int) -> dict:
    return {
        "original_max_position_embeddings": ORIGINAL_LENGTH,
        "rope_scaling": {"type": kind, "short_factor": [1 + f / 16 for f in FACTORS[:pairs]],
                         "long_factor": FACTORS[:pairs]},
    }


GEMMA4 = {name: value for name, value in COMMON.items() if name not in ("rope_theta", "hidden_act")} | {
    "model_type": "gemma4_text", "head_dim": 16, "global_head_dim": 32, "sliding_window": 20, "tie_word_embeddings": True,
    "vocab_size_per_layer_input": 64, "rope_parameters": {
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.5, "rope_theta": 1000000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}},
}
DELTA_NETS = {
    "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "attention_bias": False,
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 32,
    "linear_conv_kernel_dim": 4,
}
SHARED_EXPERT = {
    "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 64,
}
SCALES = {
    "embedding_multiplier": 3.0, "attention_multiplier": 0.4, "residual_multiplier": 0.6, "logits_scaling": 3.0}
# With larger embeddings each token would be followed by itself.
GRANITE_EXPERTS = SCALES | {
    "embedding_multiplier": 0.4, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
    "intermediate_size": 32, "num_local_experts": 6, "num_experts_per_tok": 2}
# Chunks shorter than the tests' sequences.
GRANITE_HYBRID = GRANITE_EXPERTS | {
    "num_hidden_layers": 4, "shared_intermediate_size": 64, "mamba_n_heads": 4, "mamba_n_groups": 2,
    "mamba_d_state": 32, "mamba_d_head": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_chunk_size": 16,
    "mamba_conv_bias": True, "position_embedding_type": "nope",
    "layer_types": ["mamba", "attention", "mamba", "mamba"]}
NEMOTRON = {name: value for name, value in COMMON.items() if name not in ("rms_norm_eps", "rope_theta", "hidden_act")} | {
    "model_type": "nemotron_h", "hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
    "layer_norm_epsilon": 1e-5, "mlp_hidden_act": "relu2", "mamba_hidden_act": "silu", "mamba_num_heads": 4,
    "mamba_head_dim": 80, "n_groups": 2, "ssm_state_size": 32, "conv_kernel": 4, "chunk_size": 16, "use_conv_bias": True,
    "time_step_limit": [0.0, float("inf")], "time_step_min": 1e-9}
NEMOTRON_EXPERTS = {
    "n_routed_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 64, "moe_latent_size": 32, "n_shared_experts": 1, "n_group": 4, "topk_group": 2,
    "norm_topk_prob": True, "routed_scaling_factor": 1.7}
LFM2_EXPERTS = {
    "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True, "norm_eps": 1e-5, "conv_L_cache": 3,
    "num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 32, "num_dense_layers": 1,
    "norm_topk_prob": True, "routed_scaling_factor": 1.7, "use_expert_bias": True}
SECTIONS = {
    "rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25, "mrope_interleaved": True,
    "mrope_section": [2, 1, 1]}

MODELS = {
    "phi3-128k": COMMON | longrope("su", 8) | {
        "model_type": "phi3", "num_attention_heads": 2, "sliding_window": None},
    "phi4-mini": COMMON | longrope("longrope", 6) | {
        "model_type": "phi3", "hidden_size": 64, "partial_rotary_factor": 0.75, "tie_word_embeddings": True,
        "sliding_window": 40},
    "llama": COMMON | {
        "head_dim": 16, "attention_bias": True, "mlp_bias": True,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": ORIGINAL_LENGTH}},
    "mistral": COMMON | {"head_dim": 16, "num_key_value_heads": 1, "sliding_window": 20},
    "qwen2": COMMON | {
        "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
        "use_sliding_window": True, "sliding_window": 20, "max_window_layers": 1},
    "qwen3": COMMON | {
        "head_dim": 16, "use_sliding_window": False, "sliding_window": None, "max_window_layers": 28,
        "attention_bias": False, "rope_scaling": {"type": "yarn", "factor": 4.0, "attention_factor": 1.2,
                                                  "original_max_position_embeddings": ORIGINAL_LENGTH}},
    "qwen3_moe": COMMON | {
        "num_hidden_layers": 3, "head_dim": 16, "num_experts": 6, "num_experts_per_tok": 2,
        "moe_intermediate_size": 32, "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [0],
        "attention_bias": False, "sliding_window": None, "use_sliding_window": False},
    "gemma2": COMMON | {
        "num_hidden_layers": 3, "head_dim": 16, "sliding_window": 20, "query_pre_attn_scalar": 24,
        "attn_logit_softcapping": 2.0, "final_logit_softcapping": 0.7, "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True},
    "gemma3_text": COMMON | {
        "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
        "sliding_window": 20, "sliding_window_pattern": 3, "query_pre_attn_scalar": 24, "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0},
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True},
    "granite": COMMON | {
        "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True, "attention_bias": True,
        "mlp_bias": False} | SCALES,
    # Layers with and without rotary positions; some of the latter have a window.
    "smollm3": COMMON | {
        "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
        "no_rope_layers": [1, 0, 1, 0], "use_sliding_window": True, "sliding_window": 20,
        "layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"],
        "attention_bias": False, "mlp_bias": False},
    "ministral3": COMMON | {
        "head_dim": 16, "sliding_window": 40,
        "rope_parameters": {"rope_type": "yarn", "type": "yarn", "rope_theta": 20000.0, "factor": 4.0,
                            "original_max_position_embeddings": ORIGINAL_LENGTH, "beta_fast": 8.0, "beta_slow": 1.0,
                            "mscale": 1.0, "mscale_all_dim": 0.7, "llama_4_scaling_beta": 0.4}},
    "olmo2": COMMON | {"hidden_size": 64, "num_hidden_layers": 4, "attention_bias": True},
    "olmo3": COMMON | {
        "hidden_size": 64, "num_hidden_layers": 4, "sliding_window": 20,
        "rope_parameters": {
            "full_attention": {"rope_type": "yarn", "rope_theta": 20000.0, "factor": 4.0, "attention_factor": 1.2,
                               "original_max_position_embeddings": ORIGINAL_LENGTH},
            "sliding_attention": {"rope_type": "default", "rope_theta": 20000.0}}},
    "seed_oss": COMMON | {
        "head_dim": 16, "attention_bias": True, "attention_out_bias": True, "mlp_bias": True, "attention_dropout": 0.0,
        "residual_dropout": 0.0},
    "ernie4_5": COMMON | {"head_dim": 16, "use_bias": True, "tie_word_embeddings": True},
    "hunyuan_v1_dense": COMMON | {
        "head_dim": 16, "attention_bias": True, "tie_word_embeddings": True,
        "rope_scaling": {"type": "dynamic", "alpha": 50.0, "factor": 1.0}},
    # The last layer sees all positions and has no rotary ones.
    "exaone4": COMMON | {
        "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "sliding_window": 20,
        "sliding_window_pattern": "LLLG", "layer_types": ["sliding_attention"] * 3 + ["full_attention"]},
    "gpt_oss": COMMON | {
        "num_hidden_layers": 3, "head_dim": 16, "num_local_experts": 6, "num_experts_per_tok": 3, "attention_bias": True,
        "sliding_window": 20, "swiglu_limit": 0.8, "swiglu_alpha": 1.5,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "beta_fast": 8.0, "beta_slow": 1.0, "truncate": False,
                         "original_max_position_embeddings": ORIGINAL_LENGTH}},
    # A second embedding, and layers that read the keys and values of the last layer of their kind before them.
    "gemma4_text": GEMMA4 | {
        "num_hidden_layers": 6, "num_kv_shared_layers": 2, "use_double_wide_mlp": True, "hidden_size_per_layer_input": 32,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "sliding_attention",
                        "sliding_attention", "full_attention"]},
    # Experts beside the dense network, and keys that are the values too.
    "gemma4_moe": GEMMA4 | {
        "num_hidden_layers": 3, "attention_k_eq_v": True, "num_global_key_value_heads": 1,
        "hidden_size_per_layer_input": 0, "final_logit_softcapping": 0.7, "enable_moe_block": True, "num_experts": 6,
        "top_k_experts": 2, "moe_intermediate_size": 32,
        "layer_types": ["sliding_attention", "full_attention", "full_attention"]},
    "glm4_moe": COMMON | EXPERTS | {
        "head_dim": 16, "partial_rotary_factor": 0.5, "attention_bias": True, "use_qk_norm": True,
        "num_nextn_predict_layers": 0},
    # Groups by their best expert; q straight from the hidden state; all factors of YaRN.
    "deepseek_v2": COMMON | EXPERTS | LATENT | {
        "qk_nope_head_dim": 16, "v_head_dim": 24, "q_lora_rank": None, "topk_method": "group_limited_greedy",
        "num_experts_per_tok": 3, "norm_topk_prob": False, "n_shared_experts": 2,
        "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 0.707, "mscale_all_dim": 0.707,
                         "original_max_position_embeddings": ORIGINAL_LENGTH}},
    "deepseek_v3": COMMON | EXPERTS | LATENT | {
        "attention_bias": True, "num_nextn_predict_layers": 0,
        "rope_scaling": {"type": "yarn", "factor": 8.0, "mscale": 1.0, "mscale_all_dim": 0.7,
                         "original_max_position_embeddings": ORIGINAL_LENGTH}},
    # Pairs of halves; dense layers by a list.
    "glm4_moe_lite": COMMON | EXPERTS | LATENT | {
        "rope_interleave": False, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2, "num_hidden_layers": 4,
        "mlp_layer_types": ["dense", "sparse", "dense", "sparse"], "num_nextn_predict_layers": 0},
    # Value heads wider than a strip of the kernels; a layer without experts; a pattern of layers of its own.
    "qwen3_next": COMMON | DELTA_NETS | SHARED_EXPERT | {
        "linear_value_head_dim": 80, "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [1],
        "partial_rotary_factor": 0.25,
        "layer_types": ["linear_attention", "full_attention", "linear_attention", "linear_attention"]},
    "qwen3_5_text": COMMON | DELTA_NETS | {"tie_word_embeddings": True, "rope_parameters": SECTIONS},
    "qwen3_5_moe_text": COMMON | DELTA_NETS | SHARED_EXPERT | {
        "linear_num_key_heads": 1, "num_hidden_layers": 2, "rope_parameters": SECTIONS, "full_attention_interval": 2},
    # Convolutions with biases, and a width that is not the one that config.json says.
    "lfm2": COMMON | {
        "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
        "norm_eps": 1e-5, "conv_L_cache": 3, "conv_bias": True, "intermediate_size": 120, "block_multiple_of": 32,
        "block_ffn_dim_multiplier": 1.0, "block_auto_adjust_ff_dim": True,
        "layer_types": ["conv", "full_attention", "conv", "conv"]},
    "lfm2_moe": COMMON | LFM2_EXPERTS | {
        "num_hidden_layers": 4, "conv_bias": True, "layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    "granitemoe": COMMON | GRANITE_EXPERTS | {"attention_bias": True},
    # Steps kept from being short and long.
    "granitemoehybrid": COMMON | GRANITE_HYBRID | {"mamba_proj_bias": True, "time_step_limit": [0.9, 1.6]},
    # One group, and attention with rotary positions.
    "granitemoehybrid_dense": COMMON | GRANITE_HYBRID | {
        "model_type": "granitemoehybrid", "num_local_experts": 0, "num_experts_per_tok": 0, "mamba_n_groups": 1,
        "mamba_d_head": "auto", "position_embedding_type": "rope", "mamba_conv_bias": False},
    "nemotron_h": NEMOTRON | {
        "hybrid_override_pattern": "M-*M", "num_hidden_layers": 4, "use_bias": True, "mlp_bias": True},
    "nemotron_h_moe": NEMOTRON | NEMOTRON_EXPERTS | {
        "hybrid_override_pattern": "ME*ME", "num_hidden_layers": 5, "n_groups": 4},
}
for name in ("qwen3_5_text", "qwen3_5_moe_text"):
    del MODELS[name]["rope_theta"]

# Those of make_gguf_fixtures.py, by what the files are called.
GGUF_MODELS = {
    "phi3": COMMON | longrope("longrope", 6) | {
        "model_type": "phi3", "hidden_size": 64, "partial_rotary_factor": 0.75, "tie_word_embeddings": True,
        "sliding_window": None},
    "llama": COMMON | {
        "head_dim": 16, "attention_bias": True,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 32}},
    "qwen2": COMMON | {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
    "qwen3": COMMON | {
        "head_dim": 16, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}},
    "qwen3moe": COMMON | {
        "model_type": "qwen3_moe", "head_dim": 16, "num_experts": 6, "num_experts_per_tok": 2,
        "moe_intermediate_size": 32, "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": []},
    "gemma2": COMMON | {
        "head_dim": 16, "sliding_window": 20, "query_pre_attn_scalar": 16, "attn_logit_softcapping": 2.0,
        "final_logit_softcapping": 0.7, "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True},
    "gemma3": COMMON | {
        "model_type": "gemma3_text", "num_hidden_layers": 6, "num_attention_heads": 2, "num_key_value_heads": 1,
        "head_dim": 32, "sliding_window": 20, "query_pre_attn_scalar": 32, "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0},
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True},
    "granite": COMMON | SCALES | {
        "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
    "smollm3": COMMON | {
        "num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
    "mistral3": MODELS["ministral3"] | {"model_type": "ministral3", "sliding_window": None},
    "olmo2": MODELS["olmo2"] | {"model_type": "olmo2"},
    "olmo3": MODELS["olmo3"] | {"model_type": "olmo3"},
    "seed_oss": MODELS["seed_oss"] | {"model_type": "seed_oss"},
    "ernie4_5": MODELS["ernie4_5"] | {"model_type": "ernie4_5", "use_bias": False, "rope_theta": 500000.0},
    "hunyuan-dense": MODELS["hunyuan_v1_dense"] | {"model_type": "hunyuan_v1_dense", "attention_bias": False},
    "exaone4": MODELS["exaone4"] | {"model_type": "exaone4"},
    "gpt-oss": MODELS["gpt_oss"] | {"model_type": "gpt_oss", "swiglu_limit": 7.0, "swiglu_alpha": 1.702},
    # All that the family has, which no model has together.
    "gemma4": GEMMA4 | {
        "num_hidden_layers": 6, "num_kv_shared_layers": 2, "use_double_wide_mlp": True, "hidden_size_per_layer_input": 32,
        "attention_k_eq_v": True, "num_global_key_value_heads": 1, "final_logit_softcapping": 0.7,
        "enable_moe_block": True, "num_experts": 6, "top_k_experts": 2, "moe_intermediate_size": 32,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention",
                        "sliding_attention", "full_attention"]},
    "glm4moe": COMMON | EXPERTS | {
        "model_type": "glm4_moe", "head_dim": 16, "partial_rotary_factor": 0.5, "attention_bias": True,
        "use_qk_norm": True, "num_nextn_predict_layers": 0},
    "deepseek2": COMMON | EXPERTS | LATENT | {
        "model_type": "deepseek_v3", "num_nextn_predict_layers": 0,
        "rope_scaling": {"type": "yarn", "factor": 8.0, "mscale": 0.7, "mscale_all_dim": 0.7,
                         "original_max_position_embeddings": 32}},
    "deepseek2-v2": COMMON | EXPERTS | LATENT | {
        "model_type": "deepseek_v2", "q_lora_rank": None, "topk_method": "group_limited_greedy",
        "norm_topk_prob": False, "n_shared_experts": 2,
        "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 0.707, "mscale_all_dim": 0.707,
                         "original_max_position_embeddings": 32}},
    "qwen3next": COMMON | DELTA_NETS | SHARED_EXPERT | {
        "model_type": "qwen3_next", "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "partial_rotary_factor": 0.25},
    "qwen35": COMMON | DELTA_NETS | {"model_type": "qwen3_5_text", "rope_parameters": SECTIONS},
    "lfm2": COMMON | {
        "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
        "norm_eps": 1e-5, "conv_L_cache": 3, "conv_bias": False, "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention", "conv"]},
    "qwen35moe": COMMON | DELTA_NETS | SHARED_EXPERT | {
        "model_type": "qwen3_5_moe_text", "rope_parameters": SECTIONS},
    "lfm2moe": COMMON | LFM2_EXPERTS | {
        "model_type": "lfm2_moe", "num_hidden_layers": 3, "conv_bias": False, "routed_scaling_factor": 1.0,
        "layer_types": ["conv", "full_attention", "conv"]},
    "granitemoe": COMMON | GRANITE_EXPERTS | {
        "model_type": "granitemoeshared", "shared_intermediate_size": 64},
    "granitehybrid": COMMON | GRANITE_HYBRID | {"model_type": "granitemoehybrid"},
    "granitehybrid-dense": COMMON | GRANITE_HYBRID | {
        "model_type": "granitemoehybrid", "num_local_experts": 0, "num_experts_per_tok": 0, "intermediate_size": 64,
        "mamba_n_groups": 1},
    "nemotron_h": NEMOTRON | {"hybrid_override_pattern": "M-*M", "num_hidden_layers": 4},
    "nemotron_h_moe": NEMOTRON | NEMOTRON_EXPERTS | {"hybrid_override_pattern": "ME*M", "num_hidden_layers": 4},
}

# Files whose architecture is not what they are called.
SAME_ARCHITECTURE = {"olmo3": "olmo2", "deepseek2-v2": "deepseek2", "granitehybrid-dense": "granitehybrid"}
# With a draft head behind the other layers.
for name in ("qwen35", "glm4moe", "deepseek2"):
    GGUF_MODELS[f"{name}-draft"] = GGUF_MODELS[name] | {"draft_head": True}
    SAME_ARCHITECTURE[f"{name}-draft"] = name
