"""What the figures were taken on."""

import os
import pathlib
import platform
import re

# Settings of OpenBLAS that a shell may carry would slow one side or the probe.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}


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
