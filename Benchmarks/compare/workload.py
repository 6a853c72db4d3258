"""What is measured: groups of rows, each of which one side runs in one go."""

import dataclasses
import pathlib
import statistics
import time

import client
import machine
from client import Failure
from servers import LlamaCpp, Pensieve, Server

# Beyond weights and KV: buffers, the program itself, the client.
SPARE = 1 << 30
DECODED = 16


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    - metric: which of a run's figures is compared; `higher` says which direction is better
    - sessions, context: what a step of it reads and computes, for its physical limit; no limit where sessions is 0
    """

    name: str
    title: str
    metric: str
    unit: str
    higher: bool
    sessions: int = 0
    context: int = 0
    extra: tuple[str, ...] = ()


class Group:
    """Rows that are measured together by `measure(side, form, rows, run)`, which gives each row's figures by name."""

    name: str
    rows: list[Row]
    # Whether also the other pairs of forms are compared, and whether more than one run is worth it.
    all_forms = False
    repeats = True

    def kv_tokens(self, rows: list[Row]) -> int:
        raise NotImplementedError

    def obstacle(self, side, form: str, rows: list[Row]) -> str | None:
        """Why a side cannot run some rows on this machine now; nil if it can. llama.cpp may hold its weights twice: as
        the file is and repacked."""
        weights = side.models.weights(form).stat().st_size * (2 if isinstance(side, LlamaCpp) else 1)
        needed = self.kv_tokens(rows) * side.kv_bytes_per_token(form) + weights + SPARE
        free = machine.memory()
        return f"needs {needed / 2**30:.1f} GiB of memory; {free / 2**30:.1f} are free" if needed > free else None


class Prefill(Group):
    name = "prefill"
    all_forms = True

    def __init__(self, lengths: list[int]):
        self.rows = [
            Row(f"prefill-{length}", f"prefill of {length:,} tokens", "tokens per second", "tok/s", True, length)
            for length in lengths]

    def kv_tokens(self, rows):
        return max(row.sessions for row in rows) + 256

    def measure(self, side, form, rows, run, deadline):
        lengths = ",".join(str(row.sessions) for row in rows)
        seconds = deadline - time.monotonic()
        if isinstance(side, Pensieve):
            report = side.bench(form, ["--prefill", lengths, "--decode", "none", "--repeat", "1"], seconds)
            speeds = {figure["context"]: figure["tokensPerSecond"] for figure in report["prefill"]}
        else:
            flags = ["-npp", lengths, "-ntg", "1", "-npl", "1"]
            speeds = {line["pp"]: line["speed_pp"] for line in side.bench(form, self.kv_tokens(rows), flags, seconds)}
        return {row.name: {"tokens per second": speeds[row.sessions]} for row in rows if row.sessions in speeds}


class Decode(Group):
    def __init__(self, context: int, sessions: list[int], all_forms: bool = False):
        self.name = f"decode at {context}"
        self.context, self.all_forms = context, all_forms
        self.rows = [
            Row(f"decode-{count}-at-{context}",
                f"decode, {count} {'session' if count == 1 else 'sessions'} at {context:,} tokens",
                "tokens per second", "tok/s", True, count, context)
            for count in sessions]

    def slot(self) -> int:
        """llama.cpp gives each session a multiple of 256 tokens."""
        return (self.context + 255) // 256 * 256

    def kv_tokens(self, rows):
        return max(row.sessions for row in rows) * self.slot()

    def measure(self, side, form, rows, run, deadline):
        counts = ",".join(str(row.sessions) for row in rows)
        seconds = deadline - time.monotonic()
        if isinstance(side, Pensieve):
            # Blocks of KV memory are whole.
            memory = max(row.sessions for row in rows) * (self.context + 16) * side.kv_bytes_per_token(form)
            report = side.bench(form, [
                "--prefill", "none", "--decode", counts, "--context", str(self.context), "--tokens", str(DECODED),
                "--repeat", "1", "--kv-memory", str(max(memory, 1 << 20))], seconds)
            speeds = {figure["sessions"]: figure["tokensPerSecond"] for figure in report["decode"]}
        else:
            # One prompt is computed and then copied (-pps): each session has keys and values of its own.
            flags = ["-npp", str(self.context - DECODED), "-ntg", str(DECODED), "-npl", counts, "-pps"]
            lines = side.bench(form, self.kv_tokens(rows), flags, seconds)
            speeds = {line["pl"]: line["speed_tg"] for line in lines}
        return {row.name: {"tokens per second": speeds[row.sessions]} for row in rows if row.sessions in speeds}


