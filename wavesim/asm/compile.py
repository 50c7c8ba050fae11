"""HIP source to assembly text: which compiler on this machine can, and its answer with line tables."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wavesim.asm.tools import MissingTool
from wavesim.asm.undefined import refuse_undefined
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.inputs import note_input
from wavesim.isa.archs import ARCHS
from wavesim.isa.paths import data_dir
from wavesim.limits import MAX_INPUT_BYTES

VERSIONS = (22, 21, 20, 19)
"""Suffixes of Debian's clang, the newest first; clang 19 knows no gfx950."""

ROCM_FOLDERS = ("/opt/rocm/lib/llvm/bin", "/opt/rocm/llvm/bin")
TIMEOUT_S = 300
"""For one file: a kernel with everything unrolled takes long, an endless template would take for ever."""

OPTIMISATION = "-O3"
_ARGUMENTS = (
    "-x",
    "hip",
    "--offload-arch={arch}",
    "--cuda-device-only",
    "-nogpulib",
    "-nogpuinc",
    "-gline-tables-only",
    "-ffile-compilation-dir=.",
    "-fno-color-diagnostics",
    "-fno-caret-diagnostics",
)
_FOR_TYPES = ("-emit-llvm", "-g", "-fstandalone-debug", "-Xclang", "-disable-llvm-passes")
"""For IR whose debug information has every type in full; optimising would take longest."""
_WITHOUT_ROCM = ("-nogpulib", "-nogpuinc")
"""Left out for hipcc, which has headers and device libraries to find."""
_TRIAL = 'extern "C" __attribute__((global)) void trial(void) {}\n'
_DIAGNOSTIC = re.compile(r"(?P<file>[^\n:]+):(?P<line>\d+):(?P<column>\d+): (?:fatal )?error: (?P<text>.+)")
_VERSION = re.compile(r"clang version (\S+)|HIP version: (\S+)")
_HINT = (
    "install clang (Debian: apt-get install clang-22; clang-19 does for gfx90a and gfx942), ROCm, or "
    "ziglang (pip install ziglang); or compile elsewhere and give wavesim the .s or .co file"
)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler: what it calls itself, and the command that its arguments are put behind."""

    name: str
    command: tuple[str, ...]
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Compiled:
    """The assembly ``text`` of a HIP file; its lines go by the name ``file``; ``messages`` are warnings."""

    text: str
    file: str
    compiler: Compiler
    command: tuple[str, ...]
    messages: str = ""

    @property
    def command_line(self) -> str:
        """The command as one would type it, to be repeated by hand."""
        return shlex.join(self.command)


def candidates() -> Iterator[Compiler]:
    """The compilers of this machine that may do, in the order they are tried, without trying any.

    ``WAVESIM_LLVM`` names a folder whose clang comes first.
    """
    own = os.environ.get("WAVESIM_LLVM")
    named = [("clang", str(Path(own) / "clang"))] if own else []
    named += [("hipcc", "hipcc"), ("hipcc", "/opt/rocm/bin/hipcc")]
    for version in VERSIONS:
        named += [(f"clang-{version}", f"clang-{version}")]
        named += [(f"clang-{version}", f"/usr/lib/llvm-{version}/bin/clang")]
    named += [("clang", "clang"), *((f"{folder}/clang", f"{folder}/clang") for folder in ROCM_FOLDERS)]
    seen = set()
    for name, program in named:
        found = shutil.which(program)
        if found is not None and os.path.realpath(found) not in seen:
            seen.add(os.path.realpath(found))
            yield Compiler(name, (found,))
    if importlib.util.find_spec("ziglang") is not None:
        yield Compiler("ziglang", (sys.executable, "-m", "ziglang", "clang"))


@cache
def find_compiler(arch: str) -> Compiler:
    """The first compiler that makes assembly for ``arch``; each one is tried with an empty kernel.

    Raises:
        MissingTool: none does; the message says which were tried, and what to install.
        UserError: no such architecture.
    """
    if arch not in ARCHS:
        raise UserError(f"unknown architecture {arch!r}", None, f"known: {', '.join(ARCHS)}")
    tried = []
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        source, target = Path(folder) / "trial.hip", Path(folder) / "trial.s"
        source.write_text(_TRIAL, encoding="utf-8")
        for compiler in candidates():
            done = _call(
                [*compiler.command, *_arguments(compiler, arch, ()), "-S", "-o", str(target), str(source)]
            )
            if done.returncode == 0 and f"--{arch}" in _written(target):
                return Compiler(compiler.name, compiler.command, _version(compiler))
            tried.append(compiler.name)
            target.unlink(missing_ok=True)
    known = f"; {', '.join(tried)} cannot" if tried else ""
    raise MissingTool(f"no compiler for HIP and {arch} is installed{known}", None, _HINT)


def compile_hip(path: Path, arch: str, flags: Sequence[str] = (), text: str | None = None) -> Compiled:
    """Compile a HIP file to the assembly text of its kernels. ``hip/hip_runtime.h`` is wavesim's own, unless
    the compiler is hipcc or a ``-I`` among the flags leads to another.

    Args:
        path: the file; nothing is written beside it.
        arch: architecture, such as ``gfx942``.
        flags: further arguments of the compiler (``-DNAME=VALUE``, ``-O1``), after the usual ones.
        text: what is compiled in place of what the file has.

    Raises:
        MissingTool: no compiler can.
        UserError: the compiler refuses the file; the place is that of its first error. Or it calls device
            functions that it does not define.
        LimitExceeded: the assembly is larger than wavesim reads.
    """
    compiled = _compiled(path, arch, flags, text)
    refuse_undefined(compiled.text, str(path))
    return compiled


def debug_ir(path: Path, arch: str, flags: Sequence[str] = ()) -> str:
    """The LLVM IR of a HIP file before any optimisation, with full debug information: what its kernels'
    parameters are.

    Raises:
        MissingTool, UserError, LimitExceeded: as :func:`compile_hip`.
    """
    return _compiled(path, arch, (*flags, *_FOR_TYPES)).text


def _compiled(path: Path, arch: str, flags: Sequence[str], text: str | None = None) -> Compiled:
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such file")
    note_input(path)
    compiler = find_compiler(arch)
    arguments = _arguments(compiler, arch, flags)
    name = assembly_name(path, arch)
    with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
        target, read = Path(folder) / "out.s", Path(folder) / "out.d"
        source, shown_as, name_here = _source(path, Path(folder), text)
        listing = _passed_on("-dependency-file", str(read), "-MT", "out")
        done = _call([*compiler.command, *arguments, *listing, "-S", "-o", str(target), *source])
        messages = done.stderr.decode(errors="replace").strip().replace(shown_as, name_here)
        if done.returncode or not target.is_file():
            raise _refused(compiler, messages, path)
        if target.stat().st_size > MAX_INPUT_BYTES:
            raise LimitExceeded(
                f"{path}: its assembly has more than {MAX_INPUT_BYTES} bytes", SourceSpan(str(path))
            )
        text = _written(target)
        _note_dependencies(read)
    shown = (*_shown(compiler), *arguments, "-S", "-o", Path(name).name, _as_argument(path))
    return Compiled(text, name, compiler, shown, messages)


def assembly_name(path: Path, arch: str) -> str:
    """What lines of the compiled text are called: ``8wave.hip`` -> ``8wave.gfx942.s``."""
    return str(path.with_suffix(f".{arch}.s"))


def _source(path: Path, folder: Path, text: str | None) -> tuple[list[str], str, str]:
    """Arguments for a source file, and what to put for what in messages, so that it keeps its given name.

    Its path is absolute, since ``@k.hip`` and ``-k.hip`` mean other things to a compiler. Clang hands the
    bare name on to itself and takes ``@k.hip`` there for a file with options: such a file is copied into
    ``folder``, and so is another ``text`` for it.
    """
    if text is not None or path.name.startswith("@"):
        copy = folder / "source.hip"
        if text is None:
            shutil.copyfile(path, copy)
        else:
            copy.write_text(text, encoding="utf-8")
        quoted = ["-iquote", str(path.absolute().parent)]
        return [*quoted, f"-ffile-prefix-map={copy}={path}", str(copy)], str(copy), str(path)
    before = str(path.absolute()).removesuffix(str(path))
    return [*([f"-ffile-prefix-map={before}="] if before else []), str(path.absolute())], before, ""


def _as_argument(path: Path) -> str:
    """``path`` as one may type it behind a compiler's name."""
    return f"./{path}" if str(path).startswith(("-", "@")) else str(path)


