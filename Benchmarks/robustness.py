#!/usr/bin/env python3
"""Hard days for a server: what it must survive, measured on a real one.

usage: robustness.py [--server PATH] [--only NAME]

Starts the given server (default .build/release/pensieve) on a free port and runs, one after the other:

  idle         CPU use of an idle server over ten seconds (under 1 %)
  connections  2,000 idle connections and 64 running streams at once: all finish, descriptors and memory come back
  killed       20 % of clients killed mid-stream for a minute: nothing is left behind, the next request is served
  longprompt   a 6,000-token prompt while 8 streams run: their longest gap against their median step
  terminate    SIGTERM under load: every stream gets a proper end, exit status 0

and those of robustness_clients.py, where one client takes all it can: flood, bigbodies, fullqueue, stops.

Only Python's standard library is needed. Exit status 1 if anything failed.
"""

import argparse
import json
import os
import random
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

KEY = "test-api-key-12345"


class Server:
    def __init__(self, path, *flags):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        self.process = subprocess.Popen(
            [path, "start", "--port", "0", *flags], stderr=subprocess.PIPE, text=True, env=environment)
        self.port = None
        for line in self.process.stderr:
            found = re.search(r"ready at http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            sys.exit("the server did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def get(self, path):
        with self.connect() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.split(b"\r\n\r\n", 1)[1]

    def health(self):
        return json.loads(self.get("/health"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until_empty(self, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            state = self.health()
            counts = (state["sessions"]["waiting"], state["sessions"]["running"], state["kv_blocks"]["in_use"])
            if counts == (0, 0, 0):
                return True
            time.sleep(0.05)
        print("  left behind:", counts)
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Stream:
    """One streamed answer: its events with their times, and how it ended."""

    def __init__(self, server, prompt, max_tokens=200):
        body = json.dumps({"model": "m", "max_tokens": max_tokens, "stream": True,
                           "messages": [{"role": "user", "content": prompt}]}).encode()
        self.connection = server.connect()
        self.connection.sendall(
            b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + KEY.encode()
            + b"\r\nConnection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        self.times = []
        self.data = b""

    def read(self, until_deltas=None):
        """Reads to the end, or until this many text deltas have come."""
        while until_deltas is None or len(self.times) < until_deltas:
            try:
                piece = self.connection.recv(65536)
            except OSError:
                break
            if not piece:
                self.connection.close()
                break
            self.data += piece
            self.times += [time.perf_counter()] * piece.count(b"event: content_block_delta")
        return self

    @property
    def finished(self):
        return b"event: message_stop" in self.data

    @property
    def ended(self):
        return self.finished or b"event: error" in self.data

    def gaps(self):
        return [b - a for a, b in zip(self.times, self.times[1:])]


LONG = "Repeat after me: " + " ".join(["stone", "river", "apple", "cloud", "green", "seven"])


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


def idle(path):
    server = Server(path)
    time.sleep(1)
    before = server.cpu()
    time.sleep(10)
    percent = (server.cpu() - before) * 10
    server.stop()
    print(f"  {percent:.2f} % of a core")
    return percent < 1


def connections(path):
    server = Server(path)
    Stream(server, LONG).read()
    descriptors, memory = server.descriptors(), server.resident()
    crowd = [server.connect() for _ in range(2000)]
    time.sleep(0.5)
    with_crowd = server.resident()
    streams = in_threads(64, lambda i: Stream(server, f"What is {10 + i} + 21?").read())
    finished = sum(stream.finished for stream in streams)
    for connection in crowd:
        connection.close()
    empty = server.until_empty()
    time.sleep(1)
    left = server.descriptors() - descriptors
    after = server.resident()
    print(f"  {finished} of 64 streams finished beside 2,000 idle connections; descriptors left {left}; resident "
          f"{memory >> 20} MiB before, {with_crowd >> 20} with the crowd, {after >> 20} after")
    return finished == 64 and empty and left <= 1 and server.stop() == 0


def killed(path, seconds=60):
    server = Server(path)
    Stream(server, LONG).read()
    descriptors = server.descriptors()
    end = time.time() + seconds
    counts = {"finished": 0, "killed": 0, "broken": 0}
    lock = threading.Lock()

    def client(index):
        dice = random.Random(index)
        while time.time() < end:
            prompt = f"What is {dice.randint(10, 99)} + {dice.randint(10, 99)}?" if dice.random() < 0.5 else LONG
            stream = Stream(server, "hello " * dice.randint(0, 200) + prompt)
            if dice.random() < 0.2:
                stream.read(until_deltas=dice.randint(0, 4))
                if dice.random() < 0.5:  # a reset, not a polite end
                    stream.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                kind = "killed"
            else:
                kind = "finished" if stream.read().finished else "broken"
            stream.connection.close()
            with lock:
                counts[kind] += 1

    in_threads(32, client)
    empty = server.until_empty()
    time.sleep(1)
    left = server.descriptors() - descriptors
    served = Stream(server, LONG).read().finished
    print(f"  {counts}; descriptors left {left}; next request served: {served}")
    return empty and left <= 1 and served and counts["broken"] == 0 and server.stop() == 0


def longprompt(path):
    server = Server(path)
    running = True

    def reader(index):
        gaps = []
        while running:
            stream = Stream(server, LONG + f" {index}")
            gaps += [(t, g) for t, g in zip(stream.read().times[1:], stream.gaps())]
        return gaps

    results = []
    thread = threading.Thread(target=lambda: results.extend(in_threads(8, reader)))
    thread.start()
    time.sleep(3)
    start = time.perf_counter()
    answer = Stream(server, "stone river " * 1000 + " What is 12 + 13?", 20).read()
    # While the prompt is computed: the steps after it are as short as before.
    end = answer.times[0] if answer.times else time.perf_counter()
    running = False
    thread.join()
    during = [g for gaps in results for t, g in gaps if start <= t <= end]
    before = [g for gaps in results for t, g in gaps if t < start]
    usage = re.search(rb'"usage":\{"input_tokens":(\d+)', answer.data)
    tokens = int(usage.group(1)) if usage else 0
    # Several tokens of one step may arrive in one read: gaps of zero are no steps.
    step = statistics.median([g for g in during if g > 0.0002] or [0])
    print(f"  prompt of {tokens} tokens took {end - start:.2f} s; gap of the 8 streams: median step {step * 1000:.1f} ms "
          f"while it ran ({statistics.median(before) * 1000:.1f} ms before), longest {max(during) * 1000:.1f} ms, "
          f"ratio {max(during) / step:.2f}")
    stopped = server.stop() == 0
    return answer.finished and max(during) < 3 * step and stopped


def terminate(path):
    server = Server(path, "--shutdown-seconds", "1")
    streams = [Stream(server, "hello " * 50 + LONG + f" {i}") for i in range(200)]
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    ended = sum(in_threads(len(streams), lambda i: streams[i].read().ended))
    status = server.process.wait(30)
    finished = sum(stream.finished for stream in streams)
    unserved = sum(b" 503 " in stream.data[:20] or not stream.data for stream in streams)
    print(f"  {finished} finished, {ended - finished} ended by an error event, {unserved} refused before they began, "
          f"of {len(streams)}; exit status {status}")
    return ended + unserved == len(streams) and status == 0


def main():
    from robustness_clients import CHECKS  # which uses what is above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=".build/release/pensieve")
    parser.add_argument("--only")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    failed = False
    for check in [idle, connections, killed, longprompt, terminate, *CHECKS]:
        if options.only in (None, check.__name__):
            print(check.__name__, flush=True)
            good = check(options.server)
            failed |= not good
            print("  good" if good else "  FAILED", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
