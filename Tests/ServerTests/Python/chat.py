"""`pensieve chat` in a terminal of its own: python chat.py CASE PROGRAM. Exit status 0 if the case holds.

A case types keys into a pseudo-terminal and waits for what the program shows; no step depends on how fast that is.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PROGRAM = sys.argv[2]
PATIENCE = 60  # seconds, for what must come at once on an idle machine
MOCK = {"PENSIEVE_MOCK": "1", "PENSIEVE_MOCK_TOKENS_PER_SECOND": "500"}
SLOW = {"PENSIEVE_MOCK": "1", "PENSIEVE_MOCK_TOKENS_PER_SECOND": "2"}


class Terminal:
    """A program behind a pseudo-terminal, and what it has shown."""

    def __init__(self, arguments, environment={}, term="xterm", columns=80):
        self.shown = ""
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            variables = {k: v for k, v in os.environ.items() if not k.startswith(("PENSIEVE_", "NO_COLOR"))}
            os.execve(PROGRAM, [PROGRAM, *arguments], {**variables, "TERM": term, **environment})
        self.resize(columns)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.descriptor, keys.encode())

    def expect(self, text):
        """Waits for a text beyond what was expected before, and returns what stands before it."""
        limit = time.monotonic() + PATIENCE
        while text not in self.shown:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, limit - time.monotonic()))
            assert ready, f"{text!r} did not come; there is {self.shown!r}"
            try:
                piece = os.read(self.descriptor, 65536)
            except OSError:
                piece = b""
            assert piece, f"it ended before {text!r}; there is {self.shown!r}"
            self.shown += piece.decode(errors="replace")
        before, self.shown = self.shown.split(text, 1)
        return before

    def prompt(self):
        return self.expect("> ")

    def end(self):
        """The exit status, once the program has ended by itself, and what it showed last."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            if select.select([self.descriptor], [], [], 0.02)[0]:
                try:
                    self.shown += os.read(self.descriptor, 65536).decode(errors="replace")
                except OSError:
                    pass
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.process, signal.SIGKILL)
        raise AssertionError(f"it did not end; there is {self.shown!r}")

    def is_running(self):
        return os.waitpid(self.process, os.WNOHANG) == (0, 0)

    def modes(self):
        return termios.tcgetattr(self.descriptor)[3]


def chat(environment=MOCK, arguments=(), **more):
    terminal = Terminal(["chat", *arguments], environment, **more)
    terminal.expect("Ctrl-D ends")
    terminal.prompt()
    return terminal


def leave(terminal):
    terminal.type("\x04")
    assert terminal.end() == 0


def editing():
    terminal = chat()
    # One character back and another in its place; two of two columns each; an accent that joins its letter.
    terminal.type("hello wxrld\x1b[D\x1b[D\x1b[D\x7fo\x05 漢字e\u0301\x1b[D\x7f\x01> \r")
    terminal.expect("Mock response to: > hello world 漢e\u0301\r\n")
    terminal.prompt()
    terminal.type("漢字\x1b[D\x1b[D語\r")
    terminal.expect("Mock response to: 語漢字\r\n")
    terminal.prompt()
    terminal.type("one two\x17\x17three\x15four\r")
    terminal.expect("Mock response to: four\r\n")
    leave(terminal)


def history():
    terminal = chat()
    for text in ["first", "second"]:
        terminal.type(text + "\r")
        terminal.expect(f"Mock response to: {text}\r\n")
        terminal.prompt()
    # Two back, one on, and back again; a draft is not lost on the way.
    terminal.type("draft\x1b[A\x1b[A\r")
    terminal.expect("Mock response to: first\r\n")
    terminal.prompt()
    terminal.type("draft\x1b[A\x1b[B!\r")
    terminal.expect("Mock response to: draft!\r\n")
    leave(terminal)


def paste():
    terminal = chat()
    terminal.type("\x1b[200~line one\rline two\x1b[201~, end\r")
    terminal.expect("Mock response to: line one\r\nline two, end\r\n")
    terminal.prompt()
    terminal.type("one\\\r")
    terminal.expect("| ")
    terminal.type("two\r")
    terminal.expect("Mock response to: one\r\ntwo\r\n")
    terminal.prompt()
    terminal.type('"""\r')
    terminal.expect("| ")
    terminal.type("a\r")
    terminal.expect("| ")
    terminal.type('b"""\r')
    terminal.expect("Mock response to: a\r\nb\r\n")
    leave(terminal)


def commands():
    terminal = chat({})
    terminal.type("/help\r")
    terminal.expect("/reset")
    terminal.prompt()
    terminal.type("/foo\r")
    terminal.expect("no command /foo")
    terminal.type("My name is Ada.\r")
    terminal.expect("tokens per second")
    terminal.type("What is my name?\r")
    terminal.expect("Ada")
    terminal.expect("tokens per second")
    terminal.type("/reset\r")
    terminal.expect("begins anew")
    terminal.type("What is my name?\r")
    terminal.expect("?")
    assert "Ada" not in terminal.expect("tokens per second")
    terminal.type("/system Be brief.\r")
    terminal.expect("prompt is set")
    terminal.type("/system\r")
    terminal.expect("The system prompt is: Be brief.")
    terminal.type("/model\r")
    terminal.expect("There are: pensieve-builtin")
    terminal.type("/model no-such-model\r")
    terminal.expect("ORG/NAME")
    terminal.type("/model pensieve-builtin\r")
    terminal.expect("The model is pensieve-builtin now.")
    terminal.type("What is 23 + 45?\r")
    terminal.expect("68")
    terminal.type("/exit\r")
    assert terminal.end() == 0


