#!/usr/bin/env python3
"""What prompt lookup gains where an answer repeats what the session has seen, at the size of Phi-3-mini.

usage: speculation.py FOLDER [--server PATH] [--runs N] [--flags "..."]

Writes a model in the exact shapes of Phi-3-mini-4k (MLX, 4 bits, 2.15 GB) into FOLDER unless it is there, whose greedy
answers go round in a circle after some hundred tokens. Asks the same of a server that speculates and of one that does not,
in turn, each for --tokens tokens, and prints the speed of the last quarter, which repeats, and that of the first tokens,
which do not. The two texts must be equal.

Python needs numpy to write the model.
"""

import argparse
import contextlib
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


QUESTION = "What is the sum of 23 and 45?"


def answer(port: int, tokens: int, question: str = QUESTION, temperature: float = 0) -> tuple[str, list[float]]:
    """The text of one answer, and when each of its pieces came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1200)
    body = {
        "model": "x", "max_tokens": tokens, "stream": True, "temperature": temperature,
        "messages": [{"role": "user", "content": question}]}
    connection.request("POST", "/v1/messages", json.dumps(body), {"authorization": "Bearer test-api-key-12345"})
    response = connection.getresponse()
    pieces, times = [], []
    for line in response:
        if line.startswith(b"data: ") and b'"text_delta"' in line:
            pieces.append(json.loads(line[6:])["delta"]["text"])
            times.append(time.monotonic())
    connection.close()
    if response.status != 200 or len(pieces) < 2:
        sys.exit(f"no answer: status {response.status}, {len(pieces)} pieces")
    return "".join(pieces), times


def counted(port: int, source: str = ".*") -> dict[str, float]:
    """Of drafts from a source, and of all steps."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()

    def total(pattern: str) -> float:
        return sum(float(value) for value in re.findall(rf"^pensieve_{pattern} (\S+)", text, re.MULTILINE))

    counts = {name: total(rf'{name}_tokens_total\{{source="{source}"\}}') for name in ("drafted", "accepted")}
    return counts | {"steps": total("step_seconds_count"), "seconds": total("step_seconds_sum")}


@contextlib.contextmanager
def running(server: str, model: pathlib.Path, speculation: str, flags: list[str]):
    """A server, as its port."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    process = subprocess.Popen(
        [server, "start", "--port", "0", "--model", str(model), "--kv-memory", str(1 << 30), "--speculation",
         speculation, *flags], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        for line in process.stderr:
            if found := re.search(r"ready at http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            sys.exit("the server did not start")
        yield int(found.group(1))
    finally:
        process.terminate()
        process.wait()


def run(server: str, folder: pathlib.Path, speculation: str, tokens: int, flags: list[str]) -> tuple[str, dict]:
    with running(server, folder, speculation, flags) as port:
        text, times = answer(port, tokens)
        counts = counted(port)
    if len(times) < tokens // 2:
        sys.exit(f"{len(times)} pieces of {tokens} tokens")
    quarter = len(times) // 4
    return text, {
        "new text tok/s": 63 / (times[63] - times[0]),
        "repeated text tok/s": (quarter - 1) / (times[-1] - times[-quarter]),
        "step ms": 1000 * counts["seconds"] / counts["steps"],
        "guesses accepted %": 100 * counts["accepted"] / max(1, counts["drafted"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=800)
    parser.add_argument("--flags", default="", help="more flags for the server")
    arguments = parser.parse_args()
    phi3.make(arguments.folder, repeats=True)
    texts, results = set(), {"on": [], "off": []}
    for _ in range(arguments.runs):
        for speculation in results:
            text, figures = run(
                arguments.server, arguments.folder, speculation, arguments.tokens, arguments.flags.split())
            texts.add(text)
            results[speculation].append(figures)
    for name in results["on"][0]:
        medians = {key: statistics.median(figures[name] for figures in runs) for key, runs in results.items()}
        ratio = f"   {medians['on'] / medians['off']:.2f} times" if medians["off"] else ""
        print(f"{name:22} speculation on {medians['on']:7.1f}   off {medians['off']:7.1f}{ratio}")
    print("all answers equal" if len(texts) == 1 else f"ANSWERS DIFFER: {len(texts)} texts")
    sys.exit(len(texts) != 1)


if __name__ == "__main__":
    main()
