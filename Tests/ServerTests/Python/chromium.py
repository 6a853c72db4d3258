"""Drives a headless Chromium through its DevTools protocol, with nothing but the standard library.

The protocol runs over a pair of pipes (--remote-debugging-pipe): JSON messages, each ended by a zero byte.
"""

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

PATHS = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable"]


def find():
    """The browser's path, or None."""
    return next((path for path in map(shutil.which, PATHS) if path), None)


class Browser:
    def __init__(self, *flags):
        self.folder = tempfile.mkdtemp(prefix="pensieve-chromium-")
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()[::-1]
        command = [
            find(), "--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + self.folder, "--no-first-run",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions",
            "--disable-component-update", "--hide-scrollbars", "--mute-audio", *flags,
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        # The browser reads descriptor 3 and writes 4.
        shell = ["sh", "-c", f'exec "$@" 3<&{to_browser} 4>&{theirs}', "sh", *command, "about:blank"]
        self.process = subprocess.Popen(
            shell, pass_fds=[to_browser, theirs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(to_browser)
        os.close(theirs)
        self.writer = os.fdopen(ours, "wb", buffering=0)
        self.reader = os.fdopen(from_browser, "rb", buffering=0)
        self.lock = threading.Lock()
        self.number = 0
        self.answers = {}
        self.pages = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while piece := self.reader.read(1 << 16):
            *messages, rest = (rest + piece).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers[message["id"]].put(message)
                elif page := self.pages.get(message.get("sessionId")):
                    page.notice(message["method"], message["params"])
        for answer in list(self.answers.values()):
            answer.put({"error": {"message": "the browser ended"}})

    def call(self, method, session=None, timeout=30, **parameters):
        with self.lock:
            self.number += 1
            message = {"id": self.number, "method": method, "params": parameters}
            if session:
                message["sessionId"] = session
            answer = self.answers[self.number] = queue.Queue()
            self.writer.write(json.dumps(message).encode() + b"\0")
        reply = answer.get(timeout=timeout)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def open(self, url="about:blank"):
        """A page of its own, with storage of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.goto(url)
        return page

    def close(self):
        try:
            self.call("Browser.close", timeout=5)
            self.process.wait(5)
        except Exception:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page:
    KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "Backspace": (8, "")}

    def __init__(self, browser, session):
        self.browser = browser
        self.session = session
        #: What the page asked for; errors and warnings of its console.
        self.requests, self.complaints = [], []
        browser.pages[session] = self
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(domain + ".enable")

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def notice(self, method, parameters):
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"])
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"])

    def goto(self, url):
        if url != "about:blank":
            self.evaluate("window.isOld = true")
            self.call("Page.navigate", url=url)
            self.wait("!window.isOld && document.readyState === 'complete'")

    def reload(self):
        self.evaluate("window.isOld = true")
        self.call("Page.reload")
        self.wait("!window.isOld && document.readyState === 'complete'")

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if details := result.get("exceptionDetails"):
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """Waits until an expression is true; its value."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if (value := self.evaluate(expression)) not in (None, False, 0, ""):
                    return value
            except RuntimeError as error:
                # While the page changes there is nothing to ask.
                if "context" not in str(error).lower() and "navigat" not in str(error).lower():
                    raise
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {expression}; the page says: {self.text('body')[-1500:]}")
            time.sleep(0.02)

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def count(self, selector):
        return self.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length")

    def is_shown(self, selector):
        return self.evaluate(f"Boolean(document.querySelector({json.dumps(selector)})?.checkVisibility())")

    def click(self, selector):
        """Clicks with the mouse where the element is, once it is there."""
        place = self.wait(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node?.checkVisibility() || node.disabled) return null;
            node.scrollIntoView({{block: "nearest"}});
            const box = node.getBoundingClientRect();
            return box.width > 0 && [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        where = {"x": place[0], "y": place[1]}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **where)
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, shift=False):
        code, text = self.KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def size(self, width, height, is_phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=is_phone,
                  deviceScaleFactor=2 if is_phone else 1)
        self.call("Emulation.setTouchEmulationEnabled", enabled=is_phone)

    def prefer(self, scheme):
        """light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shoot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
