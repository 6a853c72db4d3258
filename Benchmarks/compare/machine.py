"""What the figures were taken on, and the limits that the machine itself sets, measured by numpy in the same run."""

import json
import os
import pathlib
import platform
import re
import subprocess
import sys

# Settings of OpenBLAS that a shell may carry would slow one side or the probe.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}

# One instruction of 512 bits multiplies and adds 16 pairs of float32, or 64 pairs of int8 (AVX-512 VNNI).
INT8_PER_FLOAT32 = 4

PROBE = """
import json, sys, threading, time
import numpy as np
threads = int(sys.argv[1])
parts = [np.ones(1 << 28, np.int8) for _ in range(threads)]
def once():
    workers = [threading.Thread(target=np.maximum.reduce, args=(part,)) for part in parts]
    start = time.perf_counter()
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    return sum(part.nbytes for part in parts) / (time.perf_counter() - start)
matrix = np.random.default_rng(1).random((2048, 2048), np.float32)
def product():
    start = time.perf_counter()
    matrix @ matrix
    return 2 * 2048**3 / (time.perf_counter() - start)
once(), product()
print(json.dumps({"read": max(once() for _ in range(6)), "float32": max(product() for _ in range(6))}))
"""


def probe(threads: int) -> dict[str, float]:
    """`read`: bytes per second that `threads` threads read from memory, each over 256 MiB of its own. `float32`:
    operations per second of a matrix product by numpy's OpenBLAS. The best of six each."""
    environment = ENVIRONMENT | {"OPENBLAS_NUM_THREADS": str(threads)}
    outcome = subprocess.run(
        [sys.executable, "-c", PROBE, str(threads)], env=environment, capture_output=True, text=True, check=True)
    return json.loads(outcome.stdout)


def describe() -> dict[str, str]:
    processor = re.search(r"^model name\s*: (.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', read("/etc/os-release"), re.MULTILINE)
    return {
        "processor": processor.group(1) if processor else platform.machine(),
        "cores": str(os.cpu_count()), "memory": f"{memory('MemTotal') / 2**30:.0f} GiB",
        "system": f"{system.group(1) if system else platform.system()}, kernel {platform.release()}"}


def memory(name: str = "MemAvailable") -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", read("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def load() -> float:
    """Processes that want a core, averaged over a minute."""
    return os.getloadavg()[0]


def resident(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB", read(f"/proc/{pid}/status"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def warm(path: pathlib.Path):
    """Brings a file into the page cache, so that both sides find it there."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def read(path: str) -> str:
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""
