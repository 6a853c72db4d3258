"""A server of ours on one file or folder: that it answers, and what memory it holds."""

import dataclasses
import os
import pathlib
import time

import machine
from client import Failure, Stream, request, text
from servers import Server

# Of a server, and what it may hold beyond that and its file.
KV_MEMORY, SPARE = 256 << 20, 300_000_000
SECONDS = 1800


@dataclasses.dataclass
class OneModel:
    """What `Server` asks of a side, for one model whatever the form."""

    program: pathlib.Path
    model: pathlib.Path
    threads: int
    flags: list[str]

    def server_command(self, _form: str, port: int, _slots: int, context: int) -> list[str]:
        return [
            str(self.program), "start", "--model", str(self.model), "--port", str(port), "--threads", str(self.threads),
            "--context", str(context), "--kv-memory", str(KV_MEMORY), *self.flags]


@dataclasses.dataclass
class Served:
    ready: float  # seconds
    file: int
    resident: int
    input_tokens: int
    output_tokens: int

    @property
    def cells(self) -> str:
        """Of a row of a table: seconds until ready, the file, the memory, tokens in and out."""
        return (
            f"{self.ready:.1f} s | {self.file / 1e6:,.0f} MB | {self.resident / 1e6:,.0f} MB | "
            f"{self.input_tokens} in, {self.output_tokens} out")


def files_of(model: pathlib.Path) -> list[pathlib.Path]:
    return list(model.glob("*.safetensors")) if model.is_dir() else [model]


def serve(
    program: pathlib.Path, model: pathlib.Path, log: pathlib.Path, words: int, threads: int | None = None,
    flags: tuple[str, ...] | list[str] = (),
) -> Served:
    """Starts the server, asks once with so many words, and tells what memory it holds; a `Failure` if there is no answer,
    or if it is more than the file, the KV memory and `SPARE`."""
    deadline = time.monotonic() + SECONDS
    side = OneModel(program, model, threads or os.cpu_count() or 1, list(flags))
    files = files_of(model)
    for file in files:
        machine.warm(file)
    with Server(side, model.name, 1, 4096, log, deadline) as server:
        stream = Stream(server.port, request(text(words, model.name), 16), deadline)
        stream.join()
        answer = stream.answer
        served = Served(server.ready, sum(file.stat().st_size for file in files), server.resident(), answer.input_tokens, answer.output_tokens)
    if answer.error or answer.output_tokens == 0:
        raise Failure(f"{model.name}: no answer: {answer.error}")
    bound = served.file + KV_MEMORY + SPARE
    if served.resident > bound:
        raise Failure(f"{model.name}: {served.resident / 1e6:.0f} MB resident, more than {bound / 1e6:.0f}")
    return served
