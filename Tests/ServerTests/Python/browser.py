"""Holds the chat page against a real browser.

usage: browser.py CASE PENSIEVE

Each case is a function below that starts servers of its own; an assertion that fails ends the program with status 1.
"""

import contextlib
import functools
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from chromium import Browser
from markdown_cases import check_highlight, check_markdown, check_streams

DEVELOPMENT_KEY = "test-api-key-12345"


class Server:
    """`pensieve start` with some flags, on a free port unless one is given."""

    def __init__(self, *flags, port=0):
        self.process = subprocess.Popen(
            [sys.argv[2], "start", "--port", str(port), *flags], stderr=subprocess.PIPE, text=True
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"ready at (http://\S+)", line):
                self.url = found[1]
                break
        else:
            raise AssertionError("the server did not get ready: " + "".join(said))
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def health(self):
        with urllib.request.urlopen(self.url + "/health") as answer:
            return json.load(answer)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def answers(chat):
    return chat.evaluate("[...document.querySelectorAll('.assistant .markdown')].map((node) => node.innerText)")


def say(chat, text):
    chat.click("#input")
    chat.type(text)
    chat.press("Enter")


def wait_for_answers(chat, count):
    """Waits until so many answers are there, the last of them whole or stopped."""
    chat.wait(f"""(() => {{
        const all = document.querySelectorAll(".assistant");
        return all.length === {count} && Boolean(all[{count} - 1].querySelector(".figures b"))
            && !document.querySelector(".running") && all[{count} - 1].querySelector(".failure").hidden;
    }})()""")


def bodies(chat):
    return [json.loads(request["postData"]) for request in chat.requests if "postData" in request]


def check_quiet(chat, server, expected=()):
    """Nothing was asked of anybody else, and nothing went wrong but what was meant to."""
    outside = [request["url"] for request in chat.requests if not request["url"].startswith(server.url + "/")]
    assert not [url for url in outside if not url.startswith("blob:")], outside
    complaints = [text for text in chat.complaints if not any(part in text for part in expected)]
    assert not complaints, complaints


# MARK: Cases


WORDS = " ".join(f"word{number}" for number in range(60))


def page():
    """Sends, streams, stops, answers again, survives a reload, and keeps several conversations."""
    with Server("--mock", "--mock-tokens-per-second", "60") as server, Browser() as browser:
        chat = browser.open(server.url + "/")
        chat.size(1200, 800)
        chat.wait("document.querySelector('#model').value === 'pensieve-mock'")
        assert not chat.is_shown("#key-dialog") and chat.is_shown("#empty")
        streams_and_stops(chat, server)
        survives_reloads(chat)
        # The last message can be changed.
        chat.click(".user:nth-last-child(2) [aria-label='Edit and send again']")
        chat.evaluate("document.querySelector('.editing textarea').value = 'changed'")
        chat.click(".editing .primary")
        wait_for_answers(chat, 3)
        assert answers(chat)[2] == "Mock response to: changed"
        settings(chat)
        list_of_conversations(chat)
        looks(chat)
        check_quiet(chat, server)


def streams_and_stops(chat, server):
    # Shift and Enter begin a line, Enter sends; the text grows while it comes.
    chat.click("#input")
    chat.type("first line")
    chat.press("Enter", shift=True)
    chat.type(WORDS)
    chat.press("Enter")
    lengths = []
    while len(lengths) < 4:
        length = chat.wait("document.querySelector('.running .markdown')?.innerText.length")
        if not lengths or length > lengths[-1]:
            lengths.append(length)
    assert chat.text(".user .bubble") == "first line\n" + WORDS
    assert chat.is_shown("#stop") and not chat.is_shown("#send")

    # Escape stops it, and the server computes no more.
    chat.press("Escape")
    wait_for_answers(chat, 1)
    assert "word59" not in answers(chat)[0] and "Stopped" in chat.text(".figures"), answers(chat)
    until(lambda: server.health()["sessions"]["running"] == 0, "the session goes on")

    # The same again, to its end, with what it cost.
    chat.click(".assistant [aria-label='Answer again']")
    wait_for_answers(chat, 1)
    assert answers(chat)[0].endswith("word59"), answers(chat)
    figures = chat.text(".figures")
    assert re.search(r"\d+ tokens\s+[\d.]+ tokens/s\s+[\d.]+ m?s to the first\s+\d+ in the prompt", figures), figures

    # A second message carries the first; the stop button stops like the key.
    say(chat, "and " + WORDS)
    chat.wait("document.querySelectorAll('.markdown')[1]?.innerText.length > 20")
    chat.click("#stop")
    wait_for_answers(chat, 2)
    assert [turn["role"] for turn in bodies(chat)[-1]["messages"]] == ["user", "assistant", "user"]


