"""Measures OpenVINO GenAI with continuous batching, as engine.c does llama.cpp.

usage: openvino_engine.py MODEL THREADS REPEATS PROMPTS SESSIONS CONTEXTS DECODED

Prints JSON: tokens per second of prompts of so many tokens, the median of REPEATS, and of steps of so many sessions behind so
many. Needs `openvino-genai` from PyPI.
"""

import json
import random
import statistics
import sys
import time

import numpy as np
import openvino
import openvino_genai


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")] if text != "none" else []


def main():
    model, threads, repeats, prompts, sessions, contexts, decoded = sys.argv[1:]
    prompts, sessions, contexts, decoded = numbers(prompts), numbers(sessions), numbers(contexts), int(decoded)
    scheduling = openvino_genai.SchedulerConfig()
    scheduling.cache_size = 4
    scheduling.max_num_batched_tokens = 512
    scheduling.max_num_seqs = 64
    scheduling.enable_prefix_caching = False
    pipeline = openvino_genai.ContinuousBatchingPipeline(
        model, scheduling, "CPU", {"INFERENCE_NUM_THREADS": int(threads), "PERFORMANCE_HINT": "LATENCY"})
    random.seed(1)

    def run(count: int, length: int, generated: int) -> float:
        tokens = [
            openvino.Tensor(np.array([[random.randrange(1000, 20_000) for _ in range(length)]], np.int64))
            for _ in range(count)]
        settings = openvino_genai.GenerationConfig(max_new_tokens=generated, ignore_eos=True, do_sample=False)
        begin = time.monotonic()
        pipeline.generate(tokens, [settings] * count)
        return time.monotonic() - begin

    figures = {}
    for count in prompts:
        # The first time there is work for each new shape.
        run(1, count, 1)
        figures[f"prefill {count}"] = statistics.median(count / run(1, count, 1) for _ in range(int(repeats)))
    for context in contexts:
        for count in sessions:
            # The difference is that of the steps alone: enough of them that the prompts' time cancels out.
            run(count, context, 2)
            steps = 4 * decoded
            short, long = run(count, context, 2), run(count, context, 2 + steps)
            figures[f"decode {count} at {context}"] = count * steps / (long - short)
    print(json.dumps(figures))


main()
