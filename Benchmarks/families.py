#!/usr/bin/env python3
"""The speed of models of many kinds beside llama.cpp: both programs read the same file, in turn.

usage: families.py WORKDIR [NAME …] [--threads N] [--runs N] [--layers N] [--prompt N] [--tokens N] [--modes MODES]

Writes models with random weights in the shapes of published ones into WORKDIR, with as many layers as `LAYERS` says, and
measures a prompt (of 512 tokens), and decoding (16 tokens) after it in 1 and in 16 sessions, with `pensieve bench` and
`compare/engine.c` (llama.cpp's library is built in WORKDIR/peer as `Benchmarks/compare` does). Prints a table of medians, ours
beside llama.cpp's, and the figures of each run to WORKDIR/families.json, where those of other names stay. Keys and values are
bytes with ours and in f16 with llama.cpp: each engine's default.

  --threads N     on both sides (default: one for each core)
  --runs N        of each side, in turn (default 3)
  --modes MODES   our --activations, by commas (default mixed,int8)
  --flags FLAGS   more flags for pensieve, such as '--kv-type f16'
  --serve         instead: starts the server with each model, asks it once, and prints the memory it holds, which must
                  stay below that of the file, the KV memory and 300 MB
  --report        only the table of what is known

Python needs: pip install numpy gguf cmake ninja
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "compare"))

import engines  # noqa: E402
import machine  # noqa: E402
import serving  # noqa: E402
import shapes  # noqa: E402
from client import Failure  # noqa: E402
from engines import Work  # noqa: E402
from peer import Peer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
SESSIONS = 16
# How many of a model's layers are written: as many as a machine of 24 GB holds twice, as llama.cpp may.
LAYERS = {
    "qwen3.5-4b": 32, "glm-4.7-flash": 8, "qwen3-30b-a3b": 12, "gpt-oss-20b": 8, "gemma-4-e4b": 42, "qwen3.5-35b-a3b": 12}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workdir", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(shapes.SHAPES))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--modes", type=lambda text: text.split(","), default=["mixed", "int8"])
    parser.add_argument("--flags", default="")
    parser.add_argument("--peer", type=pathlib.Path)
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / ".build" / "release" / "pensieve")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--report", action="store_true")
    return parser.parse_intermixed_args()


def measure(options: argparse.Namespace, program: pathlib.Path, name: str, model: pathlib.Path, known: dict, save):
    work = Work(options.threads, (options.prompt,), (1, SESSIONS), (options.prompt,), options.tokens)
    sides = {mode: lambda mode=mode: engines.pensieve(
        options.server, model, work, ["--activations", mode, *options.flags.split()]) for mode in options.modes}
    sides["llama.cpp"] = lambda: engines.library(program, model, work)
    runs = {side: [] for side in sides}
    known[name] = {"layers": layers(options, name), "bytes": model.stat().st_size, "rows": work.rows, "runs": runs}
    machine.warm(model)
    for run in range(options.runs):
        for side in list(sides) if run % 2 == 0 else list(sides)[::-1]:
            figures = sides[side]()
            runs[side].append(figures)
            save()
            print(f"{time.strftime('%H:%M:%S')} {name} {side}: {figures}", file=sys.stderr, flush=True)


def layers(options: argparse.Namespace, name: str) -> int:
    return options.layers or LAYERS[name]


def table(known: dict) -> list[str]:
    lines = ["| | layers | activations | prompt | 1 session | 16 sessions |", "|---|---|---|---|---|---|"]
    for name, one in known.items():
        shape, runs = shapes.SHAPES[name](), one.get("runs", {})
        if not runs or not all(runs.values()):
            continue
        for mode in runs:
            if mode == "llama.cpp":
                continue
            cells = []
            for row in one["rows"]:
                own, other = (statistics.median(run[row] for run in runs[side]) for side in (mode, "llama.cpp"))
                cells.append(f"{own:.3g} / {other:.3g} = {own / other:.2f}")
            lines.append(f"| {shape.title} | {one['layers']} of {shape.layers} | {mode} | " + " | ".join(cells) + " |")
    return lines


def serve(options: argparse.Namespace, name: str, model: pathlib.Path) -> str:
    """Starts the server, asks once, and tells what memory it holds."""
    try:
        served = serving.serve(
            options.server, model, options.workdir / f"{name}.log", 400, options.threads, options.flags.split())
    except Failure as failure:
        sys.exit(str(failure))
    shape = shapes.SHAPES[name]()
    return f"| {shape.title} | {layers(options, name)} of {shape.layers} | {served.cells} |"


def main():
    options = arguments()
    if "--activations" in options.flags:
        sys.exit("--modes says which activations are measured")
    peer = Peer(options.peer or options.workdir / "peer")
    path = options.workdir / "families.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    program = None if options.report or options.serve else peer.engine()
    for name in [] if options.report else options.names or list(LAYERS):
        vocabularies = peer.sources / "models"
        model = shapes.file_of(name, layers(options, name), options.workdir, vocabularies)
        if options.serve:
            print(serve(options, name, model), flush=True)
            continue
        measure(options, program, name, model, known, lambda: path.write_text(json.dumps(known, indent=1) + "\n"))
    if not options.serve:
        print("\n".join(table(known)))


main()
