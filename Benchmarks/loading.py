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

Python needs numpy to write the model.
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

import phi3


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
    phi3.make(arguments.folder)
    warm(arguments.folder)
    results = [run(arguments.server, arguments.folder, arguments.kv_memory) for _ in range(arguments.runs)]
    for name in results[0]:
        values = [result[name] for result in results]
        print(f"{name:20} {statistics.median(values):10.2f}   of " + " ".join(f"{v:.2f}" for v in values))


main()