def survives_reloads(chat):
    """A reload loses nothing, also of an answer that is just coming."""
    before = answers(chat)
    chat.reload()
    chat.wait("document.querySelectorAll('.markdown').length === 2")
    assert answers(chat) == before and chat.text("#list .open") == "first line"
    say(chat, WORDS)
    chat.wait("document.querySelectorAll('.markdown')[2]?.innerText.length > 30")
    chat.reload()
    chat.wait("document.querySelectorAll('.markdown').length === 3")
    assert "word0" in answers(chat)[2] and "word59" not in answers(chat)[2]
    assert "closed meanwhile" in chat.text(".message:last-child .figures")


def settings(chat):
    chat.click("#new-chat")
    chat.click("#settings")
    for name, value in [("system", "Be brief."), ("temperature", "0.5"), ("max-tokens", "4")]:
        chat.click("#" + name)
        chat.type(value)
    chat.click("#thinks")
    chat.press("Escape")
    say(chat, "one two three four five six seven")
    wait_for_answers(chat, 1)
    body = bodies(chat)[-1]
    assert (body["system"], body["temperature"], body["max_tokens"]) == ("Be brief.", 0.5, 4), body
    assert body["thinking"] == {"type": "adaptive"}, body
    assert body["stream"] is True and body["model"] == "pensieve-mock"
    assert "longest answer" in chat.text(".figures")
    assert "context is full" in chat.evaluate("cuts.model_context_window_exceeded")
    assert "temperature" not in bodies(chat)[0] and "system" not in bodies(chat)[0] \
        and "thinking" not in bodies(chat)[0], "an empty field is the server's matter"


def list_of_conversations(chat):
    """Naming, deleting and taking that back; all of it outlives a reload."""
    titles = "[...document.querySelectorAll('#list .open')].map((node) => node.innerText)"
    assert chat.evaluate(titles) == ["one two three four five six seven", "first line"]
    chat.evaluate("document.querySelector('#list [aria-label^=Rename]').click()")
    chat.type("Numbers")
    chat.press("Enter")
    assert chat.evaluate(titles) == ["Numbers", "first line"]
    chat.evaluate("document.querySelector('#list [aria-label^=Delete]').click()")
    assert chat.evaluate(titles) == ["first line"] and chat.text("#title") == "first line"
    chat.click("#notice button")
    assert chat.evaluate(titles) == ["Numbers", "first line"]
    chat.reload()
    chat.wait("document.querySelectorAll('#list .open').length === 2")
    assert chat.evaluate(titles) == ["Numbers", "first line"] and chat.text("#title") == "Numbers"


def looks(chat):
    """Light, dark and the phone."""
    colour = "getComputedStyle(document.body).backgroundColor"
    chat.prefer("light")
    light = chat.evaluate(colour)
    chat.prefer("dark")
    dark = chat.evaluate(colour)
    assert light != dark
    chat.click("#theme")
    assert chat.evaluate(colour) == light, "the switch wins over the system"
    chat.size(390, 844, is_phone=True)
    assert chat.evaluate("document.documentElement.scrollWidth") <= 390
    chat.wait("document.querySelector('#sidebar').getBoundingClientRect().right <= 0")
    chat.click("#menu")
    chat.wait("document.querySelector('#sidebar').getBoundingClientRect().left === 0")
    chat.press("Escape")
    chat.wait("document.querySelector('#sidebar').getBoundingClientRect().right <= 0")


