#!/usr/bin/env python3
"""Runs Claude Code against a Pensieve server, in a network namespace that has nothing but loopback.

usage: claude_code.py MODEL [--server PATH] [--claude PATH] [--flags "..."] [--context TOKENS]

Three runs of Claude Code in one folder: it prints an answer, with its built-in tools in the prompt; it is made to run a
command, whose result goes back to the model; and it continues the conversation. The environment is that of
Configs/claude-code.env. A proxy on loopback notes what is asked and answered. It changes two things, which no model of this
size would do by itself: in the second run it adds a `tool_choice` to the first request, and in all runs it lets the schema
of the tool Bash allow one command only, so that the call that the decoder makes is that command.

MODEL is a GGUF file. Where its own context is too short for the prompt of 12,000 tokens, --context writes a larger one into
a copy: a model reads more than it was trained on badly, but it reads it.

Needs PyPI's claude-agent-sdk, which carries the program, in this Python or at --claude; ends with status 77 without it. Root
or user namespaces are needed for the network namespace.
"""

import argparse
import http.client
import http.server
import importlib.util
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMAND = "echo pensieve-$((6 * 7)) | tee made-by-a-tool"
SKIPPED = 77


def program(named: str | None) -> str:
    if named:
        return named
    found = importlib.util.find_spec("claude_agent_sdk")
    path = pathlib.Path(found.origin).parent / "_bundled" / "claude" if found else None
    if path is None or not path.exists():
        print("skipped: PyPI's claude-agent-sdk is not here")
        sys.exit(SKIPPED)
    return str(path)


def enter_namespace():
    """Goes on in a network namespace with loopback alone."""
    if os.environ.get("IN_LOOPBACK_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        assert [line.split(":")[1].strip() for line in links.splitlines()] == ["lo"], links
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], os.environ | {"IN_LOOPBACK_NAMESPACE": "1"})


def environment(base: str, home: str, context: int) -> dict[str, str]:
    """That of Configs/claude-code.env, for this server."""
    values = dict(line.split("=", 1) for line in (ROOT / "Configs/claude-code.env").read_text().splitlines()
                  if re.match(r"[A-Z_]+=", line))
    return {"PATH": os.environ["PATH"], "HOME": home, "TERM": "dumb"} | values | {
        "ANTHROPIC_BASE_URL": base, "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(context), "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "256",
        # Root may run without asking for permission only where it is told that nothing can be harmed.
        "IS_SANDBOX": "1"}


def with_context(model: pathlib.Path, context: int, folder: str) -> pathlib.Path:
    """A copy of a GGUF file with another context length."""
    data = bytearray(model.read_bytes())
    found = re.search(rb"[a-z0-9_]+\.context_length(?=\x04\x00\x00\x00)", bytes(data[:1 << 20]))
    assert found, "no context length in this file"
    struct.pack_into("<I", data, found.end() + 4, context)
    copy = pathlib.Path(folder) / model.name
    copy.write_bytes(data)
    return copy


