#!/usr/bin/env python3
"""How long a model of Phi-3-mini's size takes to be ready, and what memory it takes beyond its file.

usage: loading.py FOLDER [--server PATH] [--runs N] [--kv-memory BYTES]

Writes a model with random weights in the exact shapes of Phi-3-mini-4k, in MLX form of 4 bits and groups of 64 (2.15 GB),
into FOLDER unless it is there, and starts the given server (default .build/release/pensieve) on it. Prints for each run,
and the medians:

  ready     from the start of the process to the banner, from a warm page cache
  resident  memory of the process after an answer, and what of it is beyond the file: that must stay under the KV memory
            and 300 MB, though as long as few KV blocks have been used it is far less
  peak      the most memory it ever had
  token     from a request of some 20 tokens to the first of its answer

Python needs numpy to write the model. The weights are of no use, but arithmetic and memory do not depend on them.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

LAYERS, HIDDEN, INTERMEDIATE, VOCABULARY, BITS, GROUP = 32, 3072, 8192, 32064, 4, 64
BUILTIN = pathlib.Path(__file__).parent.parent / "Sources" / "BuiltinModel" / "model" / "tokenizer.json"
CONFIGURATION = {
    "model_type": "phi3", "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE, "num_hidden_layers": LAYERS,
    "num_attention_heads": 32, "num_key_value_heads": 32, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "rope_scaling": None, "max_position_embeddings": 4096, "vocab_size": VOCABULARY, "sliding_window": 2047,
    "tie_word_embeddings": False, "hidden_act": "silu", "eos_token_id": 32000,
    "quantization": {"group_size": GROUP, "bits": BITS, "mode": "affine"},
}


# MARK: The model


def tensors():
    """Names, types and shapes of all tensors, in the order of the file."""
    matrices = [("model.embed_tokens", VOCABULARY, HIDDEN), ("lm_head", VOCABULARY, HIDDEN)]
    norms = ["model.norm"]
    for layer in range(LAYERS):
        path = f"model.layers.{layer}"
        matrices += [
            (f"{path}.self_attn.qkv_proj", 3 * HIDDEN, HIDDEN), (f"{path}.self_attn.o_proj", HIDDEN, HIDDEN),
            (f"{path}.mlp.gate_up_proj", 2 * INTERMEDIATE, HIDDEN), (f"{path}.mlp.down_proj", HIDDEN, INTERMEDIATE)]
        norms += [f"{path}.input_layernorm", f"{path}.post_attention_layernorm"]
    for path, rows, columns in matrices:
        yield f"{path}.weight", "U32", [rows, columns * BITS // 32]
        yield f"{path}.scales", "BF16", [rows, columns // GROUP]
        yield f"{path}.biases", "BF16", [rows, columns // GROUP]
    for path in norms:
        yield f"{path}.weight", "BF16", [HIDDEN]


def write_weights(path: pathlib.Path):
    import numpy as np

    def brain_floats(values):
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)

    header, offset, count = {}, 0, {"U32": 4, "BF16": 2}
    for name, kind, shape in tensors():
        size = count[kind] * int(np.prod(shape))
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    rng = np.random.default_rng(1)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, kind, shape in tensors():
            if kind == "U32":
                file.write(rng.bytes(4 * shape[0] * shape[1]))
            elif name.endswith("scales"):
                # Of either sign, so that the values have a deviation of 0.02.
                scales = rng.choice([-1, 1], shape) * rng.uniform(0.0035, 0.0052, shape)
                file.write(brain_floats(scales).tobytes())
            elif name.endswith("biases"):
                # Codes are 0 to 15: 7.5 scales less puts them about zero.
                file.write(brain_floats(-7.5 * scales).tobytes())
            else:
                file.write(brain_floats(np.ones(shape)).tobytes())


def write_tokenizer(path: pathlib.Path):
    """The built-in model's, with as many more tokens as the vocabulary has."""
    tokenizer = json.loads(BUILTIN.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    for number in range(len(vocabulary), VOCABULARY):
        vocabulary[f"filler{number}"] = number
    path.write_text(json.dumps(tokenizer))


def make(folder: pathlib.Path):
    if (folder / "model.safetensors").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"writing {folder} …", file=sys.stderr)
    (folder / "config.json").write_text(json.dumps(CONFIGURATION, indent=1))
    write_tokenizer(folder / "tokenizer.json")
    write_weights(folder / "model.safetensors.part")
    os.rename(folder / "model.safetensors.part", folder / "model.safetensors")


# MARK: The measurement


def warm(folder: pathlib.Path):
    with open(folder / "model.safetensors", "rb") as file:
        while file.read(1 << 24):
            pass


def memory(process: subprocess.Popen) -> dict[str, int]:
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return {name: int(value) * 1024 for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}


def first_token(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    body = {
        "model": "x", "max_tokens": 8, "stream": True,
        "messages": [{"role": "user", "content": "What is the sum of 23 and 45?"}]}
    start = time.monotonic()
    connection.request("POST", "/v1/messages", json.dumps(body), {"authorization": "Bearer test-api-key-12345"})
    answer = connection.getresponse()
    first = None
    # Random weights may answer with tokens that have no text: then the end of the message tells when.
    for line in answer:
        if first is None and line.startswith((b"event: content_block_delta", b"event: message_delta")):
            first = time.monotonic() - start
    connection.close()
    if answer.status != 200 or first is None:
        sys.exit(f"no answer: {answer.status}")
    return first


def run(server: str, folder: pathlib.Path, kv: int) -> dict[str, float]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    start = time.monotonic()
    process = subprocess.Popen(
        [server, "start", "--port", "0", "--model", str(folder), "--kv-memory", str(kv)],
        stderr=subprocess.PIPE, text=True, env=environment)
    try:
        for line in process.stderr:
            if found := re.search(r"ready at http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            sys.exit("the server did not start")
        ready = time.monotonic() - start
        token = first_token(int(found.group(1)))
        state = memory(process)
    finally:
        process.terminate()
        process.wait()
    file = (folder / "model.safetensors").stat().st_size
    return {
        "ready s": ready, "token s": token, "resident MB": state["VmRSS"] / 1e6, "file MB": file / 1e6,
        "beyond the file MB": (state["VmRSS"] - file) / 1e6, "KV memory MB": kv / 1e6, "peak MB": state["VmHWM"] / 1e6}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kv-memory", type=int, default=1 << 30)
    arguments = parser.parse_args()
    make(arguments.folder)
    warm(arguments.folder)
    results = [run(arguments.server, arguments.folder, arguments.kv_memory) for _ in range(arguments.runs)]
    for name in results[0]:
        values = [result[name] for result in results]
        print(f"{name:20} {statistics.median(values):10.2f}   of " + " ".join(f"{v:.2f}" for v in values))


main()