def keys():
    """A server with keys is asked with one; the key is kept only where the user wants that."""
    with tempfile.NamedTemporaryFile("w") as file, contextlib.ExitStack() as stack:
        file.write("right-key\n")
        file.flush()
        server = stack.enter_context(Server("--mock", "--mock-tokens-per-second", "300", "--api-key-file", file.name))
        browser = stack.enter_context(Browser())
        chat = browser.open(server.url + "/")
        chat.wait("document.querySelector('#key-dialog').open")
        kept = "[localStorage.getItem('pensieve.key'), sessionStorage.getItem('pensieve.key')]"

        def give(key):
            chat.click("#key")
            chat.type(key)
            chat.press("Enter")

        give("wrong-key")
        chat.wait("document.querySelector('#key-error').innerText.includes('does not pass')")
        assert chat.evaluate(kept) == [None, None]
        chat.evaluate("document.querySelector('#key').value = ''")
        give("right-key")
        chat.wait("!document.querySelector('#key-dialog').open")
        assert chat.evaluate(kept) == [None, "right-key"]
        say(chat, "hello")
        wait_for_answers(chat, 1)
        assert answers(chat) == ["Mock response to: hello"]
        chat.reload()
        chat.wait("document.querySelector('#model').value === 'pensieve-mock'")
        assert not chat.is_shown("#key-dialog")

        # A key that passes no more is asked for again, and the message is sent then.
        chat.evaluate("sessionStorage.setItem('pensieve.key', 'old-key')")
        say(chat, "again")
        chat.wait("document.querySelector('#key-dialog').open")
        assert "does not pass" in chat.text("#key-error")
        chat.click("#remember")
        give("right-key")
        wait_for_answers(chat, 2)
        assert answers(chat)[1] == "Mock response to: again" and chat.evaluate(kept) == ["right-key", "right-key"]
        chat.click("#settings")
        chat.click("#change-key")
        chat.click("#forget-key")
        assert chat.evaluate(kept) == [None, None]
        assert not any("right-key" in request["url"] + request.get("postData", "") for request in chat.requests)
        check_quiet(chat, server, ["401"])


def markdown():
    """What models write is shown as it is meant, and can do no harm."""
    with Server("--mock") as server, Browser() as browser:
        chat = browser.open(server.url + "/")
        chat.wait("document.querySelector('#model').value")
        check_markdown(chat)
        check_highlight(chat)
        check_streams(chat)
        # Through the whole way, from a message to the page.
        say(chat, "<img src=x onerror=alert(1)> **bold** [link](javascript:alert(2)) ![i](https://else.example/i.png)")
        wait_for_answers(chat, 1)
        assert "<img src=x onerror=alert(1)>" in answers(chat)[0]
        assert chat.count(".markdown img, .markdown script") == 0 and chat.text(".markdown strong") == "bold"
        assert chat.evaluate("[...document.querySelectorAll('.markdown a')].map((a) => [a.href, a.rel])") == [
            ["https://else.example/i.png", "noopener noreferrer nofollow"]]
        # The policy holds where the page's own code would not.
        assert chat.evaluate("""(() => {
            try { document.body.innerHTML = "<p>"; return "markup"; } catch (error) { return error.name; }
        })()""") == "TypeError"
        check_quiet(chat, server, ["TrustedHTML", "trusted"])


