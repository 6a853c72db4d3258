"""What engines compute per second of the same file, without a server: prompts, and steps of several sessions.

Each function gives figures by row, such as "prefill 512" or "decode 16 at 128", in tokens per second. Of prompts, unless they
are long or steps follow, each engine computes three in a row, and the median counts: the first finds caches cold, which takes
13 % of the time of a small model's.
"""

import dataclasses
import json
import pathlib

from servers import output

SECONDS = 3600


@dataclasses.dataclass(frozen=True)
class Work:
    """- prompts: lengths of prompts
    - sessions, contexts: steps of so many sessions, each behind so many tokens
    - decoded: steps"""

    threads: int
    prompts: tuple[int, ...]
    sessions: tuple[int, ...]
    contexts: tuple[int, ...]
    decoded: int = 16

    @property
    def repeats(self) -> int:
        return 3 if self.prompts and not self.sessions and max(self.prompts) <= 2048 else 1

    @property
    def rows(self) -> list[str]:
        return [f"prefill {count}" for count in self.prompts] + [
            f"decode {count} at {context}" for context in self.contexts for count in self.sessions]


def listed(numbers) -> str:
    return ",".join(map(str, numbers)) or "none"


def pensieve(program: pathlib.Path, model: pathlib.Path, work: Work, flags: list[str]) -> dict[str, float]:
    # A session's last tokens are the decoded ones.
    contexts = [context + work.decoded for context in work.contexts]
    report = json.loads(output([
        str(program), "bench", str(model), "--json", "--threads", str(work.threads), "--prefill", listed(work.prompts),
        "--decode", listed(work.sessions), "--context", listed(contexts), "--tokens", str(work.decoded), "--repeat",
        str(work.repeats), *flags], SECONDS))
    figures = {f"prefill {row['context']}": row["tokensPerSecond"] for row in report["prefill"]}
    return figures | {
        f"decode {row['sessions']} at {row['context'] - work.decoded}": row["tokensPerSecond"] for row in report["decode"]}


def library(program: pathlib.Path, model: pathlib.Path, work: Work) -> dict[str, float]:
    """llama.cpp or ik_llama.cpp: engine.c."""
    report = json.loads(output([
        str(program), str(model), str(work.threads), "speed", str(work.repeats),
        *map(listed, (work.prompts, work.sessions, work.contexts)), str(work.decoded)], SECONDS))
    return {f"prefill {count}": speed for count, speed in report["prefill"].items()} | {
        f"decode {row}": speed for row, speed in report["decode"].items()}


def openvino(python: str, model: pathlib.Path, work: Work) -> dict[str, float]:
    """OpenVINO GenAI, in a Python that has it."""
    script = pathlib.Path(__file__).with_name("openvino_engine.py")
    printed = output([
        python, str(script), str(model), str(work.threads), str(work.repeats),
        *map(listed, (work.prompts, work.sessions, work.contexts)), str(work.decoded)], SECONDS)
    return json.loads(printed.splitlines()[-1])
