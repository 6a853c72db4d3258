"""Pensieve beside llama.cpp on the same machine: one command, one table.

usage: python3 Benchmarks/compare WORKDIR [flags]

Builds llama.cpp in WORKDIR from PyPI's source package, writes a model of Phi-3-mini's shape with random weights there
(6.7 GB in three forms), and runs both programs in turn: prefill and decode of bare engines (`pensieve bench`,
`llama-batched-bench`), and both servers through /v1/messages. The figures are kept in WORKDIR/results.json: an interrupted
run goes on there. At the end, and whenever it is called with --report, it writes a table and a plot.

Python needs: pip install numpy gguf cmake ninja
"""

import argparse
import datetime
import fnmatch
import pathlib
import sys
import time

import machine
from client import Failure
from models import Models
from peer import Peer
from plot import Plot
from report import PAIRS, Report
from results import Results
from servers import LlamaCpp, Pensieve
from workload import Group, Row, Served, groups

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 Benchmarks/compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workdir", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="tiny counts, one run: tries the way, measures nothing")
    parser.add_argument("--only", metavar="ROWS", help="rows or groups, by commas, such as 'serve-16,decode-*'")
    parser.add_argument("--again", action="store_true", help="forget what is known of these rows and run them anew")
    parser.add_argument("--fresh", action="store_true", help="forget everything")
    parser.add_argument("--runs", type=int, default=3, help="runs of each row (default 3)")
    parser.add_argument("--forms", default="all", help="of 'MLX 4-bit,Q4_0,Q4_K_M': ours to compare (default all)")
    parser.add_argument("--threads", type=int, help="of both sides (default: one for each core)")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one run of a group (default 1800)")
    parser.add_argument("--pensieve", "--server", type=pathlib.Path, default=ROOT / ".build" / "release" / "pensieve")
    parser.add_argument("--flags", default="", help="more flags for pensieve, such as '--activations int15'")
    parser.add_argument("--peer", type=pathlib.Path, help="where llama.cpp is or is built (default WORKDIR/peer)")
    parser.add_argument("--models", type=pathlib.Path, help="where the models are or go (default WORKDIR/models)")
    parser.add_argument("--vocabulary", type=pathlib.Path, help="a GGUF file (default: llama.cpp's of Phi-3)")
    parser.add_argument("--output", type=pathlib.Path, help="folder of compare.md and compare.svg (default WORKDIR)")
    parser.add_argument("--report", action="store_true", help="only write table and plot of what is known")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    return parser.parse_args()


