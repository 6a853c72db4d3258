#!/usr/bin/env python3
"""What a draft model gains or costs: a server with it and one without, in turn.

usage: draft_model.py MODEL.gguf [DRAFT] [--layers N] [--folder FOLDER] [--server PATH] [--runs N] [--tokens N]

Asks both servers the same questions, at temperature 0 and at 0.7, and prints the speed of the answers, and how many of the
draft model's tokens were accepted. At temperature 0 all texts must be equal. Without DRAFT the draft model is made of the first
layers of MODEL, a GGUF file of the llama architecture: with few of them it is seldom right, and must cost next to nothing; with
all of them it is always right and costs as much as the model does.

  --layers N      how many layers (default 6)
  --folder FOLDER where the file of them is written (default: beside MODEL)

Python needs, to make a draft model: pip install gguf numpy
"""

import argparse
import pathlib
import re
import statistics
import sys

from recent_drafts import QUESTIONS
from speculation import answer, counted, running


def first_layers(model: pathlib.Path, layers: int, folder: pathlib.Path) -> pathlib.Path:
    """A file with the first layers of a model."""
    path = folder / f"{model.stem}-{layers}-layers.gguf"
    if path.exists():
        return path
    import gguf

    reader = gguf.GGUFReader(model)
    arch = reader.fields["general.architecture"].contents()
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, arch)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind = field.types[0]
        value = layers if name == f"{arch}.block_count" else field.contents()
        writer.add_key_value(name, value, kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        found = re.match(r"blk\.(\d+)\.", tensor.name)
        if not found or int(found.group(1)) < layers:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(path)
    return path


def run(options: argparse.Namespace, flags: list[str], temperature: float) -> tuple[list[str], float, dict]:
    """The answers, their median speed in tokens per second, and what became of the draft model's tokens."""
    texts, speeds = [], []
    with running(str(options.server), options.model, "on", flags) as port:
        for question in QUESTIONS:
            text, times = answer(port, options.tokens, question, temperature)
            texts.append(text)
            speeds.append((len(times) - 1) / (times[-1] - times[0]))
        return texts, statistics.median(speeds), counted(port, "model")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("draft", nargs="?", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--server", type=pathlib.Path, default=pathlib.Path(".build/release/pensieve"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=200)
    options = parser.parse_args()
    draft = options.draft or first_layers(options.model, options.layers, options.folder or options.model.parent)
    sides = {"with": ["--draft-model", str(draft)], "without": []}
    differ = False
    for temperature in (0.0, 0.7):
        runs = {side: [] for side in sides}
        for _ in range(options.runs):
            for side, flags in sides.items():
                runs[side].append(run(options, flags, temperature))
        speeds = {side: statistics.median(speed for _, speed, _ in some) for side, some in runs.items()}
        drafted, accepted = (statistics.median(counts[name] for *_, counts in runs["with"]) for name in ("drafted", "accepted"))
        print(
            f"temperature {temperature}: {speeds['with']:.0f} tokens per second, {speeds['without']:.0f} without: "
            f"{speeds['with'] / speeds['without']:.2f} times; {accepted:.0f} of {drafted:.0f} drafts accepted", flush=True)
        differ |= temperature == 0 and any(texts != runs["with"][0][0] for some in runs.values() for texts, *_ in some)
    sys.exit("ANSWERS DIFFER" if differ else 0)


main()
