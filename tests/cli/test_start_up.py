"""No command imports what it does not use: the modules that some have loaded when they are done."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from wavesim.isa.build import build

TINY = ("run", "kernels/lessons/one_read_unwaited.s", "--block", "64")
TOOLS = ("networkx", "simpy", "yaml", "subprocess", "tempfile", "logging", "jsonschema", "pydantic")
OTHERS = (
    *("calibrate", "replays", "checks", "report.page", "report.json", "report.export"),
    *("explanation.critical_path", "timing.model", "front.hip", "front.tile.load", "asm.tools"),
)
"""Parts of wavesim that running a kernel has no use for."""

LISTED = """
import os, sys
sys.argv = ["wavesim", *sys.argv[1:]]
shown, sys.stdout = os.dup(1), open(os.devnull, "w")
from wavesim.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
os.write(shown, "\\n".join(sys.modules).encode())
"""


def loaded_by(root: Path, *words: str) -> set[str]:
    command = [sys.executable, "-c", LISTED, *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(autouse=True, scope="module")
def _built() -> None:
    """As the installation leaves it: without built forms the data of isa/ is read with PyYAML."""
    build()


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (("--help",), ("numpy", "rich", "ctypes", *TOOLS)),
        (("run", "--help"), ("numpy", "rich", "ctypes", *TOOLS)),
        (("isa", "list"), ("numpy", "ctypes", *TOOLS)),
        (("isa", "explain", "gfx942", "lds.read_latency_clk"), ("numpy", "ctypes", *TOOLS)),
        (TINY, ("rich.console", *TOOLS, *(f"wavesim.{part}" for part in OTHERS))),
    ],
    ids=lambda value: value[0],
)
def test_unused_modules_are_not_imported(root: Path, words: tuple[str, ...], unused: tuple[str, ...]) -> None:
    loaded = loaded_by(root, *words)
    assert "wavesim.cli.main" in loaded
    assert loaded & set(unused) == set()


def test_the_help_names_commands_without_importing_them(root: Path) -> None:
    ours = {name for name in loaded_by(root, "--help") if name.startswith("wavesim.")}
    assert len(ours) < 12


def test_a_start_is_quick(root: Path) -> None:
    """Twice what a quiet machine needs: an import too many shows, other work on the machine does not."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for words, most_s in ((("--help",), 0.2), (TINY, 0.9)):
        command = [sys.executable, "-m", "wavesim", *words]
        spent = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=root, env=environment, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert min(spent) <= most_s, f"wavesim {' '.join(words)}: {spent} s of processor time"