def failures():
    """What goes wrong is said in words, and can be tried again."""
    with Server("--mock", "--mock-tokens-per-second", "20", "--max-sessions", "1", "--max-waiting", "0") as server, \
            Browser() as browser:
        chat = browser.open(server.url + "/")
        chat.wait("document.querySelector('#model').value")
        body = {"model": "m", "max_tokens": 4000, "stream": True, "messages": [{"role": "user", "content": "a b c " * 300}]}
        request = urllib.request.Request(server.url + "/v1/messages", json.dumps(body).encode(), {"x-api-key": DEVELOPMENT_KEY})
        with urllib.request.urlopen(request) as busy:
            busy.readline()
            say(chat, "hello")
            chat.wait("document.querySelector('.failure strong')?.innerText === 'The server is busy'")
            assert "Too many requests are waiting" in chat.text(".failure")
        until(lambda: server.health()["sessions"]["running"] == 0, "the other session goes on")
        chat.click(".failure button")
        wait_for_answers(chat, 1)
        assert answers(chat) == ["Mock response to: hello"] and not chat.is_shown(".failure")

        # A server that ends in the middle leaves what had come; one that is not there is said to be so.
        say(chat, "word " * 60)
        chat.wait("document.querySelectorAll('.markdown')[1]?.innerText.length > 20")
        port = server.port
        server.kill()
        chat.wait("document.querySelector('.message:last-child .failure strong')?.innerText.includes('broke off')")
        assert len(answers(chat)[1]) > 20
        chat.click(".message:last-child .failure button")
        chat.wait("document.querySelector('.message:last-child .failure strong')?.innerText.includes('cannot be reached')")
        with Server("--threads", "1", "--kv-memory", "16M", "--context", "256", port=port) as second:
            chat.click(".message:last-child .failure button")
            wait_for_answers(chat, 2)
            say(chat, "word " * 300)
            chat.wait("document.querySelector('.message:last-child .failure strong')?.innerText.includes('too long')")
            check_quiet(chat, second, ["529", "ERR_", "400"])


def origins():
    """A page of another origin may use the server if it is allowed to, and only then."""
    handler = functools.partial(QuietFiles, directory=tempfile.mkdtemp())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other, contextlib.ExitStack() as stack:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        port = other.server_address[1]
        browser = stack.enter_context(Browser("--host-resolver-rules=MAP page.example 127.0.0.1"))
        near = browser.open(f"http://127.0.0.1:{port}/")
        far = browser.open(f"http://page.example:{port}/")
        plain = stack.enter_context(Server("--mock", "--mock-tokens-per-second", "500"))
        assert ask_from(near, plain, DEVELOPMENT_KEY)["text"] == "Mock response to: hi there"
        assert ask_from(far, plain, DEVELOPMENT_KEY) == {"error": "TypeError"}

        file = stack.enter_context(tempfile.NamedTemporaryFile("w"))
        file.write("right-key\n")
        file.flush()
        closed = stack.enter_context(Server("--mock", "--api-key-file", file.name))
        assert ask_from(near, closed, "right-key") == {"error": "TypeError"}
        allowed = stack.enter_context(Server(
            "--mock", "--mock-tokens-per-second", "500", "--api-key-file", file.name,
            "--allow-origin", f"http://page.example:{port}"))
        answer = ask_from(far, allowed, "right-key")
        assert answer["text"] == "Mock response to: hi there" and answer["id"].startswith("req_"), answer
        refusal = ask_from(far, allowed, "wrong-key")
        assert refusal["status"] == 401 and "authentication_error" in refusal["body"], refusal
        assert ask_from(near, allowed, "right-key") == {"error": "TypeError"}

        # Nobody can put the page into a frame of theirs.
        far.evaluate(f"""document.body.append(Object.assign(document.createElement("iframe"), {{src: "{allowed.url}/"}}))""")
        until(lambda: any("frame" in text.lower() for text in far.complaints), f"framed: {far.complaints}")
        other.shutdown()


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def ask_from(page, server, key):
    """What a page gets that asks as a client in a browser does."""
    return page.evaluate("""(async () => {
        try {
            const response = await fetch(%s + "/v1/messages", {
                method: "POST",
                headers: {"x-api-key": %s, "content-type": "application/json", "anthropic-version": "2023-06-01",
                          "anthropic-dangerous-direct-browser-access": "true", "x-stainless-lang": "js"},
                body: JSON.stringify({model: "m", max_tokens: 50, stream: true,
                                      messages: [{role: "user", content: "hi there"}]}),
            });
            const body = await response.text();
            const deltas = body.split("\\n").filter((line) => line.includes("text_delta"));
            return {status: response.status, id: response.headers.get("request-id"), body,
                    text: deltas.map((line) => JSON.parse(line.slice(6)).delta.text).join("")};
        } catch (error) { return {error: error.name}; }
    })()""" % (json.dumps(server.url), json.dumps(key)))


if __name__ == "__main__":
    {case.__name__: case for case in [page, keys, markdown, failures, origins]}[sys.argv[1]]()
