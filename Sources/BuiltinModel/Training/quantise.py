"""Affine quantisation in the layout of MLX: w = scale * q + bias in groups along the input, q packed in 32-bit words."""

import json
import os

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

GROUP, BITS = 64, 8


def pack(weight):
    """float32 [out, in] -> (packed uint32 [out, in * BITS / 32], scales, biases as float16 [out, in / GROUP])"""
    out, width = weight.shape
    groups = weight.reshape(out, width // GROUP, GROUP).astype(np.float32)
    low, high = groups.min(-1), groups.max(-1)
    scales = np.maximum((high - low) / (2 ** BITS - 1), 1e-6).astype(np.float16)
    biases = low.astype(np.float16)
    q = np.rint((groups - biases.astype(np.float32)[..., None]) / scales.astype(np.float32)[..., None])
    q = np.clip(q, 0, 2 ** BITS - 1).astype(np.uint8).reshape(out, width)
    return np.ascontiguousarray(q).view("<u4"), scales, biases


def unpack(packed, scales, biases):
    q = np.ascontiguousarray(packed).view(np.uint8).astype(np.float32)
    groups = q.reshape(q.shape[0], -1, GROUP)
    w = groups * scales.astype(np.float32)[..., None] + biases.astype(np.float32)[..., None]
    return w.reshape(q.shape)


def write(model, folder):
    tensors = {}
    for name, p in model.state_dict().items():
        value = p.detach().float().numpy()
        if value.ndim == 2:
            base = name.removesuffix(".weight")
            tensors[name], tensors[base + ".scales"], tensors[base + ".biases"] = pack(value)
        else:
            tensors[name] = value.astype(np.float16)
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "mlx"})


def read(model, folder):
    """Fills `model` with the weights that the file stands for."""
    tensors = load_file(os.path.join(folder, "model.safetensors"))
    state = {}
    for name, value in tensors.items():
        if name.endswith((".scales", ".biases")):
            continue
        if value.dtype == np.uint32:
            base = name.removesuffix(".weight")
            value = unpack(value, tensors[base + ".scales"], tensors[base + ".biases"])
        state[name] = torch.from_numpy(np.array(value, dtype=np.float32))
    model.load_state_dict(state)
    return model


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat_template.jinja")) as template:
    CHAT_TEMPLATE = template.read().strip()


def write_configs(config, tokenizer, folder):
    end, text_end = tokenizer.token_to_id("<|end|>"), tokenizer.token_to_id("<|endoftext|>")
    how = {"group_size": GROUP, "bits": BITS, "mode": "affine"}
    files = {
        "config.json": {
            "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "vocab_size": config.vocab_size, "hidden_size": config.hidden_size,
            "intermediate_size": config.intermediate_size, "num_hidden_layers": config.num_hidden_layers,
            "num_attention_heads": config.num_attention_heads, "num_key_value_heads": config.num_key_value_heads,
            "rms_norm_eps": config.rms_norm_eps, "rope_theta": config.rope_theta, "rope_scaling": None, "hidden_act": "silu",
            "max_position_embeddings": config.max_position_embeddings,
            "original_max_position_embeddings": config.max_position_embeddings, "attention_bias": False, "attention_dropout": 0.0,
            "embd_pdrop": 0.0, "resid_pdrop": 0.0, "sliding_window": None, "tie_word_embeddings": False, "use_cache": True,
            "torch_dtype": "float16", "bos_token_id": text_end, "eos_token_id": [end, text_end], "pad_token_id": text_end,
            "quantization": how, "quantization_config": how,
        },
        "generation_config.json": {"bos_token_id": text_end, "eos_token_id": [end, text_end], "pad_token_id": text_end, "do_sample": False},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "add_eos_token": False, "bos_token": None,
            "eos_token": "<|end|>", "pad_token": "<|endoftext|>", "unk_token": None, "clean_up_tokenization_spaces": False,
            "model_max_length": config.max_position_embeddings, "chat_template": CHAT_TEMPLATE,
        },
    }
    for name, value in files.items():
        with open(os.path.join(folder, name), "w") as f:
            json.dump(value, f, indent=2, ensure_ascii=False)
            f.write("\n")
