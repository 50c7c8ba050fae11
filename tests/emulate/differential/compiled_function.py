"""A function in LLVM IR, compiled by llc and run by the emulator on registers: arguments in v0 and on."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State

BITS = {
    "half": np.uint16,
    "float": np.uint32,
    "double": np.uint64,
    "i16": np.uint16,
    "i32": np.uint32,
    "i64": np.uint64,
}


AT_ONCE = 1024
"""Lanes of one workgroup."""


def llvm(tool: str) -> str:
    """The path of an LLVM tool; the test is skipped where there is none."""
    found = next((path for name in (f"{tool}-22", tool) if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs {tool}")
    return found


@cache
def assembly(body: str, arch: str) -> str:
    """The instructions of the function ``@f`` of an IR module, without waits and return."""
    text = f'target triple = "amdgcn-amd-amdhsa"\n{body}\n'
    command = [llvm("llc"), "-O2", f"-mcpu={arch}", "-o", "-", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    inside = done.stdout.partition("\nf:")[2].partition(".Lfunc_end0")[0]
    lines = [line.partition(";")[0].strip() for line in inside.split("\n")]
    dropped = re.compile(r"$|s_waitcnt|s_setpc|[.;%]|_L?f|BB")
    return "\n".join(line for line in lines if not dropped.match(line))


def run_function(
    body: str, arch: str, *arguments: np.ndarray, result: str = "float", before: str = ""
) -> np.ndarray:
    """``@f`` of arrays of equal length (unsigned bits), as unsigned bits of the type ``result``; ``before``
    stands in front of the function's instructions."""
    lines = f"{before}\n{assembly(body, arch)}"
    return np.concatenate(
        [
            _run(lines, arch, [each[start : start + AT_ONCE] for each in arguments], BITS[result])
            for start in range(0, len(arguments[0]), AT_ONCE)
        ]
    )


def _run(lines: str, arch: str, arguments: list[np.ndarray], kind: type[np.unsignedinteger]) -> np.ndarray:
    count = len(arguments[0])
    waves = -(-count // 64)

    def setup(state: State) -> None:
        row = 0
        for argument in arguments:
            padded = np.zeros(64 * waves, argument.dtype)
            padded[:count] = argument
            parts = [padded] if argument.itemsize <= 4 else [padded, padded >> np.uint64(32)]
            for part in parts:
                state.vgpr[row] = part.astype(np.uint32).reshape(waves, 64)
                row += 1

    outcome = execute(lines, setup, waves=waves, arch=arch)
    value = outcome.v(0).ravel().astype(np.uint64)
    if np.dtype(kind).itemsize == 8:
        value = value | outcome.v(1).ravel().astype(np.uint64) << np.uint64(32)
    return value.astype(kind)[:count]
