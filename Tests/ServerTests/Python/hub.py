"""A hub for tests: the routes of a Hugging Face hub that a download uses, and faults on demand.

usage: hub.py ROOT        prints "ready ENDPOINT" when it listens; ends with its standard input

ROOT/ORG/NAME/...         the files of a repository; its only commit is a hash of them, called main and v1
ROOT/ORG/NAME/.access     "private" or "gated": only the token hf_good may read
ROOT/faults.json          {"ORG/NAME/FILE": {...}}, read anew for each request:
    "cut": [n, ...]       the first answers with bytes end after so many, the connection with them
    "stall": [n, ...]     the same, but the connection stays, and nothing more comes
    "status": [s, ...]    the first requests are answered with such a status
    "rate": n             bytes in a second
    "size": n             the size that the hub speaks of
    "flip": true          one bit of the content is another
    "truncate": n         where the bytes are, the file is shorter
    "no_ranges": true     ranges are not understood
                          {"ORG/NAME": {...}} for the listing of a repository: "status", and
    "also_lists": [path]  files that it names besides
ROOT/requests.log         one line of JSON for each request

Large files (*.safetensors, *.gguf) are kept as the real hub keeps them: named by their SHA-256, and a GET is sent on to
another server with a signed address, which refuses whoever shows it a token. An address is good for three requests.
Small files are behind a relative redirection.
"""

import hashlib
import json
import os
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, quote, unquote, urlsplit

ROOT = sys.argv[1]
LOCK = threading.Lock()
USED = {}
CACHED = "resolve-cache"
SIGNATURES = {}


def is_large(path):
    return path.endswith((".safetensors", ".gguf"))


FILES = {}


def file_at(repository, path):
    """A file as it is now; hashed once."""
    information = os.stat(os.path.join(ROOT, repository, path))
    key = (repository, path, information.st_mtime_ns, information.st_size)
    if key not in FILES:
        FILES[key] = File(repository, path)
    return FILES[key]


class File:
    def __init__(self, repository, path):
        self.repository, self.path = repository, path
        with open(os.path.join(ROOT, repository, path), "rb") as file:
            self.data = file.read()
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        content = self.data
        if is_large(path):
            content = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n".encode()
        self.pointer_size = len(content)
        self.blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def etag(self):
        return self.sha256 if is_large(self.path) else self.blob

    @property
    def lfs(self):
        return {"oid": self.sha256, "sha256": self.sha256, "size": len(self.data), "pointerSize": self.pointer_size}


def repository_files(repository):
    base = os.path.join(ROOT, repository)
    paths = [os.path.relpath(os.path.join(folder, name), base) for folder, _, names in os.walk(base) for name in names]
    return [file_at(repository, path) for path in sorted(paths) if path != ".access"]


def commit_of(files):
    return hashlib.sha1("".join(f"{file.path} {file.etag}\n" for file in files).encode()).hexdigest()


def faults(name):
    try:
        with open(os.path.join(ROOT, "faults.json")) as file:
            return json.load(file).get(name, {})
    except FileNotFoundError:
        return {}


