"""One client against all: what the others still get, measured on a real server. Run by robustness.py.

  flood        300 connections count tokens of 65 KB without pause: the longest gap of 4 running streams, /health
  bigbodies    64 requests of 1 MB by one client: how long another's 72 KB wait
  fullqueue    one client fills the waiting queue without pause: how many of another's 12 requests are served
  stops        100 requests with 1,024 stop sequences of 4,096 bytes each: memory meanwhile and afterwards
"""

import json
import multiprocessing
import os
import selectors
import socket
import statistics
import tempfile
import threading
import time

from robustness import KEY, LONG, Server, Stream, in_threads

GREEDY, MODEST = "key-of-the-greedy-one", "key-of-the-modest-one"


def key_file():
    file = tempfile.NamedTemporaryFile("w", suffix=".keys", delete=False)
    file.write(f"{GREEDY}\n{MODEST}\n")
    file.close()
    os.chmod(file.name, 0o600)
    return file.name


def request(path, body, key=KEY, close=False):
    body = json.dumps(body).encode()
    end = "Connection: close\r\n" if close else ""
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n{end}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def prompt(size):
    """A text of so many bytes that no cache of words makes easy."""
    words = [f"word{i * 7919 % 10007}" for i in range(size // 6)]
    return " ".join(words)[:size]


def status(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def ask(server, data):
    """Sends a request that closes its connection; the whole answer."""
    answer = b""
    with server.connect() as connection:
        connection.sendall(data)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def flood_from(port, data, connections, seconds, counts):
    """Many connections, each sending one request after another; one thread serves them all, in a process of its own."""
    chooser = selectors.DefaultSelector()
    states = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setblocking(False)
        states[connection] = [memoryview(data), b""]
        chooser.register(connection, selectors.EVENT_WRITE)
    end = time.time() + seconds
    while time.time() < end:
        for event, _ in chooser.select(0.1):
            connection, state = event.fileobj, states[event.fileobj]
            if state[0]:
                try:
                    state[0] = state[0][connection.send(state[0]):]
                except BlockingIOError:
                    continue
                if not state[0]:
                    chooser.modify(connection, selectors.EVENT_READ)
                continue
            piece = connection.recv(65536)
            state[1] += piece
            head, found, body = state[1].partition(b"\r\n\r\n")
            if not piece:
                counts[1] += 1
                chooser.unregister(connection)
            elif found and len(body) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                counts[0 if status(head) == 200 else 1] += 1
                states[connection] = [memoryview(data), b""]
                chooser.modify(connection, selectors.EVENT_WRITE)


def flood(path, seconds=8, connections=300, size=65_000):
    server = Server(path)
    running = True
    gaps, latencies = [], []

    def reader(index):
        mine = []
        while running:
            stream = Stream(server, LONG + f" {index}", 400).read()
            mine += [(when, gap) for when, gap in zip(stream.times[1:], stream.gaps())]
        return mine

    streams = threading.Thread(target=lambda: gaps.extend(in_threads(4, reader)))
    streams.start()
    time.sleep(2)
    body = {"model": "m", "messages": [{"role": "user", "content": prompt(size)}]}
    counts = multiprocessing.Array("i", 2)
    data = request("/v1/messages/count_tokens", body)
    attack = multiprocessing.Process(target=flood_from, args=(server.port, data, connections, seconds, counts))
    attack.start()
    time.sleep(1)
    begin = time.perf_counter()
    while attack.is_alive():
        before = time.perf_counter()
        server.health()
        latencies.append(time.perf_counter() - before)
        time.sleep(0.02)
    end = time.perf_counter()
    running = False
    streams.join()
    quiet = [gap for mine in gaps for when, gap in mine if when < begin - 1.5]
    during = [gap for mine in gaps for when, gap in mine if begin <= when <= end]
    worst_health = max(latencies, default=9)
    print(f"  {counts[0]} prompts of {size} bytes counted, {counts[1]} refused; longest gap of the 4 streams "
          f"{max(during, default=9) * 1000:.0f} ms ({max(quiet, default=9) * 1000:.0f} ms before), /health "
          f"{statistics.median(latencies) * 1000:.1f} ms in the middle, {worst_health * 1000:.0f} ms at worst")
    stopped = server.stop() == 0
    return max(during, default=9) < 0.05 and worst_health < 0.05 and stopped and counts[0] > 0


def bigbodies(path):
    keys = key_file()
    server = Server(path, "--api-key-file", keys)
    large = request("/v1/messages/count_tokens",
                    {"model": "m", "messages": [{"role": "user", "content": prompt(1_000_000)}]}, GREEDY, close=True)
    usual = request("/v1/messages/count_tokens",
                    {"model": "m", "messages": [{"role": "user", "content": prompt(72_000)}]}, MODEST, close=True)
    before = time.perf_counter()
    ask(server, usual)
    alone = time.perf_counter() - before
    done = []
    crowd = threading.Thread(target=lambda: done.extend(in_threads(64, lambda _: status(ask(server, large)))))
    begin = time.perf_counter()
    crowd.start()
    time.sleep(0.5)
    waits = []
    while crowd.is_alive() and len(waits) < 8:
        before = time.perf_counter()
        answer = ask(server, usual)
        waits.append(time.perf_counter() - before)
        if status(answer) != 200:
            print("  another client's request was refused:", answer[:200])
            return False
    crowd.join()
    took = time.perf_counter() - begin
    server.stop()
    os.remove(keys)
    print(f"  64 bodies of 1 MB took {took:.1f} s; meanwhile 72 KB of another client took "
          f"{statistics.median(waits) * 1000:.0f} ms in the middle, {max(waits) * 1000:.0f} ms at worst "
          f"({alone * 1000:.0f} ms alone)")
    # One large body and a bit.
    return max(waits) < 4 * took / 64 + alone + 0.1


def fullqueue(path):
    keys = key_file()
    server = Server(path, "--mock", "--mock-tokens-per-second", "20", "--max-sessions", "4", "--max-waiting", "16",
                    "--api-key-file", keys)
    text = {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "a b c d e f g"}]}
    running = True
    counts = {}
    lock = threading.Lock()

    def greedy(_):
        while running:
            code = status(ask(server, request("/v1/messages", text, GREEDY, close=True)))
            with lock:
                counts[code] = counts.get(code, 0) + 1
            time.sleep(0.05 if code == 529 else 0)

    crowd = threading.Thread(target=lambda: in_threads(60, greedy))
    crowd.start()
    time.sleep(2)
    codes, waits = [], []
    for _ in range(12):
        before = time.perf_counter()
        codes.append(status(ask(server, request("/v1/messages", text, MODEST, close=True))))
        waits.append(time.perf_counter() - before)
    running = False
    crowd.join()
    server.stop()
    os.remove(keys)
    print(f"  one client's answers by status: {counts}; another's 12: {codes}, "
          f"{max(waits):.1f} s at worst")
    return codes == [200] * 12


def stops(path, count=100):
    # So slow that all of them are there at once.
    server = Server(path, "--mock", "--mock-tokens-per-second", "0.2", "--max-sessions", str(count))
    before = server.resident()
    sequences = [f"{i:04d}" + "x" * 4092 for i in range(1024)]
    data = request("/v1/messages", {"model": "m", "max_tokens": 2000, "stream": True, "stop_sequences": sequences,
                                    "messages": [{"role": "user", "content": LONG}]}, close=True)
    connections = []
    for _ in range(count):
        connection = server.connect()
        connection.sendall(data)
        connections.append(connection)
    accepted = peak = 0
    end = time.time() + 120
    while time.time() < end:
        state = server.health()["sessions"]
        accepted = max(accepted, state["waiting"] + state["running"])
        peak = max(peak, server.resident())
        if accepted == count or state["waiting"] + state["running"] < accepted:
            break
        time.sleep(0.05)
    for connection in connections:
        connection.close()
    server.until_empty(60)
    end = time.time() + 60
    while time.time() < end and server.resident() > before + (64 << 20):
        time.sleep(1)
    after = server.resident()
    sent = accepted * len(data)
    print(f"  {accepted} of {count} at once, {sent >> 20} MiB of bodies; resident {before >> 20} MiB before, "
          f"{peak >> 20} MiB at most, {after >> 20} MiB a minute after at the latest")
    stopped = server.stop() == 0
    # The body, its stop sequences once more, and what reading the latest of them takes.
    return accepted > 0 and peak - before < 3 * sent + (128 << 20) and after < before + (64 << 20) and stopped


CHECKS = [flood, bigbodies, fullqueue, stops]
