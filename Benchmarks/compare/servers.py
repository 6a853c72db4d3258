"""Both servers, started alike: the same threads, the same KV capacity in tokens."""

import http.client
import json
import pathlib
import re
import socket
import subprocess
import threading
import time

import machine
from client import Failure


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. `slots` sessions of `context` tokens each fit its KV memory."""

    def __init__(self, side, form: str, slots: int, context: int, log: pathlib.Path, deadline: float):
        self.port = free_port()
        self.command = side.server_command(form, self.port, slots, context)
        self.log = log
        start = time.monotonic()
        with open(log, "w") as file:
            self.process = subprocess.Popen(
                self.command, stdout=file, stderr=subprocess.STDOUT, env=machine.ENVIRONMENT)
        self.watch = threading.Timer(max(1, deadline - start), self.process.kill)
        self.watch.start()
        while not self.answers():
            if self.process.poll() is not None:
                self.watch.cancel()
                raise Failure(f"the server ended before it was ready; see {log}")
            time.sleep(0.01)
        self.ready = time.monotonic() - start

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def resident(self) -> int:
        return machine.resident(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watch.cancel()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Pensieve:
    name = "Pensieve"

    def __init__(self, program: pathlib.Path, models, threads: int, flags: list[str]):
        self.program, self.models, self.threads, self.flags = str(program), models, threads, flags
        # Bytes for each token by form; known after it was loaded once.
        self.kv_bytes: dict[str, int] = {}
        # What each run of `bench` found that the machine can do.
        self.limits: list[dict[str, float]] = []

    def version(self) -> str:
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def kv_bytes_per_token(self, form: str) -> int:
        if form not in self.kv_bytes:
            report = self.bench(form, ["--prefill", "16", "--decode", "none", "--repeat", "1"], 600)
            self.kv_bytes[form] = report["memory"]["kvBytesPerToken"]
        return self.kv_bytes[form]

    def bench_command(self, form: str, flags: list[str]) -> list[str]:
        path = str(self.models.path(form))
        return [self.program, "bench", path, "--json", "--threads", str(self.threads), *self.flags, *flags]

    def bench(self, form: str, flags: list[str], seconds: float) -> dict:
        report = json.loads(output(self.bench_command(form, flags), seconds))
        self.limits.append(report["limits"])
        return report

    def server_command(self, form: str, port: int, slots: int, context: int) -> list[str]:
        # Blocks of KV memory are whole.
        memory = slots * (context + 16) * self.kv_bytes_per_token(form)
        return [
            self.program, "start", "--model", str(self.models.path(form)), "--port", str(port),
            "--threads", str(self.threads), "--context", str(context), "--kv-memory", str(memory),
            "--max-sessions", str(slots), *self.flags]


class LlamaCpp:
    name = "llama.cpp"

    def __init__(self, peer, models, threads: int):
        self.peer, self.models, self.threads = peer, models, threads

    def version(self) -> str:
        return self.peer.version()

    def kv_bytes_per_token(self, form: str) -> int:
        from models import HEAD_SIZE, HEADS, LAYERS

        # Keys and values of all layers in 16 bits.
        return 2 * LAYERS * HEADS * HEAD_SIZE * 2

    def bench_command(self, form: str, context: int, flags: list[str]) -> list[str]:
        return [
            self.peer.program("llama-batched-bench"), "-m", str(self.models.path(form)), "-t", str(self.threads),
            "-fa", "on", "-c", str(context), "--output-format", "jsonl", *flags]

    def bench(self, form: str, context: int, flags: list[str], seconds: float) -> list[dict]:
        text = output(self.bench_command(form, context, flags), seconds)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def server_command(self, form: str, port: int, slots: int, context: int) -> list[str]:
        return [
            self.peer.program("llama-server"), "-m", str(self.models.path(form)), "--host", "127.0.0.1",
            "--port", str(port), "-t", str(self.threads), "-fa", "on", "-np", str(slots), "-c", str(slots * context),
            "--no-ui"]


def output(command: list[str], seconds: float) -> str:
    try:
        outcome = subprocess.run(
            command, env=machine.ENVIRONMENT, capture_output=True, text=True, timeout=max(1, seconds))
    except subprocess.TimeoutExpired:
        raise Failure(f"more than {seconds:.0f} s") from None
    if outcome.returncode != 0:
        last = re.sub(r"\s+", " ", outcome.stderr[-300:])
        raise Failure(f"{pathlib.Path(command[0]).name} ended with {outcome.returncode}: {last}")
    return outcome.stdout