def next_of(name, kind):
    """The next of a list of faults, once."""
    with LOCK:
        index = USED.get((name, kind), 0)
        values = faults(name).get(kind, [])
        if index < len(values):
            USED[(name, kind)] = index + 1
            return values[index]
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        entry = {
            "method": self.command, "server": self.server.kind, "path": self.path,
            "range": self.headers.get("range"), "authorization": self.headers.get("authorization"),
        }
        with LOCK, open(os.path.join(ROOT, "requests.log"), "a") as log:
            log.write(json.dumps(entry) + "\n")
        try:
            self.route(urlsplit(self.path))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status, headers, body=b"", length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message, headers=()):
        headers = {"X-Error-Code": code, "X-Error-Message": message, **dict(headers)}
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Authentication required"'
        self.reply(status, headers, json.dumps({"error": message}).encode())

    def bytes_of(self, name, data, headers):
        """Content, whole or a range of it, with the faults that are asked for."""
        wish = faults(name)
        data = data[: wish.get("truncate", len(data))]
        if wish.get("flip"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        total, start, end = len(data), 0, len(data)
        wanted = self.headers.get("range")
        if wanted and not wish.get("no_ranges"):
            first, last = wanted.removeprefix("bytes=").split("-")
            start, end = int(first), min(total, int(last) + 1 if last else total)
            if start >= total:
                return self.refuse(416, "RangeNotSatisfiable", "", {"Content-Range": f"bytes */{total}"})
            headers = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{total}"}
        status = 206 if "Content-Range" in headers else 200
        body = data[start:end]
        cut = next_of(name, "cut") if self.command == "GET" else None
        stall = next_of(name, "stall") if self.command == "GET" else None
        rate = wish.get("rate")
        if cut is None and stall is None and not rate:
            return self.reply(status, {"Accept-Ranges": "bytes", **headers}, body)
        self.reply(status, {"Accept-Ranges": "bytes", **headers}, b"", length=len(body))
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
            return
        if stall is not None:
            self.wfile.write(body[:stall])
            self.wfile.flush()
            # Until the client is gone.
            self.connection.recv(1)
            self.close_connection = True
            return
        for offset in range(0, len(body), max(1, rate // 20)):
            self.wfile.write(body[offset : offset + max(1, rate // 20)])
            self.wfile.flush()
            time.sleep(0.05)


class Store(Handler):
    """Where large files are: knows signed addresses, and no tokens."""

    def route(self, url):
        name = unquote(url.path).lstrip("/")
        signature = parse_qs(url.query).get("signature", [""])[0]
        if self.headers.get("authorization"):
            return self.refuse(400, "InvalidArgument", "Only one auth mechanism allowed")
        with LOCK:
            left = SIGNATURES.get(signature, 0)
            SIGNATURES[signature] = left - 1
        if left <= 0:
            return self.refuse(403, "AccessDenied", "Request has expired")
        repository, path = name.split("/", 2)[:2], name.split("/", 2)[2]
        self.bytes_of(name, file_at("/".join(repository), path).data, {"Content-Type": "application/octet-stream"})


class Hub(Handler):
    def route(self, url):
        parts = unquote(url.path).strip("/").split("/") if "%2F" not in url.path else [
            unquote(part) for part in url.path.strip("/").split("/")
        ]
        if parts[:2] == ["api", "models"] and len(parts) >= 4:
            return self.listing("/".join(parts[2:4]), parts[4:], parse_qs(url.query))
        if len(parts) >= 5 and parts[2] == "resolve":
            return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]), f"/{CACHED}{url.path}")
        if parts[0] == CACHED and len(parts) >= 6 and parts[3] == "resolve":
            return self.resolve("/".join(parts[1:3]), parts[4], "/".join(parts[5:]), None)
        self.refuse(404, "NotFound", "Not found")

    def may_read(self, repository, is_listing):
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        if token and not token.startswith("hf_"):
            self.refuse(401, "", "Invalid credentials in Authorization header")
            return False
        base = os.path.join(ROOT, repository)
        access = ""
        if os.path.exists(os.path.join(base, ".access")):
            with open(os.path.join(base, ".access")) as file:
                access = file.read().strip()
        if not os.path.isdir(base) or access == "private" and token != "hf_good":
            # As the real hub does, so that nobody learns which private models there are.
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
            return False
        if access == "gated" and not is_listing and token != "hf_good":
            message = f"Access to model {repository} is restricted."
            self.refuse(403 if token else 401, "GatedRepo", message)
            return False
        return True

    def revision(self, repository, revision):
        files = repository_files(repository)
        commit = commit_of(files)
        if revision not in (commit, "main", "v1"):
            self.refuse(404, "RevisionNotFound", "Revision Not Found")
            return None, None
        return files, commit

    def listing(self, repository, rest, query):
        name = repository
        status = next_of(name, "status")
        if status:
            return self.refuse(status, "", "try later")
        if not self.may_read(repository, True):
            return None
        files, commit = self.revision(repository, rest[1] if len(rest) > 1 else "main")
        if files is None:
            return None
        if rest and rest[0] == "tree":
            items = [{"type": "file", "oid": file.blob, "size": len(file.data), "path": file.path} for file in files]
            for item, file in zip(items, files):
                if is_large(file.path):
                    item["lfs"] = file.lfs
            return self.reply(200, {"Content-Type": "application/json"}, json.dumps(items).encode())
        siblings = [{"rfilename": file.path} for file in files]
        if "blobs" in query:
            for item, file in zip(siblings, files):
                size = faults(f"{repository}/{file.path}").get("size", len(file.data))
                item.update(size=size, blobId=file.blob)
                item.update({"lfs": file.lfs} if is_large(file.path) else {})
        siblings += [{"rfilename": path} for path in faults(name).get("also_lists", [])]
        answer = {
            "_id": "0", "id": repository, "modelId": repository, "sha": commit, "private": False, "gated": False,
            "disabled": False, "downloads": 0, "likes": 0, "tags": [], "siblings": siblings,
        }
        self.reply(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def resolve(self, repository, revision, path, redirection):
        if not self.may_read(repository, False):
            return None
        files, commit = self.revision(repository, revision)
        if files is None:
            return None
        file = next((file for file in files if file.path == path), None)
        if file is None:
            return self.refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        name = f"{repository}/{path}"
        status = next_of(name, "status")
        if status:
            return self.refuse(status, "", "try later")
        size = faults(name).get("size", len(file.data))
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if is_large(path):
            signature = os.urandom(8).hex()
            SIGNATURES[signature] = 3
            headers |= {
                "X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(size),
                "Location": f"http://localhost:{STORE.server_address[1]}/{quote(name)}?signature={signature}",
            }
            return self.reply(302, headers, b"Found. Redirecting")
        if redirection:
            return self.reply(307, headers | {"Location": redirection}, b"Temporary Redirect. Redirecting")
        headers |= {"ETag": f'"{file.etag}"'}
        if self.command == "HEAD":
            return self.reply(200, headers, length=size)
        self.bytes_of(name, file.data, headers)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, kind, handler):
        self.kind = kind
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


STORE = Server("store", Store)
HUB = Server("hub", Hub)
print(f"ready http://127.0.0.1:{HUB.server_address[1]}", flush=True)
sys.stdin.read()
