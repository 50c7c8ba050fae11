"""What llvm-mca says about the loop of a trace, for comparison: one wave, scheduling model of LLVM.

llvm-mca sees a straight line of instructions: the rows that one wave executed in a typical pass. It knows no
other waves, no LDS or memory contention and no barriers. It counts issue cycles of 4 clk.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass

import numpy as np

from wavesim.asm.printer import print_instruction
from wavesim.asm.tools import MissingTool, find_tool
from wavesim.isa.kinds import BRANCH_KINDS
from wavesim.program import Instruction
from wavesim.trace import Timeline

CLK_PER_CYCLE = 4
ITERATIONS = 16
TIMEOUT_S = 60
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class McaResult:
    """``clk`` per iteration; None if there is none, and then ``note`` says why."""

    clk: float | None
    note: str = ""


def typical_pass(timeline: Timeline, head: int) -> list[Instruction]:
    """The instructions of the oldest wave's commonest pass of the loop, in order of execution."""
    trace = timeline.trace
    for wave in trace.waves:
        heads = np.flatnonzero(wave.code == head)
        if len(heads) > 1:
            passes = Counter(
                tuple(wave.code[first:last].tolist())
                for first, last in zip(heads[:-1].tolist(), heads[1:].tolist(), strict=True)
            )
            rows = passes.most_common(1)[0][0]
            return [trace.code[index].instruction for index in rows]
    return []


def loop_by_mca(timeline: Timeline, head: int | None, arch: str) -> McaResult:
    """clk per iteration of the loop at ``head`` as llvm-mca schedules it."""
    if head is None:
        return McaResult(None, "no loop")
    trace = timeline.trace
    branches = {id(entry.instruction) for entry in trace.code if entry.kind in BRANCH_KINDS}
    rows = typical_pass(timeline, head)
    if not 0 < len(rows) <= MOST_ROWS:
        return McaResult(None, "no pass to look at")
    lines = []
    for instruction in rows:
        text = print_instruction(instruction)
        if id(instruction) in branches:  # where to does not matter to it
            text = f"{text.split()[0]} 0"
        lines.append(text)
    try:
        tool = find_tool("llvm-mca", arch)
        done = subprocess.run(
            [tool, "-mtriple=amdgcn-amd-amdhsa", f"-mcpu={arch}", f"-iterations={ITERATIONS}"],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except MissingTool:
        return McaResult(None, "llvm-mca is not installed")
    except subprocess.TimeoutExpired:
        return McaResult(None, f"llvm-mca took over {TIMEOUT_S} s")
    cycles = re.search(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    if done.returncode < 0 or "PLEASE submit a bug report" in done.stderr:
        return McaResult(None, "llvm-mca crashed")
    if done.returncode or cycles is None:
        said = done.stderr.strip().splitlines()
        return McaResult(None, f"llvm-mca: {said[0][:80] if said else 'no result'}")
    return McaResult(CLK_PER_CYCLE * int(cycles.group(1)) / ITERATIONS)