class Served(Group):
    """A group that talks to a server."""

    slots: int
    # Tokens of each; llama.cpp rounds up to 256.
    slot: int
    # Where the servers' output goes.
    logs: pathlib.Path

    def kv_tokens(self, rows):
        return self.slots * self.slot

    def start(self, side, form, run, deadline) -> Server:
        log = self.logs / f"{side.name}-{self.name}-{run}.log".replace(" ", "-")
        machine.warm(side.models.weights(form))
        return Server(side, form, self.slots, self.slot, log, deadline)


class Serve(Served):
    """All clients ask at once."""

    name = "serve"
    slot = 256

    def __init__(self, clients: list[int], words: int, tokens: int):
        self.words, self.tokens = words, tokens
        self.slots = max(clients)
        self.rows = [
            row for count in clients
            for row in (
                Row(f"serve-{count}", f"served, {count} {'client' if count == 1 else 'clients'}: speed in all",
                    "tokens per second", "tok/s", True, extra=("input tokens",)),
                Row(f"ttft-{count}", f"served, {count} {'client' if count == 1 else 'clients'}: median first token",
                    "first token", "s", False),
                Row(f"itl-{count}", f"served, {count} {'client' if count == 1 else 'clients'}: median between tokens",
                    "between tokens", "s", False))]

    def measure(self, side, form, rows, run, deadline):
        counts = sorted({int(row.name.split("-")[1]) for row in rows})
        result = {}
        with self.start(side, form, run, deadline) as server:
            client.together(server.port, [client.request(client.text(8, "warm"), 4)], deadline)
            for count in counts:
                # No prompt twice, so that no cache helps.
                bodies = [
                    client.request(client.text(self.words, f"{run} {count} {index}"), self.tokens)
                    for index in range(count)]
                figures = client.figures(client.together(server.port, bodies, deadline))
                result |= {row.name: figures for row in rows if row.name.endswith(f"-{count}")}
        return result


class Prefix(Served):
    """A long system prompt that one client has sent, and then several at once."""

    name = "prefix"

    def __init__(self, clients: int, words: int, tokens: int):
        self.clients, self.words, self.tokens = clients, words, tokens
        self.slots, self.slot = clients, (words + 128 + tokens + 255) // 256 * 256
        about = f"{clients} clients with the same system prompt of {words:,} tokens"
        self.rows = [
            Row("prefix", f"{about}: time in all", "wall", "s", False, extra=("cached tokens", "input tokens")),
            Row("prefix-ttft", f"{about}: median first token", "first token", "s", False)]

    def measure(self, side, form, rows, run, deadline):
        system = client.text(self.words, f"system {run}")
        bodies = [
            client.request(client.text(16, f"{run} {index}"), self.tokens, system) for index in range(self.clients + 1)]
        with self.start(side, form, run, deadline) as server:
            client.together(server.port, bodies[:1], deadline)
            figures = client.figures(client.together(server.port, bodies[1:], deadline))
        return {row.name: figures for row in rows}


