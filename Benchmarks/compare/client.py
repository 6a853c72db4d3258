"""One client for both servers: streams of the Anthropic Messages API, with the time of every token."""

import dataclasses
import http.client
import json
import random
import statistics
import threading
import time

# Words that are one token each in the vocabulary of Llama 2 and Phi-3, with the space before them.
WORDS = """time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room mother
area money story fact month lot right study book eye job word business issue side kind head house service friend father
power hour game line end member law car city name team minute idea body information back face others level office door
health person art war history party result change morning reason research girl guy moment air teacher force""".split()


def text(words: int, seed: str) -> str:
    """Random words: about as many tokens."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def request(prompt: str, tokens: int, system: str | None = None) -> dict:
    body = {
        "model": "claude-local", "max_tokens": tokens, "stream": True, "temperature": 0,
        "messages": [{"role": "user", "content": prompt}]}
    return body | ({"system": system} if system else {})


class Failure(Exception):
    pass


@dataclasses.dataclass
class Answer:
    """Times are those of `time.monotonic`."""

    sent: float = 0
    # Of each piece of text.
    arrivals: list[float] = dataclasses.field(default_factory=list)
    done: float = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    error: str | None = None

    @property
    def first(self) -> float:
        return self.arrivals[0] - self.sent

    def gaps(self, after: float = 0, until: float = float("inf")) -> list[float]:
        """Times between tokens of which the later one came in the given span."""
        pairs = zip(self.arrivals, self.arrivals[1:])
        return [later - earlier for earlier, later in pairs if after < later <= until]


class Stream(threading.Thread):
    """A request on a connection and a thread of its own."""

    def __init__(self, port: int, body: dict, deadline: float):
        super().__init__(daemon=True)
        self.port, self.body, self.deadline = port, body, deadline
        self.answer = Answer()
        self.stopping = False
        self.start()

    def run(self):
        try:
            self.exchange()
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.answer.error = self.answer.error or f"{type(error).__name__}: {error}"
        self.answer.done = time.monotonic()

    def exchange(self):
        answer = self.answer
        answer.sent = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=max(1, self.deadline - answer.sent))
        headers = {"content-type": "application/json", "authorization": "Bearer test-api-key-12345"}
        connection.request("POST", "/v1/messages", json.dumps(self.body), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"status {response.status}: {response.read(300)!r}")
        for line in response:
            now = time.monotonic()
            if now > self.deadline:
                raise TimeoutError("the row's time is over")
            if self.stopping:
                break
            if line.startswith(b"data:"):
                self.take(json.loads(line[5:]), now)
        connection.close()

    def take(self, event: dict, now: float):
        kind = event["type"]
        if kind == "content_block_delta":
            self.answer.arrivals.append(now)
        elif kind in ("message_start", "message_delta"):
            usage = event.get("usage") or event.get("message", {}).get("usage", {})
            self.answer.output_tokens = usage.get("output_tokens", self.answer.output_tokens)
            self.answer.cached_tokens = usage.get("cache_read_input_tokens", self.answer.cached_tokens)
            # What was in the cache is counted apart.
            if kind == "message_start":
                self.answer.input_tokens = usage.get("input_tokens", 0) + self.answer.cached_tokens
        elif kind == "error":
            raise ValueError(f"an error event: {event}")

    def finish(self, tokens: int | None) -> Answer:
        """Waits for the end. - tokens: how many the answer must have; any where none is given."""
        self.join(max(0, self.deadline - time.monotonic()) + 5)
        if self.is_alive():
            raise Failure("no end in time")
        if self.answer.error:
            raise Failure(self.answer.error)
        if tokens is not None and self.answer.output_tokens != tokens:
            raise Failure(f"an answer of {self.answer.output_tokens} tokens; {tokens} were asked for")
        if not self.answer.arrivals:
            raise Failure("an answer without text")
        return self.answer


def together(port: int, bodies: list[dict], deadline: float) -> list[Answer]:
    """Sends all at once and waits for all."""
    streams = [Stream(port, body, deadline) for body in bodies]
    return [stream.finish(body["max_tokens"]) for stream, body in zip(streams, bodies)]


def figures(answers: list[Answer]) -> dict[str, float]:
    """What clients saw that asked at once."""
    wall = max(answer.done for answer in answers) - min(answer.sent for answer in answers)
    gaps = [gap for answer in answers for gap in answer.gaps()]
    return {
        "tokens per second": sum(answer.output_tokens for answer in answers) / wall,
        "wall": wall,
        "first token": statistics.median(answer.first for answer in answers),
        "between tokens": statistics.median(gaps) if gaps else 0,
        "longest gap": max(gaps, default=0),
        "input tokens": statistics.median(answer.input_tokens for answer in answers),
        "cached tokens": statistics.median(answer.cached_tokens for answer in answers),
    }
