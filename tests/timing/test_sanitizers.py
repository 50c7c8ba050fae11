"""Address and undefined-behaviour sanitizers over random traces: engine.c touches nothing it must not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wavesim.timing.compiled import build

FLAGS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
SCRIPT = Path(__file__).resolve().parent / "sanitized_run.py"


def runtime(compiler: list[str]) -> tuple[str, tuple[str, ...]]:
    """The sanitizer's shared library of a compiler, to be loaded before Python, and the flags for it."""
    for name, flags in (("libasan.so", ()), ("libclang_rt.asan-x86_64.so", ("-shared-libasan",))):
        asked = [*compiler, f"-print-file-name={name}"]
        path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        if os.path.isabs(path):
            return path, flags
    return "", ()


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A library built with sanitizers, and what to preload."""
    compilers = [command for command in build.compilers() if runtime(command)[0]]
    if not compilers:
        pytest.skip("no C compiler with a shared address sanitizer")
    preload, flags = runtime(compilers[0])
    path = tmp_path_factory.mktemp("sanitized") / f"engine{build.library_path().suffix}"
    assert build.compile_with(compilers[0], path, [*FLAGS, *flags]) == ""
    return path, preload


def run(sanitized: tuple[Path, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    path, preload = sanitized
    environment = {
        **os.environ,
        "LD_PRELOAD": preload,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "PYTHONMALLOC": "malloc",  # so that numpy's and Python's memory is watched too
    }
    command = [sys.executable, str(SCRIPT), str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=600)


@pytest.mark.parametrize("first", [0, 150, 300])
def test_random_traces(sanitized: tuple[Path, str], first: int) -> None:
    done = run(sanitized, str(first), str(first + 150))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "sanitized 150\n"


def test_the_sanitizer_watches(sanitized: tuple[Path, str], tmp_path: Path) -> None:
    """The same source with one index too far is caught, so silence means something."""
    _, preload = sanitized
    source = build.SOURCE.read_text(encoding="utf-8")
    wrong = source.replace("e->due[count++] = number;", "e->due[4096 + count++] = number;")
    assert wrong != source
    (tmp_path / "engine.c").write_text(wrong, encoding="utf-8")
    library = tmp_path / "wrong.so"
    command = [
        *build.compilers()[0],
        *build.FLAGS,
        *FLAGS,
        "-fPIC",
        str(tmp_path / "engine.c"),
        "-o",
        str(library),
    ]
    command.append(f'-DWAVESIM_SOURCE_HASH="{build.source_hash()}"')
    subprocess.run(command, check=True)
    done = run((library, preload), "0", "5")
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr
