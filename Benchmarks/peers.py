#!/usr/bin/env python3
"""A model's speed in several engines on the same machine: each reads the same GGUF file, in turn.

usage: peers.py WORKDIR MODEL [--rows ROWS] [--modes MODES] [--openvino PYTHON] [--threads N] [--runs N]

Builds llama.cpp and ik_llama.cpp in WORKDIR from PyPI's source packages (about a quarter of an hour on two cores). Prints a
table of medians in tokens per second, and ours as multiples of the best of the others. What is known of a model is in
WORKDIR/peers.json: an interrupted run of the same build goes on there. Keys and values are bytes with ours, in f16 with llama.cpp
and ik_llama.cpp, and as OpenVINO chooses: each engine's default.

MODEL is a GGUF file, or Q4_0, Q4_K_M or Q8_0: random weights in the shape of Phi-3-mini, which are written into WORKDIR.

  --rows ROWS        such as 'prefill:128,512 decode:1,4,16@128 decode:1@2048' (this is the default)
  --modes MODES      our --activations, by commas (default mixed,int8)
  --openvino PYTHON  a Python that has `openvino-genai`, to measure that too
  --avx2             as on processors that have AVX2 and nothing after it: ours with those kernels, and llama.cpp, which is
                     built anew for that, alone
  --without NAMES    engines to leave out, by commas: llama.cpp, ik_llama.cpp
  --threads N        of each (default: one for each core)
  --runs N           of each, in turn (default 3)
  --fresh            forget what is known of this model

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
from client import Failure  # noqa: E402
from engines import Work  # noqa: E402
from models import Models  # noqa: E402
from peer import IK_LLAMA_CPP, LLAMA_CPP, LLAMA_CPP_AVX2, Peer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workdir", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("--rows", default="prefill:128,512 decode:1,4,16@128 decode:1@2048")
    parser.add_argument("--modes", type=lambda text: text.split(","), default=["mixed", "int8"])
    parser.add_argument("--openvino")
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--without", type=lambda text: text.split(","), default=[])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / ".build" / "release" / "pensieve")
    return parser.parse_args()


def works(rows: str, threads: int) -> list[Work]:
    def numbers(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split(","))

    found = []
    for part in rows.split():
        kind, _, rest = part.partition(":")
        if kind == "prefill":
            found.append(Work(threads, numbers(rest), (), ()))
        else:
            sessions, _, contexts = rest.partition("@")
            found.append(Work(threads, (), numbers(sessions), numbers(contexts)))
    return found


def model_file(options: argparse.Namespace) -> pathlib.Path:
    if not Models.PATHS.get(options.model, "").endswith(".gguf"):
        return pathlib.Path(options.model)
    models = Models(options.workdir / "models", Peer(options.workdir, LLAMA_CPP).vocabulary)
    models.make([options.model])
    return models.path(options.model)


def sides(options: argparse.Namespace) -> dict:
    """What measures some work, by the name of an engine."""
    kernels = ["--kernels", "avx2"] if options.avx2 else []
    found = {mode: lambda work, mode=mode: engines.pensieve(
        options.server, options.model, work, ["--activations", mode, *kernels]) for mode in options.modes}
    peers = {"llama.cpp": LLAMA_CPP_AVX2} if options.avx2 else {"llama.cpp": LLAMA_CPP, "ik_llama.cpp": IK_LLAMA_CPP}
    for name, package in peers.items():
        if name not in options.without:
            program = Peer(options.workdir, package).engine()
            found[name] = lambda work, program=program: engines.library(program, options.model, work)
    if options.openvino:
        found["OpenVINO"] = lambda work: engines.openvino(options.openvino, options.model, work)
    return found


def table(runs: dict, modes: list[str]) -> list[str]:
    names = list(runs)
    lines = ["| | " + " | ".join(names + [f"{mode} / best other" for mode in modes]) + " |"]
    lines.append("|---" * (1 + len(names) + len(modes)) + "|")
    for row in dict.fromkeys(row for name in names for row in runs[name]):
        medians = {name: statistics.median(runs[name][row]) for name in names if runs[name].get(row)}
        others = [medians[name] for name in medians if name not in modes]
        cells = [f"{medians[name]:,.{0 if medians[name] >= 100 else 1}f}" if name in medians else "–" for name in names]
        ratios = [f"{medians[mode] / max(others):.2f}" if others and mode in medians else "–" for mode in modes]
        lines.append(f"| {row} | " + " | ".join(cells + ratios) + " |")
    return lines


def main():
    options = arguments()
    options.model = model_file(options)
    path = options.workdir / "peers.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    measured_on = {"threads": options.threads, "build": options.server.stat().st_mtime}
    key = options.model.name + (" with AVX2" if options.avx2 else "")
    before = known.get(key, {})
    same = not options.fresh and all(before.get(name) == value for name, value in measured_on.items())
    runs = before["runs"] if same else {}
    known[key] = measured_on | {"runs": runs}
    machine.warm(options.model)
    measured = sides(options)
    for run in range(options.runs):
        for work in works(options.rows, options.threads):
            for name in list(measured) if run % 2 == 0 else list(measured)[::-1]:
                figures = runs.setdefault(name, {})
                if all(len(figures.get(row, [])) > run for row in work.rows):
                    continue
                try:
                    found = measured[name](work)
                except Failure as failure:
                    print(f"{name}: {failure}", file=sys.stderr, flush=True)
                    continue
                for row, speed in found.items():
                    figures.setdefault(row, []).append(speed)
                path.write_text(json.dumps(known, indent=1) + "\n")
                print(f"{time.strftime('%H:%M:%S')} {name}: {found}", file=sys.stderr, flush=True)
    print("\n".join(table({name: runs[name] for name in measured if name in runs}, options.modes)))


main()