def _shown(compiler: Compiler) -> tuple[str, ...]:
    if compiler.name == "ziglang":
        return ("python", "-m", "ziglang", "clang")
    return (compiler.name,)


def _arguments(compiler: Compiler, arch: str, flags: Sequence[str]) -> list[str]:
    left_out = _WITHOUT_ROCM if compiler.name == "hipcc" else ()
    usual = [argument.format(arch=arch) for argument in _ARGUMENTS if argument not in left_out]
    folders = [] if compiler.name == "hipcc" else [data_dir("include"), data_dir("include") / "hip"]
    headers = [word for folder in folders for word in ("-isystem", str(folder))]
    return [*usual, *headers, OPTIMISATION, *flags]


def _passed_on(*arguments: str) -> list[str]:
    """Arguments of clang's compiler behind its driver, which takes no -MD for HIP."""
    return [word for argument in arguments for word in ("-Xclang", argument)]


def _note_dependencies(file: Path) -> None:
    """What the compiler read, from the rule for make that it wrote: no output may replace it."""
    for name in re.findall(r"(?:\\.|[^\s\\])+", _written(file).partition(": ")[2].replace("\\\n", " ")):
        note_input(re.sub(r"\\(.)", r"\1", name))


def _written(target: Path) -> str:
    try:
        return target.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _call(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Runs a compiler; one that cannot be run or hangs has failed."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"{Path(command[0]).name} did not end within {TIMEOUT_S} s"
    except OSError as error:
        message = f"{command[0]} cannot be run: {error.strerror}"
    return subprocess.CompletedProcess(command, 1, b"", message.encode())


def _version(compiler: Compiler) -> str:
    match = _VERSION.search(_call([*compiler.command, "--version"]).stdout.decode(errors="replace"))
    return next((group for group in match.groups() if group), "") if match else ""


def _refused(compiler: Compiler, messages: str, path: Path) -> UserError:
    """The compiler's first error with its place, and the number of others."""
    found = list(_DIAGNOSTIC.finditer(messages))
    if not found and "Stack dump:" in messages:
        where = re.search(r"on function '(\S+)'", messages)
        kernel = f" in {where[1]}" if where else ""
        return UserError(f"{compiler} crashed{kernel}", SourceSpan(str(path)), "another version may not")
    if not found:
        said = messages.splitlines()
        return UserError(
            f"{compiler} failed: {said[0] if said else 'it wrote no assembly'}",
            SourceSpan(str(path)),
            "\n  ".join(said[1:20]),
        )
    first = found[0]
    place = SourceSpan(first["file"], int(first["line"]), int(first["column"]))
    more = [f"{each['file']}:{each['line']}:{each['column']}: {each['text']}" for each in found[1:10]]
    if "file not found" in first["text"]:
        more.append(
            "wavesim brings hip/hip_runtime.h and few others; where yours is: -I DIR (docs/compile.md)"
        )
    elif "'__global__'" in first["text"] or "'__device__'" in first["text"]:
        more.append("macros of hip_runtime.h, which is not included: #include <hip/hip_runtime.h>")
    return UserError(f"{first['text']} [{compiler}]", place, "\n  ".join(more))