# MARK: The proxy


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on to the server, and notes them."""

    daemon_threads = True

    def __init__(self, upstream: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.forces = False
        self.notes: list[dict] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def change(self, body: dict):
        for tool in body.get("tools", []):
            if tool["name"] == "Bash":
                tool["input_schema"] = {
                    "type": "object", "properties": {"command": {"const": COMMAND}}, "required": ["command"],
                    "additionalProperties": False}
        last = body["messages"][-1]["content"] if body.get("messages") else ""
        isAnswered = isinstance(last, list) and any(block.get("type") == "tool_result" for block in last)
        if self.forces and not isAnswered and body.get("tools"):
            self.forces = False
            body["tool_choice"] = {"type": "tool", "name": "Bash", "disable_parallel_tool_use": True}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.pass_on(b"")

    do_GET = do_HEAD

    def do_POST(self):
        data = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(data)
        self.server.change(body)
        note = {"path": self.path, "tools": len(body.get("tools", [])), "messages": len(body["messages"]),
                "forced": "tool_choice" in body, "start": time.monotonic()}
        if "count_tokens" not in self.path:
            self.server.notes.append(note)
        self.pass_on(json.dumps(body).encode(), note)

    def pass_on(self, data: bytes, note: dict | None = None):
        connection = http.client.HTTPConnection(self.server.upstream, timeout=3600)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length", "connection")}
        connection.request(self.command, self.path, data or None, kept)
        response = connection.getresponse()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.close_connection = True
        self.end_headers()
        for line in response:
            self.wfile.write(line)
            self.wfile.flush()
            if note is not None and line.startswith(b"data: "):
                self.note(note, json.loads(line[6:]))
        connection.close()

    def note(self, note: dict, event: dict):
        if event["type"] == "message_start":
            note["usage"] = event["message"]["usage"]
        elif event["type"] == "content_block_delta":
            note.setdefault("first", time.monotonic() - note["start"])
        elif event["type"] == "content_block_start":
            note.setdefault("blocks", []).append(event["content_block"]["type"])
        elif event["type"] == "message_delta":
            note["usage"] = note["usage"] | event["usage"]
            note["stop"] = event["delta"]["stop_reason"]
        elif event["type"] == "error":
            note["stop"] = str(event["error"])


# MARK: The runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--server", default=str(ROOT / ".build/release/pensieve"))
    parser.add_argument("--claude")
    parser.add_argument("--flags", default="")
    parser.add_argument("--context", type=int)
    options = parser.parse_args()
    claude = program(options.claude)
    enter_namespace()
    with tempfile.TemporaryDirectory() as folder:
        model = with_context(options.model, options.context, folder) if options.context else options.model
        server = subprocess.Popen(
            [options.server, "start", "--model", str(model), "--port", "0", *options.flags.split()],
            stderr=subprocess.PIPE, text=True)
        try:
            said = ""
            for line in server.stderr:
                said += line
                if found := re.search(r"ready at http://(\S+)", line):
                    break
            else:
                sys.exit("the server did not start: " + said)
            threading.Thread(target=server.stderr.read, daemon=True).start()
            runs(claude, found[1], folder)
        finally:
            server.kill()
            server.wait()


def runs(claude: str, upstream: str, folder: str):
    proxy = Proxy(upstream)
    health = http.client.HTTPConnection(upstream)
    health.request("GET", "/v1/models?limit=1", headers={"authorization": "Bearer test-api-key-12345"})
    context = json.load(health.getresponse())["data"][0]["max_input_tokens"]
    home, project = pathlib.Path(folder) / "home", pathlib.Path(folder) / "project"
    home.mkdir()
    project.mkdir()
    variables = environment(f"http://127.0.0.1:{proxy.server_port}", str(home), context)

    def run(title: str, *arguments: str) -> dict:
        before = len(proxy.notes)
        print(f"\n$ claude -p {' '.join(repr(a) for a in arguments)}    # {title}", flush=True)
        done = subprocess.run(
            [claude, "-p", *arguments, "--output-format", "json", "--dangerously-skip-permissions"], cwd=project,
            env=variables, capture_output=True, text=True, timeout=3600)
        result = next((json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")), {})
        print(json.dumps(result.get("result"), ensure_ascii=False)[:300])
        for note in proxy.notes[before:]:
            usage = note.get("usage", {})
            prompt = sum(usage.get(name, 0) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
            print(f"  {note['messages']} messages, {note['tools']} tools{', forced' if note['forced'] else ''}: "
                  f"{prompt} tokens, {usage.get('cache_read_input_tokens')} from the cache; first after "
                  f"{note.get('first', float('nan')):.2f} s; {usage.get('output_tokens')} out, {note.get('blocks')}, "
                  f"{note.get('stop')}", flush=True)
        assert done.returncode == 0 and not result.get("is_error"), (done.returncode, done.stdout, done.stderr)
        return result

    print(subprocess.run([claude, "--version"], env=variables, capture_output=True, text=True).stdout.strip())
    answer = run("an answer", "Say hello.")
    assert answer["result"].strip(), answer
    assert proxy.notes[0]["tools"] >= 12, proxy.notes[0]
    first = len(proxy.notes)
    proxy.forces = True
    run("a tool", "Run the command.", "-c")
    made = project / "made-by-a-tool"
    assert made.read_text() == "pensieve-42\n", "the command did not run"
    forced, result = proxy.notes[first:first + 2]
    assert forced["stop"] == "tool_use" and forced["blocks"] == ["tool_use"], forced
    assert result["messages"] > forced["messages"], result
    second = len(proxy.notes)
    run("the conversation goes on", "And now?", "-c")
    for note in (forced, result, proxy.notes[second]):
        usage = note["usage"]
        assert usage["cache_read_input_tokens"] > 0.9 * (usage["input_tokens"] + usage["cache_read_input_tokens"]), note
    print("\nok: an answer, a tool's run and its result, and a conversation that goes on from the cache")


if __name__ == "__main__":
    main()
