#!/usr/bin/env python3
"""Several replicas behind real proxies: what a restart, a crash and a long conversation look like to clients.

usage: replicas.py [--server PATH] [--only NAME]

Starts two of the given server (default .build/release/pensieve) on free ports, and in front of them HAProxy with
Configs/haproxy.cfg or nginx with Configs/nginx.conf, of which only addresses and certificates are changed:

  affinity   conversations of several turns, their first messages as strings and as blocks: each keeps to one replica and
             finds its earlier turns there, and both replicas have some
  terminate  SIGTERM to a replica under load, then a start: no request fails, and none had to be asked again
  kill       SIGKILL under load, then a start: nothing fails but streams that had begun on that replica
  nginx      through nginx.conf and through a bare proxy_pass, events arrive as they are made

Needs haproxy, nginx and openssl (Debian's will do). Exit status 1 if anything failed.
"""

import argparse
import collections
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

KEY = "replica-key-0123456789"
LONG = " ".join(["stone", "river", "apple", "cloud", "green", "seven"] * 4)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Replica:
    """A server with a log of its requests, which outlives its restarts."""

    def __init__(self, path, folder, *flags):
        self.path, self.flags, self.port = path, flags, free_port()
        self.keys = os.path.join(folder, "keys")
        with open(self.keys, "w") as file:
            file.write(KEY + "\n")
        self.lines = []
        self.start()

    def start(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "PENSIEVE_"))}
        self.process = subprocess.Popen(
            [self.path, "start", "--port", str(self.port), "--threads", "1", "--api-key-file", self.keys,
             "--kv-memory", "128M", "--log-requests", "--log-format", "json", *self.flags],
            stderr=subprocess.PIPE, text=True, env=environment)
        for line in self.process.stderr:
            if "is ready at" in line:
                break
        else:
            sys.exit("a replica did not start")
        threading.Thread(target=self.read, args=(self.process.stderr,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            entry = json.loads(line)
            if "status" in entry:
                self.lines.append(entry)

    def signal(self, number):
        self.process.send_signal(number)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={"x-api-key": KEY})
        response = connection.getresponse()
        return response.status, response.read().decode()

    def metric(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.get("/metrics")[1], re.M).group(1))

    def end(self):
        self.signal(signal.SIGKILL)
        self.process.wait(60)


