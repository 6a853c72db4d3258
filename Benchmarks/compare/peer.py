"""llama.cpp: built outside the repository from the sources in PyPI's package llama-cpp-python."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

PACKAGE = "llama-cpp-python==0.3.36"
TARGETS = ["llama-batched-bench", "llama-server"]
OPTIONS = [
    "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_BUILD_TESTS=OFF"]


class Peer:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    @property
    def sources(self) -> pathlib.Path:
        found = sorted(self.folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
        return found[-1] if found else self.folder / "llama_cpp_python" / "vendor" / "llama.cpp"

    def program(self, name: str) -> str:
        return str(self.sources / "build" / "bin" / name)

    @property
    def vocabulary(self) -> pathlib.Path:
        return self.sources / "models" / "ggml-vocab-phi-3.gguf"

    def build(self, targets: list[str] = TARGETS):
        """Fetches and builds what is not there yet: under ten minutes on two cores."""
        if all(pathlib.Path(self.program(name)).exists() for name in targets):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        search = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
        for tool in ("cmake", "ninja"):
            if shutil.which(tool, path=search) is None:
                raise SystemExit(f"{tool} is needed to build llama.cpp: {sys.executable} -m pip install cmake ninja")

        def run(*command: str):
            print("$", *command, file=sys.stderr)
            subprocess.run(command, cwd=self.folder, env=os.environ | {"PATH": search}, check=True)

        if not self.sources.exists():
            fetch = [sys.executable, "-m", "pip", "download", "--no-deps"]
            run(*fetch, "--no-binary", "llama-cpp-python", PACKAGE)
            run("tar", "xzf", str(next(self.folder.glob("llama_cpp_python-*.tar.gz"))))
        build = str(self.sources / "build")
        run("cmake", "-G", "Ninja", "-S", str(self.sources), "-B", build, *OPTIONS)
        run("ninja", "-C", build, *targets)

    def version(self) -> str:
        cache = self.sources / "build" / "bin"
        libraries = [re.search(r"libggml\.so\.(\d+\.\d+\.\d+)$", path.name) for path in cache.glob("libggml.so.*")]
        ggml = next((found.group(1) for found in libraries if found), "unknown")
        outcome = subprocess.run([self.program("llama-server"), "--version"], capture_output=True, text=True)
        found = re.search(r"version: (.*)", outcome.stderr + outcome.stdout)
        return f"llama.cpp {found.group(1) if found else 'unknown'}, ggml {ggml} ({PACKAGE})"
