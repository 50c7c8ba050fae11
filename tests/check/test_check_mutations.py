"""Mutants of the clean compiled kernels: what changes the numbers adversarially is found by check.

Each s_waitcnt, s_barrier and s_nop of a kernel is removed in turn, and LDS offsets are shifted; of the
mutants a fixed share is taken, spread evenly over the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wavesim.analyze.pipeline import RunOptions, prepare
from wavesim.check.checker import check_kernel
from wavesim.emulate.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.isa.machine import Machine
from wavesim.kernel.launch import LoadedKernel
from wavesim.kernel.launch_file import LaunchOptions

LAUNCH = LaunchOptions(
    arguments=("A=bf16[128,64]", "B=bf16[128,64]", "C=f32[128,128]:unwritten", "N=128", "K=64"),
    block=512,
    expect="C = A @ B.T",
)
KERNELS = ("gemm8_asmread.gfx942.s", "gemm8_plain.gfx942.s", "gemm8_asmread.gfx950.s")
PER_KERNEL = 20
SHIFT_BYTES = 64


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """What was done, and the mutated source."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        word = line.split()[0] if line.split() else ""
        changed = None
        if word in ("s_waitcnt", "s_barrier", "s_nop"):
            changed = ""
        elif word.startswith("ds_") and "offset:" in line:
            before, value = line.split("offset:", 1)
            digits = value.split()[0]
            changed = f"{before}offset:{int(digits) + SHIFT_BYTES}{value[len(digits) :]}"
        if changed is not None:
            yield f"{number + 1}: {line.strip()}", "\n".join([*lines[:number], changed, *lines[number + 1 :]])


def changes_behaviour(kernel: LoadedKernel, machine: Machine) -> bool:
    try:
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    except UserError:
        return True
    return not check_numerics(execution, kernel.launch).ok


def test_mutants_that_change_numbers_are_found(shared: Path, tmp_path: Path) -> None:
    missed, changed = [], 0
    for name in KERNELS:
        every = list(mutants((shared / "examples" / name).read_text()))
        step = max(1, len(every) // PER_KERNEL)
        for what, text in every[::step]:
            path = tmp_path / name
            path.write_text(text)
            kernel, machine = prepare(path, RunOptions(launch=LAUNCH))
            if not changes_behaviour(kernel, machine):
                continue
            changed += 1
            # the adversary itself is not counted: a rule must name the place
            found = check_kernel(kernel, machine).findings
            if not any(finding.is_bad and "adversarially" not in finding.message for finding in found):
                missed.append(f"{name}:{what}")
    assert changed >= 25
    assert len(missed) <= 0.05 * changed, missed