class Proxy:
    """HAProxy or nginx on a port of its own."""

    def __init__(self, command, port, tls=False):
        self.port, self.tls = port, tls
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 20
        while time.time() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        sys.exit(f"{command[0]} did not start: {self.process.stderr.read()}")

    def connect(self):
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def haproxy(folder, replicas):
    """HAProxy with Configs/haproxy.cfg, its ports replaced."""
    port = free_port()
    with open(os.path.join(ROOT, "Configs", "haproxy.cfg")) as file:
        text = file.read()
    text = text.replace("bind :8080", f"bind 127.0.0.1:{port}")
    for replica, own in zip(replicas, ["127.0.0.1:7777", "127.0.0.1:7778"]):
        assert text.count(own) == 1
        text = text.replace(own, f"127.0.0.1:{replica.port}")
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w") as file:
        file.write(text)
    proxy = Proxy([shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"), "-db", "-f", path], port)
    time.sleep(2)  # Its first look at the replicas' health.
    return proxy


def nginx(folder, site, port, tls):
    site = re.sub(r"listen .*?;", f"listen 127.0.0.1:{port}{' ssl' if tls else ''};", site)
    path = os.path.join(folder, f"nginx-{port}.conf")
    paths = "\n".join(f"{kind}_temp_path {folder}/{kind}-{port};" for kind in
                      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    with open(path, "w") as file:
        file.write(f"daemon off; pid {folder}/nginx-{port}.pid; error_log {folder}/nginx.log;\n"
                   f"events {{}}\nhttp {{ access_log off; {paths}\n{site}\n}}\n")
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    return Proxy([program, "-e", f"{folder}/nginx.log", "-c", path], port, tls)


class Answer:
    """One request through a proxy: what came of it, and when its events came."""

    def __init__(self, proxy, model, messages, stream, max_tokens=24, headers=None):
        self.status, self.text, self.usage, self.times = None, "", {}, []
        self.began, self.whole = False, False
        self.start = time.time()
        body = {"max_tokens": max_tokens, "messages": messages, "model": model, "stream": stream}
        try:
            connection = proxy.connect()
            connection.request("POST", "/v1/messages", json.dumps(body),
                               headers or {"x-api-key": KEY, "content-type": "application/json"})
            response = connection.getresponse()
            self.status = response.status
            if stream and self.status == 200:
                self.read_events(response)
            else:
                self.read_message(response)
        except (OSError, http.client.HTTPException) as error:
            self.error = repr(error)
        self.end = time.time()

    def read_events(self, response):
        for line in response:
            self.began = True
            if not line.startswith(b"data: "):
                continue
            event = json.loads(line[6:])
            self.times.append(time.time())
            if event["type"] == "message_start":
                self.usage = event["message"]["usage"]
            elif event["type"] == "content_block_delta":
                self.text += event["delta"]["text"]
            elif event["type"] == "message_stop":
                self.whole = True

    def read_message(self, response):
        message = json.loads(response.read())
        self.whole = self.status == 200
        if self.whole:
            self.text = "".join(block["text"] for block in message["content"])
            self.usage = message["usage"]


def in_threads(count, work):
    results = [None] * count

    def run(index):
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def converse(proxy, name, turns, as_blocks):
    """A conversation as an agent has it: each turn repeats all before it, the marks for caching move on."""
    question = f"{name}: what is 23 + 45? " + "Numbers are added with care. " * 20
    answers, history = [], []
    for turn in range(turns):
        said = question if turn == 0 else f"And {20 + turn} + {31 + turn}?"
        history.append({"role": "user", "content": [{"type": "text", "text": said}] if as_blocks else said})
        sent = json.loads(json.dumps(history))
        if as_blocks:
            sent[-1]["content"][0]["cache_control"] = {"type": "ephemeral"}
        answer = Answer(proxy, name, sent, stream=turn % 2 == 0)
        answers.append(answer)
        history.append({"role": "assistant", "content": answer.text or "none"})
    return answers


def affinity(path, folder):
    replicas = [Replica(path, folder) for _ in range(2)]
    proxy = haproxy(folder, replicas)
    names = [f"conversation-{i}" for i in range(12)]
    answers = in_threads(len(names), lambda i: converse(proxy, names[i], 4, as_blocks=i % 2 == 0))
    whole = all(answer.whole for turns in answers for answer in turns)
    found = sum(turn.usage.get("cache_read_input_tokens", 0) > 100 for turns in answers for turn in turns[1:])
    time.sleep(0.5)  # The logs' last lines.
    places = collections.defaultdict(set)
    for index, replica in enumerate(replicas):
        for line in replica.lines:
            if "model" in line:
                places[line["model"]].add(index)
    stayed = sum(len(places[name]) == 1 for name in names)
    shares = [sum(places[name] == {index} for name in names) for index in range(2)]
    cached = [int(replica.metric("pensieve_prefix_cache_hit_tokens_total")) for replica in replicas]
    print(f"  {stayed} of {len(names)} conversations kept to one replica, {shares[0]} and {shares[1]} of them; {found} of "
          f"{3 * len(names)} later turns found their earlier ones; tokens found on each replica {cached}")
    proxy.end()
    for replica in replicas:
        replica.end()
    # The bound on a share may move some on while all arrive at once; by chance alone one or two would stay.
    return whole and stayed >= 8 and found >= 28 and min(shares) > 0 and min(cached) > 0


def disturbed(path, folder, disturb):
    """Sixteen clients for as long as `disturb` takes with the first replica, and some seconds more."""
    replicas = [Replica(path, folder, "--drain-seconds", "4", "--shutdown-seconds", "30") for _ in range(2)]
    proxy = haproxy(folder, replicas)
    running, answers, lock = True, [], threading.Lock()

    def client(index):
        count = 0
        while running:
            count += 1
            answer = Answer(proxy, "m", [{"role": "user", "content": f"Repeat after me: {index} {count} {LONG}"}],
                            stream=(index + count) % 2 == 0, max_tokens=100)
            answer.client = index
            with lock:
                answers.append(answer)

    thread = threading.Thread(target=lambda: in_threads(16, client))
    thread.start()
    time.sleep(3)
    moment = time.time()
    disturb(replicas[0])
    down = time.time()
    time.sleep(3)
    replicas[0].start()
    time.sleep(6)
    running = False
    thread.join()
    failed = [answer for answer in answers if not answer.whole]
    statuses = collections.Counter(answer.status for answer in answers)
    again = len(replicas[0].lines) > 0 and replicas[0].metric("pensieve_generated_tokens_total") > 0
    print(f"  {len(answers)} requests, {dict(statuses)}, {len(failed)} failed; the replica took "
          f"{down - moment:.1f} s to end and has {'new' if again else 'NO'} work after its return")
    proxy.end()
    for replica in replicas:
        replica.end()
    return answers, failed, moment, again


def terminate(path, folder):
    statuses, drained = [], []

    def disturb(replica):
        replica.signal(signal.SIGTERM)
        time.sleep(0.5)
        # It says that it ends, and still serves who has not heard.
        drained.append(replica.get("/health")[0] == 503 and replica.get("/v1/models")[0] == 200)
        statuses.append(replica.process.wait(60))
        drained.append(all(line["status"] == 200 for line in replica.lines if line.get("path") == "/v1/messages"))

    answers, failed, _, again = disturbed(path, folder, disturb)
    for answer in failed[:5]:
        print("  failed:", answer.status, vars(answer).get("error"), answer.began)
    print(f"  said so and served on: {drained[0]}; refused nothing: {drained[1]}; exit status {statuses[0]}")
    return len(answers) > 50 and not failed and again and statuses == [0] and all(drained)


def kill(path, folder):
    def disturb(replica):
        replica.signal(signal.SIGKILL)
        replica.process.wait(60)

    answers, failed, moment, again = disturbed(path, folder, disturb)
    in_flight = [answer for answer in failed if answer.start <= moment <= answer.end + 0.5 and answer.began]
    for answer in failed:
        if answer not in in_flight:
            print("  failed without reason:", answer.status, vars(answer).get("error"), f"{answer.start - moment:.2f} s")
    print(f"  {len(in_flight)} of the failed were streams that the killed replica had begun")
    return len(answers) > 50 and len(failed) == len(in_flight) <= 16 and again


def events(path, folder):
    replica = Replica(path, folder, "--mock", "--mock-tokens-per-second", "20")
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with open(os.path.join(ROOT, "Configs", "nginx.conf")) as file:
        example = file.read()
    for old, new in [("127.0.0.1:7777", f"127.0.0.1:{replica.port}"), ("/etc/ssl/certs/llm.pem", certificate),
                     ("/etc/ssl/private/llm.key", key)]:
        assert example.count(old) == 1
        example = example.replace(old, new)
    bare = f"server {{ listen 0; location / {{ proxy_pass http://127.0.0.1:{replica.port}; }} }}"
    good = True
    for name, site, tls in [("nginx.conf", example, True), ("a bare proxy_pass", bare, False)]:
        proxy = nginx(folder, site, free_port(), tls)
        answer = Answer(proxy, "m", [{"role": "user", "content": "word " * 30}], stream=True, max_tokens=100)
        span = answer.times[-1] - answer.times[0] if answer.times else 0
        longest = max((b - a for a, b in zip(answer.times, answer.times[1:])), default=0)
        # A second and a half of answer at 20 tokens in a second, each an event of its own.
        as_made = answer.whole and span > 1 and longest < 0.5
        print(f"  {name}: {len(answer.times)} events over {span:.2f} s, longest gap {longest * 1000:.0f} ms")
        good &= as_made
        connection = proxy.connect()
        connection.request("GET", "/metrics")
        if tls:
            good &= connection.getresponse().status == 403
        proxy.end()
    replica.end()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--only")
    options = parser.parse_args()
    failed = False
    for name, check in {"affinity": affinity, "terminate": terminate, "kill": kill, "nginx": events}.items():
        if options.only in (None, name):
            print(name, flush=True)
            with tempfile.TemporaryDirectory() as folder:
                # nginx gives up root's rights and must still get at its own folders.
                os.chmod(folder, 0o755)
                good = check(options.server, folder)
            failed |= not good
            print("  good" if good else "  FAILED", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