class Comparison:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        options.workdir.mkdir(parents=True, exist_ok=True)
        self.groups = groups(options.quick)
        self.runs = 1 if options.quick else options.runs
        self.threads = options.threads or int(machine.describe()["cores"])
        self.peer = Peer(options.peer or options.workdir / "peer")
        vocabulary = options.vocabulary or self.peer.vocabulary
        self.models = Models(options.models or options.workdir / "models", vocabulary)
        forms = [pair.ours for pair in PAIRS] if options.forms == "all" else options.forms.split(",")
        self.pairs = [pair for pair in PAIRS if pair.ours in forms]
        if not self.pairs:
            raise SystemExit(f"--forms: none of {', '.join(pair.ours for pair in PAIRS)}")
        Served.logs = options.workdir / "logs"
        Served.logs.mkdir(exist_ok=True)

    def prepare(self):
        program = self.options.pensieve.resolve()
        if not program.exists():
            raise SystemExit(f"{program} is missing: swift build -c release")
        self.peer.build()
        self.models.make(sorted({form for pair in self.pairs for form in (pair.ours, pair.theirs)}))
        self.ours = Pensieve(program, self.models, self.threads, self.options.flags.split())
        self.theirs = LlamaCpp(self.peer, self.models, self.threads)
        state = program.stat()
        subject = {
            "pensieve": self.ours.version(), "bytes": state.st_size, "changed": int(state.st_mtime),
            "flags": self.options.flags, "llama.cpp": self.theirs.version(), "threads": self.threads,
            "quick": self.options.quick}
        path = self.options.workdir / ("quick.json" if self.options.quick else "results.json")
        if self.options.fresh:
            path.unlink(missing_ok=True)
        self.results = Results(path, subject)
        self.ours.kv_bytes = self.results.kv_bytes
        self.ours.limits = self.results.limits

    # MARK: Rows

    def chosen(self, group: Group) -> list[Row]:
        if not self.options.only:
            return group.rows
        patterns = self.options.only.split(",")
        return [
            row for row in group.rows
            if any(fnmatch.fnmatch(row.name, pattern) or fnmatch.fnmatch(group.name, pattern) for pattern in patterns)]

    def sides(self, group: Group, run: int) -> list[tuple]:
        """Who runs a group: ours of each form and theirs, in turn, the order turned around every other run."""
        pairs = self.pairs if group.all_forms else self.pairs[:1]
        sides = []
        for pair in pairs:
            for one in ((self.ours, pair.ours), (self.theirs, pair.theirs)):
                if one not in sides:
                    sides.append(one)
        return sides if run % 2 == 0 else sides[::-1]

    def run(self):
        if self.options.again:
            self.results.forget({row.name for group in self.groups for row in self.chosen(group)})
        for run in range(self.runs):
            for group in self.groups:
                if run == 0 or group.repeats:
                    self.run_group(group, run)
                    self.write()

    def run_group(self, group: Group, run: int):
        chosen = self.chosen(group)
        pending = [
            (side, form, [row for row in chosen if not self.results.has(row.name, side.name, form, run)])
            for side, form in self.sides(group, run)]
        pending = [(side, form, rows) for side, form, rows in pending if rows]
        if not pending:
            return
        for side, form, rows in pending:
            self.run_side(group, side, form, rows, run)

    def run_side(self, group: Group, side, form: str, rows: list[Row], run: int):
        print(f"{clock()}  {group.name}, run {run + 1}: {side.name} {form} … ", end="", flush=True, file=sys.stderr)
        start = time.monotonic()
        rows, left_out = self.possible(group, side, form, rows)
        outcomes = {row.name: {"reason": reason} for row, reason in left_out}
        if rows:
            try:
                figures = group.measure(side, form, rows, run, start + self.options.timeout)
                outcomes |= {
                    row.name: {"figures": figures[row.name]} if row.name in figures else {"reason": "left out"}
                    for row in rows}
            except Failure as failure:
                outcomes |= {row.name: {"reason": f"failed: {failure}"} for row in rows}
        for name, outcome in outcomes.items():
            more = {"at": now(), "load": machine.load(), "seconds": round(time.monotonic() - start, 1)}
            self.results.put(name, side.name, form, run, outcome | more)
        self.results.save()
        reasons = {outcome["reason"] for outcome in outcomes.values() if "reason" in outcome}
        print(f"{time.monotonic() - start:.0f} s", *reasons, file=sys.stderr)

    @staticmethod
    def possible(group: Group, side, form: str, rows: list[Row]) -> tuple[list[Row], list[tuple[Row, str]]]:
        """The rows that fit this machine's memory, and why the others do not. A server has its slots whatever is asked;
        of bare engines, the largest rows are left out one by one."""
        left_out = []
        while rows and (reason := group.obstacle(side, form, rows)):
            if isinstance(group, Served):
                return [], [(row, reason) for row in rows]
            largest = max(rows, key=lambda row: row.sessions)
            left_out.append((largest, reason))
            rows = [row for row in rows if row is not largest]
        return rows, left_out

    # MARK: Table and plot

    def write(self):
        folder = self.options.output or self.options.workdir
        folder.mkdir(parents=True, exist_ok=True)
        report = Report(self.results, self.ours, self.theirs, self.models)
        about = machine.describe() | {
            "date": now(), "versions": f"pensieve {self.ours.version().split()[-1]}; {self.theirs.version()}",
            "threads": f"{self.threads} on each side"}
        if self.options.flags:
            about["flags of pensieve"] = self.options.flags
        lines = report.lines(self.groups, about, self.commands())
        (folder / "compare.md").write_text("\n".join(lines))
        (folder / "compare.svg").write_text(Plot(report, self.groups, self.pairs[0]).svg())

    def commands(self) -> list[str]:
        """What ran, without the folders of this machine; the first runs the whole again."""
        pair = self.pairs[0]
        commands = [
            ["python3", "Benchmarks/compare", "WORKDIR", *(["--quick"] if self.options.quick else [])],
            self.ours.bench_command(pair.ours, ["--prefill", "LIST", "--decode", "LIST", "--context", "N"]),
            self.theirs.bench_command(pair.theirs, "TOKENS", ["-npp", "N", "-ntg", "16", "-npl", "LIST", "-pps"]),
            self.ours.server_command(pair.ours, "PORT", 16, 1024),
            self.theirs.server_command(pair.theirs, "PORT", 16, 1024)]

        def plain(part: str) -> str:
            return pathlib.Path(part).name if part.startswith("/") else part

        return [" ".join(plain(str(part)) for part in command) for command in commands]


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def clock() -> str:
    return time.strftime("%H:%M:%S")


def main():
    comparison = Comparison(arguments())
    if comparison.options.list:
        for group in comparison.groups:
            for row in comparison.chosen(group):
                print(f"{row.name:20} {group.name:16} {row.title}")
        return
    comparison.prepare()
    if not comparison.options.report:
        comparison.run()
    comparison.write()
    folder = comparison.options.output or comparison.options.workdir
    print((folder / "compare.md").read_text())


main()
