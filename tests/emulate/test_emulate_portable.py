"""C compiled by clang for the GPU and for this computer: what is executed must give the same words.

The second source is the host: SDWA (bytes, halves), scratch memory (stack, frames: flat scratch on gfx942
and gfx950, a buffer resource on gfx90a), 64-bit integers, doubles. Nothing is compared with the emulator's
own code.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.isa.load import load_machine

SOURCE = Path(__file__).with_name("portable_bodies.hip")
BODIES = dict(re.findall(r"^PORTABLE\((\w+), (\d+)\)", SOURCE.read_text(), re.MULTILINE))
THREADS = 256
ON_THE_STACK = ("-mllvm", "-disable-promote-alloca-to-vector", "-mllvm", "-disable-promote-alloca-to-lds")
"""Arrays stay in scratch memory, with loads and stores of their own width."""
LEVELS = {"plain": ("-O0",), "optimized": ("-O2",), "stack": ("-O2", *ON_THE_STACK)}
STRICT = ("-ffp-contract=off", "-fno-math-errno")


@cache
def compiler() -> str:
    found = next(filter(None, map(shutil.which, ("clang-22", "clang-21", "clang-20", "clang"))), None)
    if found is None:
        pytest.skip("no clang on this machine")
    return found


@cache
def on_the_gpu(arch: str, level: str) -> str:
    """Assembly of all bodies."""
    flags = (
        "-x",
        "hip",
        f"--offload-arch={arch}",
        "--cuda-device-only",
        "-nogpulib",
        "-nogpuinc",
        *LEVELS[level],
        "-S",
    )
    made = subprocess.run(
        [compiler(), *flags, *STRICT, "-o", "-", str(SOURCE)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"{compiler()} cannot compile for {arch}: {made.stderr.splitlines()[:1]}")
    return made.stdout


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The bodies as functions of this computer."""
    library = tmp_path_factory.mktemp("host") / "bodies.so"
    halves = ("-Xclang", "-ffloat16-excess-precision=none", "-mf16c")
    flags = ("-x", "c", "-DHOST", "-O1", "-shared", "-fPIC", *halves)
    made = subprocess.run(
        [compiler(), *flags, *STRICT, "-o", str(library), str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not made.returncode, made.stderr
    return ctypes.CDLL(str(library))


def inputs(name: str) -> list[np.ndarray]:
    """Random words; halves without NaN and infinity, which the two may give different bits."""
    generator = np.random.default_rng(len(name))
    words = [generator.integers(0, 2**32, THREADS, dtype=np.uint64).astype(np.uint32) for _ in range(3)]
    if name == "halves":
        halves = generator.uniform(-30, 30, (3, THREADS, 2)).astype(np.float16)
        words = [np.ascontiguousarray(each).view(np.uint32)[:, 0] for each in halves]
    return words


@pytest.mark.parametrize(
    ("arch", "level"),
    [
        *(("gfx90a", level) for level in LEVELS),
        *(("gfx942", level) for level in LEVELS),
        ("gfx950", "optimized"),
    ],
)
@pytest.mark.parametrize("name", BODIES)
def test_same_words(name: str, arch: str, level: str, host: ctypes.CDLL) -> None:
    words, count = inputs(name), int(BODIES[name])
    pointers = [each.ctypes.data_as(ctypes.c_void_p) for each in words]
    expected = np.zeros((THREADS, count), np.uint32)
    getattr(host, name)(*pointers, expected.ctypes.data_as(ctypes.c_void_p))
    arguments = (
        *(
            MatrixArgument(letter, "u32", 1, THREADS, "given", content=each.tobytes())
            for letter, each in zip("ABC", words, strict=True)
        ),
        MatrixArgument("O", "u32", THREADS, count, "unwritten"),
    )
    program = parse_program(on_the_gpu(arch, level), "bodies.s", arch, kernel=name)
    execution = emulate(program, Launch(arguments, THREADS), load_machine(arch))
    assert execution.complete
    assert not execution.findings
    got = execution.matrix("O", (0, 0, THREADS, count))
    for column in range(count):
        np.testing.assert_array_equal(got[:, column], expected[:, column], err_msg=f"word {column}")


def test_the_forms_that_are_meant_are_there() -> None:
    """Optimized, the bytes use SDWA of many kinds; the stack is in scratch memory."""
    sdwa = re.findall(r"_sdwa .*", on_the_gpu("gfx942", "optimized"))
    for word in (
        "sext(",
        "dst_sel:WORD_1",
        "BYTE_3",
        "src0_sel:WORD_1",
        "src1_sel:BYTE_1",
    ):
        assert any(word in line for line in sdwa), word
    for opcode in (
        "scratch_store_byte",
        "scratch_load_ubyte",
        "scratch_store_short",
        "scratch_store_dwordx2",
    ):
        assert opcode in on_the_gpu("gfx942", "stack"), opcode
    assert "buffer_store_byte" in on_the_gpu("gfx90a", "stack")