class LongPrompt(Served):
    """A long prompt arrives while streams are running: how long do they stand still?"""

    name = "long prompt"
    # Enough that the streams outlast the prompt.
    streamed = 1024

    def __init__(self, streams: int, words: int):
        self.streams, self.words = streams, words
        self.slots, self.slot = streams + 1, (words + 256 + 255) // 256 * 256
        about = f"{words:,}-token prompt among {streams} streams"
        self.rows = [
            Row("long-gap", f"{about}: longest gap of a stream", "longest gap", "s", False,
                extra=("median gap before", "median gap meanwhile", "over the median meanwhile")),
            Row("long-ttft", f"{about}: its own first token", "first token", "s", False)]

    def measure(self, side, form, rows, run, deadline):
        tokens = min(self.streamed, self.slot - 192)
        bodies = [client.request(client.text(32, f"{run} {index}"), tokens) for index in range(self.streams)]
        with self.start(side, form, run, deadline) as server:
            streams = [client.Stream(server.port, body, deadline) for body in bodies]
            while any(len(stream.answer.arrivals) < 8 for stream in streams):
                failed = next((stream.answer.error for stream in streams if stream.answer.error), None)
                if failed or time.monotonic() > deadline:
                    raise Failure(failed or "the streams did not begin in time")
                time.sleep(0.01)
            prompt = client.request(client.text(self.words, f"long {run}"), 4)
            answer = client.Stream(server.port, prompt, deadline).finish(4)
            begin, end = answer.sent, answer.arrivals[0]
            # A gap that began before the first token is known when it ends.
            while any(stream.is_alive() and stream.answer.arrivals[-1] <= end for stream in streams):
                if time.monotonic() > deadline:
                    raise Failure("the streams did not go on in time")
                time.sleep(0.01)
            for stream in streams:
                stream.stopping = True
        figures = gap_figures([stream.answer for stream in streams], begin, end)
        return {row.name: figures | {"first token": answer.first} for row in rows}


def gap_figures(answers: list[client.Answer], begin: float, end: float) -> dict[str, float]:
    """Gaps of streams that overlap a span, and those before it."""
    before = [gap for answer in answers for gap in answer.gaps(until=begin)]
    meanwhile = [
        later - earlier for answer in answers for earlier, later in zip(answer.arrivals, answer.arrivals[1:])
        if later > begin and earlier < end]
    median = statistics.median(meanwhile)
    return {
        "longest gap": max(meanwhile), "median gap before": statistics.median(before),
        "median gap meanwhile": median, "over the median meanwhile": max(meanwhile) / median}


class Start(Served):
    """How long a server takes to be ready from a warm file cache, and what it takes then."""

    name = "start"

    def __init__(self, slots: int, slot: int):
        self.slots, self.slot = slots, slot
        self.rows = [
            Row("start", "start to ready", "ready", "s", False),
            Row("memory-ready", f"resident when ready, {slots * slot:,} tokens of KV", "resident", "bytes", False)]

    def measure(self, side, form, rows, run, deadline):
        with self.start(side, form, run, deadline) as server:
            figures = {"ready": server.ready, "resident": server.resident()}
        return {row.name: figures for row in rows}


class Memory(Served):
    """What a server takes when its KV memory has been full."""

    name = "memory"
    repeats = False

    def __init__(self, slots: int, slot: int):
        self.slots, self.slot = slots, slot
        self.rows = [
            Row("memory", f"resident after {slots} sessions nearly filled {slots * slot:,} tokens of KV", "resident", "bytes",
                False, extra=("input tokens",))]

    def measure(self, side, form, rows, run, deadline):
        # Each prompt nearly fills its slot.
        bodies = [client.request(client.text(self.slot - 32, f"fill {run} {index}"), 8) for index in range(self.slots)]
        with self.start(side, form, run, deadline) as server:
            figures = client.figures(client.together(server.port, bodies, deadline))
            figures["resident"] = server.resident()
        return {row.name: figures for row in rows}


def groups(quick: bool) -> list[Group]:
    if quick:
        return [
            Prefill([32]), Decode(48, [1, 2], all_forms=True), Serve([1, 2], 16, 4), Prefix(2, 64, 4),
            LongPrompt(2, 200), Start(2, 256), Memory(2, 256)]
    counts = [1, 2, 4, 8, 16, 32]
    return [
        Prefill([128, 512, 2048]), Decode(32, [1]), Decode(128, counts, all_forms=True), Decode(1024, counts),
        Serve([1, 4, 8, 16, 32], 120, 32), Prefix(8, 1000, 16), LongPrompt(4, 3000), Start(16, 1024),
        Memory(16, 1024)]