def cache():
    """A turn begins where the last one ended: only what is new is computed."""
    terminal = chat({}, ["--system", "Numbers are added with care. " * 20])
    cached = []
    for text in ["What is 23 + 45?", "What is 30 + 12?", "What is 11 + 22?"]:
        terminal.type(text + "\r")
        line = terminal.expect("tokens per second")
        cached.append(re.search(r"\[(\d+) prompt tokens(?: \((\d+) cached\))?", line).groups())
    assert cached[0][1] is None, cached
    for earlier, later in zip(cached, cached[1:]):
        # All of the turn before but the last block, which may be half full.
        assert int(later[1]) > int(earlier[0]) - 64 and int(later[1]) > 64, cached
        assert int(later[0]) - int(later[1]) < 96, cached
    leave(terminal)


def interrupted(terminal):
    """Ctrl-C in the middle of a slow answer, and another answer after it."""
    terminal.type("one two three four five six seven eight nine ten eleven twelve thirteen\r")
    terminal.expect("Mock response to")
    terminal.type("\x03")
    rest = terminal.expect("interrupted")
    assert "thirteen" not in rest, rest
    terminal.prompt()
    assert terminal.is_running()
    terminal.type("a\r")
    terminal.expect("Mock response to: a\r\n")
    terminal.expect("> ")
    leave(terminal)


def interrupt():
    interrupted(chat(SLOW))


def interrupt_server():
    server = subprocess.Popen(
        [PROGRAM, "start", "--mock", "--mock-tokens-per-second", "2", "--port", "0"],
        stderr=subprocess.PIPE, text=True,
    )
    try:
        address = re.search(r"http://\S+", server.stderr.readline()).group()
        interrupted(chat({}, ["--url", address]))
        # The server has noticed that nobody waits for the answer any more.
        limit = time.monotonic() + PATIENCE
        while "0 running" not in subprocess.run(
            [PROGRAM, "status", "--url", address], capture_output=True, text=True
        ).stdout:
            assert time.monotonic() < limit
            time.sleep(0.05)
    finally:
        server.kill()
        server.wait()


def prompt():
    """At the prompt Ctrl-C drops the line; twice on an empty one it ends, and the terminal is as it was."""
    terminal = Terminal(["chat"], MOCK)
    before = terminal.modes()
    terminal.expect("Ctrl-D ends")
    terminal.prompt()
    terminal.type("dropped\x03")
    # The line that is left is drawn once more with its prompt. Until the next one is, Ctrl-C comes as a signal.
    terminal.expect("dropped")
    terminal.expect("\r\n")
    terminal.prompt()
    terminal.type("\x03")
    terminal.expect("Ctrl-C again")
    terminal.prompt()
    terminal.type("kept\r")
    terminal.expect("Mock response to: kept\r\n")
    terminal.prompt()
    assert not terminal.modes() & termios.ICANON
    terminal.type("\x03")
    terminal.expect("Ctrl-C again")
    assert terminal.is_running()
    terminal.type("\x03")
    assert terminal.end() == 0
    assert terminal.modes() == before, "the terminal's modes were not given back"


def typed_ahead():
    """What is typed while an answer comes is the next turn, and is not shown inside the answer."""
    terminal = chat(SLOW)
    terminal.type("one two three\r")
    terminal.expect("Mock")
    terminal.type("next\r")
    answer = terminal.expect("tokens per second")
    assert "next" not in answer, answer
    terminal.expect("Mock response to: next")
    leave(terminal)


def dumb():
    """A terminal that cannot move its cursor gets none of the sequences, and Ctrl-C works the same."""
    terminal = Terminal(["chat"], SLOW, term="dumb")
    terminal.expect("Ctrl-D ends")
    terminal.prompt()
    terminal.type("one two three four five six seven eight\n")
    shown = terminal.expect("Mock response")
    terminal.type("\x03")
    shown += terminal.expect("interrupted")
    assert "\x1b" not in shown, shown
    terminal.prompt()
    terminal.type("\x03")
    terminal.expect("Ctrl-C again")
    terminal.prompt()
    terminal.type("\x03")
    assert terminal.end() == 0


def terminated():
    """SIGTERM ends it, also in the middle of an answer, with the terminal as it was."""
    terminal = Terminal(["chat"], SLOW)
    before = terminal.modes()
    terminal.prompt()
    terminal.type("one two three four five six seven\r")
    terminal.expect("Mock")
    assert not terminal.modes() & termios.ECHO
    os.kill(terminal.process, signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert terminal.modes() == before, "the terminal's modes were not given back"


def hostile():
    """An answer cannot command the terminal: here the model repeats what a paste cannot hold, so it comes in a file."""
    answer = subprocess.run(
        [PROGRAM, "chat"], input="a\x1b[2Jb\x07\n", capture_output=True, text=True, env={**os.environ, **MOCK}
    )
    assert answer.stdout == "Mock response to: a\x1b[2Jb\x07\n", answer
    terminal = Terminal(["generate", "a\x1b[2Jb\x07"], MOCK)
    shown = terminal.expect("prompt tokens")
    assert "a\ufffd[2Jb\ufffd" in shown, shown


{name: value for name, value in globals().items() if callable(value)}[sys.argv[1]]()
